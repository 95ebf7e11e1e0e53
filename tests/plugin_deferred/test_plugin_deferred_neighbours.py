"""Other plugins of the ecosystem, with verdicts deferred."""

from __future__ import annotations

import pytest
from deferred_suites import copied

SUITE = "rows"


def test_waiting_for_scores_is_not_the_time_of_a_test(tmp_path):
    """The last test of the module waits for its critic's pending scores before the critic closes."""
    pytest.importorskip("pytest_timeout")
    suite = copied("edge", tmp_path)
    arguments = ["test_critic_of_a_module.py", "--timeout=1", "-c", "/dev/null", "--rootdir=."]
    outcome = suite.run(*arguments, plugins=("pytest_timeout",), SUITE_DELAY=0.8)
    assert outcome.last == "1 failed, 2 passed", outcome.out
    assert "Timeout" not in outcome.out


def test_what_comes_after_the_wait_is(tmp_path):
    pytest.importorskip("pytest_timeout")
    suite = copied("edge", tmp_path)
    (suite.folder / "test_slow.py").write_text(
        """
import time
import pytest
from test_critic_of_a_test import gate, ragas_critic_llm

@pytest.fixture
def slow(ragas_critic_llm):
    yield
    time.sleep(20)

@gate
def test_slow_teardown(ragas_sample, slow):
    return "0.9"
"""
    )
    arguments = ["test_slow.py", "--timeout=1", "-c", "/dev/null", "--rootdir=."]
    outcome = suite.run(*arguments, plugins=("pytest_timeout",), SUITE_DELAY=0.8)
    assert outcome.last == "1 passed, 1 error", outcome.out
    assert "Timeout" in outcome.out


def test_any_order(suite):
    pytest.importorskip("pytest_randomly")
    outcome = suite.run("--randomly-seed=3", plugins=("pytest_randomly",), LOW="05,13", BOOM="07")
    assert outcome.last == "2 failed, 29 passed, 1 error", outcome.out


def test_coverage(suite):
    pytest.importorskip("pytest_cov")
    outcome = suite.run("--cov=.", "--cov-report=term", plugins=("pytest_cov.plugin",), LOW="05,13")
    assert outcome.last == "2 failed, 30 passed", outcome.out
    assert "TOTAL" in outcome.out


@pytest.mark.parametrize(
    "arguments", [["-s"], ["--capture=sys"], ["-p", "no:logging"], ["-o", "log_cli=true"]], ids=" ".join
)
def test_capture_and_logging_as_one_likes(suite, arguments):
    outcome = suite.run(*arguments, "test_m0.py", LOW="05", BOOM="07")
    assert outcome.last == "1 failed, 6 passed, 1 error", outcome.out


def test_reruns_take_a_new_answer(suite):
    pytest.importorskip("pytest_rerunfailures")
    outcome = suite.run("--reruns=1", "test_m0.py", plugins=("pytest_rerunfailures",), FLAKY="03", LOW="05")
    assert outcome.last == "1 failed, 7 passed, 2 rerun", outcome.out
    # a score of the first attempt is not in the second one's report
    scores = {
        entry[1]: entry[7] for entry in outcome.stream if entry[0] == "report" and entry[2:4] == ["call", "passed"]
    }
    assert scores["test_m0.py::test_rag[q03]"] == [["ragas.quality", 0.9]]


def test_setup_show(suite):
    outcome = suite.run("--setup-show", "-k", "q00 or q01")
    assert outcome.last == "2 passed, 30 deselected", outcome.out
    assert "test_m0.py::test_rag[q00] (fixtures used: index" in outcome.out
    assert suite.run("--setup-only", "-k", "q00 or q01").ret == 0
