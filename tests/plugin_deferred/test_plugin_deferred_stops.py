"""`-x`, `--maxfail`, `--lf`, `--ff`: what is reported is what a blocking run reports."""

from __future__ import annotations

import inspect

import pytest
from _pytest.runner import runtestprotocol
from deferred_suites import Outcome

SUITE = "rows"


def reported(outcome: Outcome) -> list[object]:
    """Every report as it came, block by block in the order of the run."""
    return [entry[1:5] for entry in outcome.stream if entry[0] == "report"]


def events(outcome: Outcome) -> list[str]:
    file = outcome.folder / "events.txt"
    lines = file.read_text().splitlines()
    file.unlink()
    return lines


STOPS = [
    pytest.param(["-x"], {"LOW": "05,13"}, id="a threshold"),
    pytest.param(["--maxfail=2"], {"LOW": "05,13,14"}, id="the second threshold"),
    pytest.param(["-x"], {"BOOM": "03"}, id="an error"),
    pytest.param(["-x"], {"LOW": "12", "BROKEN": "04"}, id="a body, before a threshold"),
    pytest.param(["-x"], {"LOW": "04", "BROKEN": "05", "SKIPPED": "03"}, id="a threshold, before a body"),
    pytest.param(["-x", "test_m3.py"], {"LOW": "32"}, id="the last marked test before a plain one"),
    pytest.param(["-x", "test_m3.py"], {"PLAIN": 1, "LOW": "40"}, id="a plain test before a threshold"),
    pytest.param(["--maxfail=2", "test_m3.py"], {"PLAIN": 1, "LOW": "41"}, id="a threshold after a plain test"),
    pytest.param(["-x", "test_m3.py"], {"LOW": "42"}, id="the last threshold"),
    pytest.param(["-x"], {"BAD_STORE": "test_m1"}, id="a teardown of a module"),
]


@pytest.mark.parametrize(("arguments", "variables"), STOPS)
def test_a_stopped_run_reports_the_same_tests_in_the_same_order(suite, arguments, variables):
    blocking = suite.run("--ragas-scoring=blocking", *arguments, **variables)
    events(blocking)
    deferred = suite.run(*arguments, **variables)
    assert reported(deferred) == reported(blocking)
    assert (deferred.ret, deferred.last) == (blocking.ret, blocking.last)
    log = events(deferred)
    for scope in ("session", "module"):
        up, down = (sum(line.startswith(f"{scope} {word}") for line in log) for word in ("up", "down"))
        assert up == down, "the fixtures of a test that was ahead are torn down too"


@pytest.mark.skipif(
    "shouldfail" not in inspect.getsource(runtestprotocol), reason="this pytest tears nothing down where it stops"
)
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        pytest.param([], {"LOW": "05", "BAD_STORE": "test_m0"}, id="of a test that was ahead"),
        pytest.param(["test_m3.py"], {"LOW": "32", "BAD_STORE": "test_m3"}, id="before a plain test"),
        pytest.param(["test_m3.py"], {"LOW": "42", "BAD_STORE": "test_m3"}, id="at the end"),
        # the verdict comes in a teardown: it must not stop the run before the next one, which closes the store
        pytest.param(
            [],
            {"LOW": "03", "LINGER": "04", "LINGER_FOR": "03", "SUITE_DELAY": 0.3, "BAD_STORE": "test_m0"},
            id="behind a teardown",
        ),
        pytest.param(["--ragas-concurrency=1"], {"LOW": "03", "BAD_STORE": "test_m0"}, id="nearby"),
    ],
)
def test_what_goes_wrong_when_a_stop_tears_fixtures_down_is_an_error(suite, arguments, variables):
    blocking = suite.run("-x", "--ragas-scoring=blocking", *arguments, **variables)
    assert blocking.last.endswith("1 error")
    events(blocking)
    deferred = suite.run("-x", *arguments, **variables)
    assert (deferred.ret, deferred.last) == (blocking.ret, blocking.last), deferred.out
    assert "the store did not close" in deferred.out


def test_the_run_is_ahead_of_its_verdicts_by_a_bounded_number_of_tests(suite):
    outcome = suite.run("-x", "--ragas-concurrency=2", LOW="00", SUITE_DELAY=0.3)
    assert outcome.last == "1 failed"
    bodies = [line for line in events(outcome) if line.startswith("body")]
    assert 2 <= len(bodies) <= 4


FEW = """

import pytest_ragas.plugin.deferral.deferred as deferred
deferred._MOST = 2


def pytest_runtest_logfinish():
    note("reported")
"""


def test_blocks_that_are_held_are_bounded_in_any_run(suite):
    """Each keeps the fixture values of its test alive."""
    conftest = suite.folder / "conftest.py"
    conftest.write_text(conftest.read_text(encoding="utf-8") + FEW, encoding="utf-8")
    outcome = suite.run("--ragas-concurrency=1", SUITE_DELAY=0.1)
    assert outcome.last == "32 passed"
    held = most = 0
    for line in events(outcome):
        held += line.startswith("body") - line.startswith("reported")
        most = max(most, held)
    assert most == 5, "four, and the one that has just run"


def test_a_stop_says_how_many_tests_were_ahead(suite):
    outcome = suite.run("-x", "--ragas-concurrency=2", LOW="00", SUITE_DELAY=0.3)
    assert "ahead of the one that stopped the run, and not scored" in outcome.out
    assert "no verdict" not in outcome.out


def test_verdicts_that_come_late_are_remembered_for_the_next_run(suite):
    first = suite.run(LOW="05,13", BOOM="07")
    assert first.last == "2 failed, 29 passed, 1 error"
    again = suite.run("--lf", LOW="05,13")
    assert again.last == "2 failed, 1 passed"
    assert suite.run("--lf", LOW="13").last == "1 failed, 1 passed"
    first_failed = suite.run("--ff", LOW="20")
    assert first_failed.last == "1 failed, 31 passed"
    started = [entry[1] for entry in first_failed.stream if entry[0] == "start" and "[q" in str(entry[1])]
    assert started[0] == "test_m1.py::test_rag[q13]"


def test_tests_that_were_ahead_of_a_stop_keep_their_last_outcome(suite):
    """Of two that failed, the first fails again and stops the run: the second one still counts as failed."""
    suite.run(LOW="05,06")
    assert suite.run("--lf", "-x", LOW="05").last == "1 failed"
    assert suite.run("--lf").last == "2 passed"
