"""Under pytest-xdist: nothing is lost, nothing is counted twice, and the limit of calls is the run's."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest
from deferred_suites import Outcome, copied

from pytest_ragas.plugin.suite import Suite
from pytest_ragas.plugin.xdist.controller import Controller
from pytest_ragas.plugin.xdist.worker import OWED

SUITE = "rows"


def ends(outcome: Outcome) -> Counter[str]:
    """Test -> how often its end was reported: the call of one that ran, or the error of one that did not."""
    reports = [entry for entry in outcome.stream if entry[0] == "report"]
    return Counter(
        str(entry[1]) for entry in reports if entry[2] == "call" or (entry[2] != "teardown" and entry[3] == "failed")
    )


VARIABLES = {"LOW": "05,13", "BOOM": "07", "SKIPPED": "21", "BROKEN": "22"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The suite in one process."""
    return copied(SUITE, tmp_path_factory.mktemp("plain")).run(**VARIABLES)


def reports(outcome: Outcome) -> list[str]:
    """Every report of a run, in an order that does not hang on who was first."""
    return sorted(json.dumps(entry) for entry in outcome.stream if entry[0] == "report")


@pytest.mark.parametrize("workers", ["-n2", "-n4"])
@pytest.mark.parametrize("dist", ["load", "loadscope", "loadfile", "loadgroup", "worksteal"])
def test_every_report_is_that_of_the_run_in_one_process(suite, plain, workers, dist):
    outcome = suite.run(workers, f"--dist={dist}", **VARIABLES)
    assert outcome.last == plain.last == "3 failed, 27 passed, 1 skipped, 1 error", outcome.out
    assert len(ends(outcome)) == 32
    assert set(ends(outcome).values()) == {1}
    assert reports(outcome) == reports(plain)
    assert outcome.ret == plain.ret == 1


def test_gates_and_summary_see_the_whole_run(suite):
    outcome = suite.run("-n2", "--ragas-fail-under=mean(quality) >= 0.9", LOW="05,13")
    # 28 of 0.9 and 2 of 0.2
    assert "gate failed: mean(quality) 0.85 < 0.90" in outcome.out, outcome.out
    assert outcome.ret == 1


def test_what_a_worker_that_crashed_owed_is_an_error(suite):
    outcome = suite.run(
        "-n2",
        "--dist=loadfile",
        "--junitxml=junit.xml",
        "--ragas-fail-under=mean(quality) >= 0.5",
        CRASH="15",
        SUITE_DELAY=2,
    )
    assert outcome.last == "1 failed, 27 passed, 5 errors", outcome.out  # the one that crashed runs again
    assert len(ends(outcome)) == 32
    assert outcome.out.count("crashed before the scores of this test were there") >= 5
    # a gate over what is left would be a gate over the rows that were easy to score
    assert "not decided" in outcome.out or "incomplete" in outcome.out
    cases = [*ElementTree.parse(outcome.folder / "junit.xml").iter("testcase")]
    twice = Counter(case.get("name") for case in cases) - Counter({case.get("name") for case in cases})
    assert set(twice) == {"test_rag[q15]"}
    assert sum(case.find("error") is not None for case in cases) == 6  # and the test that crashed


class Lines:
    """As much of pytest's terminal reporter as the list of tests without a verdict takes."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def section(self, title: str, **markup: bool) -> None:
        pass

    def write_line(self, line: str) -> None:
        self.written.append(line)


@pytest.mark.parametrize("verdict", [("call", "passed"), ("call", "failed"), ("setup", "failed")])
def test_a_verdict_that_was_told_is_owed_no_longer(pytester, verdict):
    """Ctrl-C may come between the report with the verdict and that of the teardown: it is not listed beside it."""

    def report(when: str, outcome: str) -> pytest.TestReport:
        return pytest.TestReport("test_a.py::test_a", ("test_a.py", 0, "test_a"), {}, outcome, None, when)

    def listed() -> list[str]:
        lines = Lines()
        controller.pytest_terminal_summary(lines)
        return lines.written

    controller = Controller(Suite(pytester.parseconfig()))
    setup = report("setup", "passed")
    setattr(setup, OWED, "null")
    controller.pytest_runtest_logreport(setup)
    assert listed() == ["no verdict: test_a.py::test_a (interrupted, in worker )"]
    controller.pytest_runtest_logreport(report(*verdict))
    assert listed() == []


def test_a_stop_does_not_wait_for_scores_that_nobody_needs(suite):
    """The workers hear of the stop at once, though scoring would go on for ever."""
    outcome = suite.run("-n2", "-x", "--dist=loadfile", "--junitxml=junit.xml", LOW="01", STUCK="11,21,31", timeout=60)
    assert outcome.out.count("failed") >= 1
    assert outcome.ret != 0
    # what was not reported is in no report, and no testcase is left without a name
    assert all(case.get("name") for case in ElementTree.parse(outcome.folder / "junit.xml").iter("testcase"))


@pytest.fixture
def calls(tmp_path, openai_server):
    """A suite that asks a server; most of its questions come from one file."""
    openai_server.brain = lambda request: {"value": 0.9}
    openai_server.latency = 0.03
    folder: Path = tmp_path

    def run(*arguments: str, **more: object) -> Outcome:
        critic = json.dumps({"model_name": "judge", "api_base": openai_server.url, "structure": "json_schema", **more})
        # one file a worker: without sharing, the one with most of the work has a part of the limit to itself
        return copied("calls", folder).run(
            "--dist=loadfile", *arguments, PYTEST_RAGAS_CRITIC_LLM=critic, PYTEST_RAGAS_CACHE="off"
        )

    return run


@pytest.mark.parametrize(("workers", "limit"), [(2, 6), (4, 6), (2, 1), (4, 2)])
def test_the_limit_of_calls_is_the_runs(calls, openai_server, workers, limit):
    outcome = calls(f"-n{workers}", f"--ragas-concurrency={limit}")
    assert outcome.last == "36 passed", outcome.out
    assert len(openai_server.chats) == 36 * 3
    assert openai_server.peak == limit


def test_a_model_may_have_a_lower_limit_of_its_own(calls, openai_server):
    outcome = calls("-n2", "--ragas-concurrency=8", concurrency=3)
    assert outcome.last == "36 passed", outcome.out
    assert openai_server.peak <= 3
