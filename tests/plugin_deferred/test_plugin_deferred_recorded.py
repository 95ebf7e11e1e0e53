"""Answers that the testset holds are scored from the start of the run on, and none that is not needed."""

from __future__ import annotations

import pytest
from deferred_suites import Outcome

from pytest_ragas.plugin.deferral.recorded_ahead import is_empty

SUITE = "recorded"


def scored(outcome: Outcome) -> list[str]:
    return sorted((outcome.folder / "scored.txt").read_text().splitlines())


def test_recorded_answers_are_scored_from_the_start(suite):
    outcome = suite.run("test_first.py")
    assert outcome.last == "1 failed, 3 passed", outcome.out
    assert scored(outcome) == ["LOW", "a", "live", "z"]
    started = [entry[1] for entry in outcome.stream if entry[0] == "start"]
    assert started[0] == "test_first.py::test_live", "verdicts come in the order of the run all the same"


def test_those_of_a_critic_of_the_suites_own_follow_its_first_test(suite):
    outcome = suite.run("test_own.py")
    assert outcome.last == "3 passed", outcome.out
    assert scored(outcome) == ["live", "own a", "own z"]


def test_no_answer_is_scored_that_is_not_needed(suite):
    outcome = suite.run("test_unsure.py", "--deselect=test_unsure.py::test_deselected[deselected]")
    assert outcome.last == "1 failed, 2 passed, 1 skipped, 1 deselected, 1 xfailed", outcome.out
    assert scored(outcome) == ["anew", "anew"]


def test_a_run_that_may_stop_early_is_not_ahead(suite):
    outcome = suite.run("test_first.py", "-x", "-k", "not live", "--ragas-concurrency=1")
    assert outcome.last == "1 failed, 1 passed, 1 deselected", outcome.out
    assert suite.run("test_many.py", "-x", "--ragas-concurrency=1").last == "1 failed"
    assert "j" not in scored(outcome), "eleven answers, of which the first stops the run"


def _empty(row):
    pass


def _dots(row): ...


def _docstring(row):
    """Only words."""


def _returns_none(row):
    return None


def _returns(row):
    return "answer"


def _asserts(row):
    assert row


async def _awaits(row):
    pass


@pytest.mark.parametrize(
    ("function", "empty"),
    [
        (_empty, True),
        (_dots, True),
        (_docstring, True),
        (_returns_none, True),
        (_returns, False),
        (_asserts, False),
        (_awaits, False),
        (lambda row: row, False),
    ],
)
def test_an_empty_body_is_known(function, empty):
    assert is_empty(function.__code__) is empty
