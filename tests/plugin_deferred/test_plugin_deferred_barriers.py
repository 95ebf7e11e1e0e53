"""A neighbour's patches do not reach what is scored in the background."""

from __future__ import annotations

import pytest

SUITE = "barrier"


@pytest.mark.parametrize("arguments", [[], ["-x"], ["--maxfail=3", "--ragas-concurrency=1"]], ids=" ".join)
def test_nothing_is_scored_while_a_test_patches_the_process(suite, arguments):
    outcome = suite.run("test_barriers.py", "test_wide.py", *arguments)
    assert outcome.last == "14 passed", outcome.out


def test_a_patch_that_nobody_knows_reaches_scoring(suite):
    """What barriers are for: without one the score is wrong."""
    outcome = suite.run("test_without.py")
    assert outcome.last == "1 failed, 1 passed", outcome.out


def test_a_patch_that_is_named_in_the_ini_does_not(suite):
    assert suite.run("test_without.py", "-o", "ragas_barrier_fixtures=unknown_patch").last == "2 passed"


def test_a_patched_test_that_waits_for_scores_gets_them(suite):
    assert suite.run("test_helper.py").last == "3 passed"


def test_barriers_under_xdist(suite):
    outcome = suite.run("test_barriers.py", "test_wide.py", "-n2", "--dist=loadfile")
    assert outcome.last == "14 passed", outcome.out
