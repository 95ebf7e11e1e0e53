"""Ctrl-C and `pytest.exit()`: finished verdicts are reported, the others are listed, nothing hangs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest
from deferred_suites import Outcome

SUITE = "rows"


def listed(outcome: Outcome) -> set[str]:
    return set(re.findall(r"^no verdict: (\S+)", outcome.out, re.MULTILINE))


def reported(outcome: Outcome) -> set[str]:
    return {str(entry[1]) for entry in outcome.stream if entry[0] == "finish"}


def finished(*tests: str) -> Callable[[list[str]], bool]:
    """Whether all of these tests were reported."""
    return lambda stream: all(any(line.startswith('["finish"') and name in line for line in stream) for name in tests)


def test_ctrl_c_in_the_last_wait(suite):
    """Row 04 is never scored: behind it, 27 tests have verdicts, and one has not."""

    def in_the_wait(stream: list[str]) -> bool:
        scored = (suite.folder / "events.txt").read_text().count("scored ") if stream else 0
        return scored == 28 and finished("q03", "test_last")(stream)

    outcome = suite.run("--junitxml=junit.xml", STUCK="04,20", interrupt=in_the_wait)
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    assert "test_m0.py::test_rag[q04]" in listed(outcome)
    assert "test_m2.py::test_rag[q20]" in listed(outcome)
    assert len(listed(outcome)) + len(reported(outcome)) == 32
    assert listed(outcome) & reported(outcome) == set()
    assert len(reported(outcome)) >= 25
    cases = [*ElementTree.parse(outcome.folder / "junit.xml").iter("testcase")]
    assert len(cases) == len(reported(outcome))
    for word in ("Traceback", "was destroyed", "loop is closed", "INTERNALERROR"):
        assert word not in outcome.out


def test_ctrl_c_in_a_body(suite):
    outcome = suite.run(SLOW="03,04,05,06,07,10,11,12", SUITE_DELAY=0.1, interrupt=finished("q00"))
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    assert len(reported(outcome)) >= 1
    # the test in whose body it was has no verdict either, but nothing of it was handed over
    assert listed(outcome) & reported(outcome) == set()
    assert "INTERNALERROR" not in outcome.out


def test_exit_with_a_code_of_its_own(suite):
    outcome = suite.run(EXIT="12", SUITE_DELAY=0.01)
    assert outcome.ret == 9
    assert "INTERNALERROR" not in outcome.out
    assert len(reported(outcome)) <= 10


def test_the_next_run_remembers_only_what_was_reported(suite):
    first = suite.run(STUCK="04", LOW="02", interrupt=finished("q03"))
    assert first.ret == pytest.ExitCode.INTERRUPTED
    assert suite.run("--lf").last == "1 passed"
