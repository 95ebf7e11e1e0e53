"""The pytest11 entry point, named `ragas` so that `-p no:ragas` turns everything off.

Hooks that every pytest run pays for; each one leaves at once where a suite does not use us. Nothing but
pytest, the standard library and a few light modules of ours is imported here.
"""

from __future__ import annotations

from collections.abc import Generator
from types import FunctionType
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.plugin.current import running
from pytest_ragas.plugin.own_imports import import_as_usual
from pytest_ragas.plugin.suite import SUITE, Suite, suite_of

if TYPE_CHECKING:
    pass

MARKER = "ragas"
"""The marker, and the fixture."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Our hooks, for conftest.py files and other plugins to implement."""
    import_as_usual()
    import pytest_ragas.hookspecs as hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One group `ragas` in `pytest --help`."""
    from pytest_ragas.plugin.marker_help import BARRIER_INI, BARRIER_INI_HELP
    from pytest_ragas.plugin.options import add_options

    add_options(parser)
    parser.addini(BARRIER_INI, BARRIER_INI_HELP, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Marker, fixtures, and the settings where the command line asks for us."""
    import pytest_ragas.plugin.fixtures as fixtures
    from pytest_ragas.plugin.marker_help import BARRIER_HELP, HELP
    from pytest_ragas.plugin.options import check, estimates, given

    config.addinivalue_line("markers", HELP)
    config.addinivalue_line("markers", BARRIER_HELP)
    config.stash[SUITE] = Suite(config)
    config.pluginmanager.register(fixtures, "ragas-fixtures")
    if estimates(config):
        from pytest_ragas.plugin.estimate import run_alone

        run_alone(config)
    if given(config):
        check(suite_of(config))


def pytest_sessionstart(session: pytest.Session) -> None:
    """The controller of pytest-xdist collects nothing: it cannot wait to see a test that uses us."""
    if session.config.pluginmanager.has_plugin("dsession"):
        from pytest_ragas.plugin.budget import CONTROLLER
        from pytest_ragas.plugin.xdist.controller import Controller

        suite = suite_of(session.config)
        suite.use()
        session.config.pluginmanager.register(Controller(suite), CONTROLLER)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> None:
    """Before pytest looks at what fixtures a test takes: its target is one of them."""
    function = obj.__func__ if isinstance(obj, (staticmethod, classmethod)) else obj
    if isinstance(function, FunctionType):
        suite = suite_of(collector.config)
        if "pytestmark" in function.__dict__ or suite.marks(collector):
            from pytest_ragas.plugin.targets.target_fixture import use_target

            use_target(collector, function, suite.target_uses)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A testset becomes tests."""
    if metafunc.definition.get_closest_marker(MARKER) is not None:
        from pytest_ragas.plugin.parametrize import parametrize

        parametrize(suite_of(metafunc.config), metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Settings that cannot be used end the run, not only the collection of a file."""
    report = yield
    if report.failed and (problem := suite_of(collector.config).settings_error):
        from pytest_ragas.plugin.settings_error import stop

        stop(collector.config, report, problem)
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Find out whether the suite uses us."""
    if any(
        item.get_closest_marker(MARKER) is not None or MARKER in getattr(item, "fixturenames", ()) for item in items
    ):
        suite_of(config).expect()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Gates are decided around the loop: pytest reads `testsfailed` right after it; at sessionfinish it is too late."""
    suite = suite_of(session.config)
    suite.stopped = True  # until the loop has ended by itself
    result = yield
    suite.stopped = False
    if suite.may_have_gates:
        from pytest_ragas.plugin.baselines.comparing import apply_comparison
        from pytest_ragas.plugin.gates import apply_gates

        apply_gates(suite, session)
        apply_comparison(suite, session)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """The assertion helpers find the running test."""
    with running(item):
        return (yield)
