"""Which verdicts are deferred: by default all, but not where a test must have its verdict before the next one runs."""

from __future__ import annotations

import textwrap

import pytest

from pytest_ragas.plugin.deferral.policy import Policy
from pytest_ragas.plugin.suite import suite_of

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
CONFTEST = """
import asyncio
import pytest
from pace_events import went_on
from pytest_ragas import MetricSpec, Score


class Pace:
    name = "pace"

    async def score(self, sample):
        for _ in range(int({patience} / 0.005)):
            if went_on.is_set():
                return Score(metric="pace", value=1.0, reason="the suite went on")
            await asyncio.sleep(0.005)
        return Score(metric="pace", value=0.0, reason="the suite waited")


def pytest_ragas_register_metrics(register):
    register(MetricSpec(
        name="pace", backend="free", needs=frozenset({{"response"}}), uses=frozenset(),
        factory=lambda context: Pace(), version="1", summary="whether the suite went on",
    ))
"""
TESTS = """
import pytest
from pace_events import went_on
{head}

@pytest.mark.ragas(thresholds={{"pace": 0.5}}{marker})
{mark}
def test_first(ragas_sample):
    return "answer"


def test_second():
    went_on.set()
"""


class Pace:
    """A suite whose first test has a good score only if the second one runs before it is there."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makepyfile(pace_events="import threading\n\nwent_on = threading.Event()\n")

    def goes_on(self, *arguments: str, conftest: str = "", ini: str = "", **parts: str) -> bool:
        """Whether the suite went on while the first test was scored."""
        # what should happen is waited for, so that a slow machine is no failure
        return self._run(20, arguments, conftest, ini, parts) == "the suite went on"

    def waits(self, *arguments: str, conftest: str = "", ini: str = "", **parts: str) -> bool:
        """Whether the suite waited for the first test's scores."""
        return self._run(0.2, arguments, conftest, ini, parts) == "the suite waited"

    def _run(self, patience: float, arguments: tuple[str, ...], conftest: str, ini: str, parts: dict[str, str]) -> str:
        self.pytester.makeconftest(CONFTEST.format(patience=patience) + textwrap.dedent(conftest))
        self.pytester.makepyfile(test_pace=TESTS.format(**{"head": "", "marker": "", "mark": "", **parts}))
        self.pytester.makeini(INI + ini)
        self.result = result = self.pytester.runpytest("-W", "error", "-p", "no:randomly", "-rA", *arguments)
        outcomes = result.parseoutcomes()
        assert outcomes.get("passed", 0) in (1, 2), result.stdout.str()
        return "the suite went on" if outcomes.get("passed") == 2 else "the suite waited"


@pytest.fixture
def pace(pytester: pytest.Pytester) -> Pace:
    return Pace(pytester)


def test_verdicts_are_deferred(pace):
    assert pace.goes_on()


def test_the_switch(pace):
    assert pace.waits("--ragas-scoring=blocking")


def test_the_marker_of_one_test(pace):
    assert pace.waits(marker=', scoring="blocking"')


def test_another_of_its_markers(pace):
    assert pace.waits(mark='@pytest.mark.ragas(scoring="blocking")')


def test_the_marker_refuses_another_word(pace):
    pace.pytester.makeconftest(CONFTEST.format(patience=1))
    pace.pytester.makeini(INI)
    pace.pytester.makepyfile(test_pace=TESTS.format(head="", marker=', scoring="later"', mark=""))
    result = pace.pytester.runpytest()
    result.stdout.fnmatch_lines(["*scoring='later' in the ragas marker of*must be 'deferred' or 'blocking'*"])


@pytest.mark.parametrize("option", ["--pdb", "--trace", "--stepwise", "--setup-only", "--setup-show"])
def test_options_that_need_each_verdict_at_once(pytester, option):
    pytester.makeini(INI)
    config = pytester.parseconfigure(option)
    assert option in Policy(suite_of(config)).why_all_block


def test_no_option_no_reason(pytester):
    pytester.makeini(INI)
    assert Policy(suite_of(pytester.parseconfigure())).why_all_block == ""


def test_a_test_that_is_run_again_if_it_fails(pace):
    pytest.importorskip("pytest_rerunfailures")
    assert pace.waits("--reruns=1")
    assert pace.waits(mark="@pytest.mark.flaky(reruns=1)")


def test_no_reruns_no_reason(pace):
    pytest.importorskip("pytest_rerunfailures")
    assert pace.goes_on()


def test_another_plugin_that_runs_tests_itself(pace):
    runs = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        runtestprotocol(item, nextitem=nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
    """
    assert pace.waits(conftest=runs)


def test_another_plugin_that_only_wants_to_know_when_tests_begin(pace):
    knows = """
    def pytest_runtest_protocol(item):
        print("begins:", item.name)
    """
    assert pace.goes_on("-s", conftest=knows)
    pace.result.stdout.fnmatch_lines(["*begins: test_first", "*begins: test_second"])
    assert pace.result.stdout.str().count("begins: ") == 2


def test_another_plugin_that_only_wraps_tests(pace):
    wrapper = """
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item, nextitem):
        return (yield)
    """
    assert pace.goes_on(conftest=wrapper)
