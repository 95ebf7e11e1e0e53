"""`target="rag"` at collection: the test uses that fixture, and one that cannot be a target is found out at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.plugin.marker import NAME, MarkerArguments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FunctionType
    from weakref import WeakKeyDictionary

    from pytest_ragas.plugin.suite import Suite

_TABLES = ("_arg2fixturedefs", "_arg2node2fixturedefs", "_arg2nodeid2fixturedefs")
"""Where pytest keeps all fixtures by name: before 9.2, and since. Private, and only for the neighbours in a message."""

_NOT_THE_USERS = ("_pytest.", "pytest_ragas.", "pytest_", "xdist.", "anyio.", "hypothesis.", "_hypothesis_")


def use_target(
    collector: pytest.Collector, function: FunctionType, uses: WeakKeyDictionary[FunctionType, pytest.Mark]
) -> None:
    """Make a test function use the fixture that its marker names, as `@pytest.mark.usefixtures` would.

    So pytest knows it when it collects: the fixture is set up in its turn, may be parametrized, and is shown by
    `--fixtures-per-test`.

    Args:
        collector: The module or class.
        function: About to be collected from it.
        uses: What we have done so far: a function that two classes inherit may have a target in each.
    """
    own: Sequence[Any] = function.__dict__.get("pytestmark", ())
    own = own if isinstance(own, (list, tuple)) else [own]
    rest = [mark for mark in own if mark is not uses.get(function)]
    target = _target([*rest, *collector.iter_markers(NAME)])
    if target is not None:
        uses[function] = pytest.mark.usefixtures(target).mark
        function.pytestmark = [*rest, uses[function]]  # type: ignore[attr-defined]
    elif function in uses:
        del uses[function]
        function.pytestmark = rest  # type: ignore[attr-defined]


def _target(marks: Iterable[Any]) -> str | None:
    for mark in (getattr(mark, "mark", mark) for mark in marks):
        if getattr(mark, "name", "") == NAME and isinstance(target := mark.kwargs.get("target"), str):
            return target
    return None


def check_target(suite: Suite, metafunc: pytest.Metafunc, arguments: MarkerArguments, *, where: str) -> None:
    """Find out before any call is made whether a test's target can be one; from now on targets are called.

    Raises:
        ConfigurationError: There is no such fixture, it lives no longer than a test, or there is nothing to ask it.
    """
    from pytest_ragas.plugin.targets.target import targets_of

    target = arguments.target
    if target is None:
        return
    place = f"the ragas marker of {where}"
    if arguments.testset is None:
        raise ConfigurationError(
            f"target={target!r} in {place} has no testset whose rows it could answer. "
            'Name one beside it: testset="testset.json".'
        )
    known: dict[str, Any] = getattr(metafunc.definition, "_fixtureinfo").name2fixturedefs  # noqa: B009
    if target in known:
        scope = known[target][-1].scope
        if scope == "function":
            raise ConfigurationError(
                f"target={target!r} in {place} is a fixture of function scope: it is made anew for each test, and "
                'cannot answer the rows of later tests. Write @pytest.fixture(scope="session") above it. If it cannot '
                f"live longer than a test, take it as an argument, and return {target}(ragas_sample.user_input)."
            )
    elif target not in _parametrized(metafunc):
        raise UnknownNameError("fixture", target, _visible(metafunc), where=f"target= of {place}")
    targets_of(suite).names.add(target)


def _parametrized(metafunc: pytest.Metafunc) -> set[str]:
    """Arguments that `@pytest.mark.parametrize` gives directly."""
    found: set[str] = set()
    for mark in metafunc.definition.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
        found.update(name.strip() for name in (names.split(",") if isinstance(names, str) else names))
    return found


def _visible(metafunc: pytest.Metafunc) -> list[str]:
    """Fixtures of the user's that could be meant: those of longer life that the test may use."""
    manager: Any = getattr(metafunc.definition.session, "_fixturemanager", None)
    found: list[str] = []
    for name in dict.fromkeys(name for table in _TABLES for name in getattr(manager, table, ())):
        definitions = manager.getfixturedefs(name, metafunc.definition)
        if definitions and definitions[-1].scope != "function":
            if not definitions[-1].func.__module__.startswith(_NOT_THE_USERS):
                found.append(name)
    return found
