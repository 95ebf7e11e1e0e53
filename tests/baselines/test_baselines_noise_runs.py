"""A critic that only adds noise: 100 seeded pairs of runs of the same answers, compared as pytest compares them."""

from __future__ import annotations

import random

import pytest
from comparison_made import metric, recorded, row

from pytest_ragas.baselines.compare import compare
from pytest_ragas.values.comparison import Comparison
from pytest_ragas.values.comparison_rules import ComparisonRules
from pytest_ragas.values.recorded import RecordedRun, RecordedScore

METRICS = ("faithfulness", "context_recall", "answer_correctness", "context_precision")
DOCUMENTS = ("leave.md", "expenses.md", "travel.md", "security.md", "remote.md", "learning.md")


def judged(seed: int, *, rows: int, repeats: int, share: float = 0.9, worse: float = 0.0) -> RecordedRun:
    """A run whose rows have two to five statements each, of which most are true, judged by a critic that errs in one
    verdict of ten. `worse` is the share of rows whose answers hold nothing any more."""
    truths, dice = random.Random(7), random.Random(seed)
    made = []
    for number in range(rows):
        scores = {}
        for name in METRICS:
            true = [truths.random() < share for _ in range(truths.randint(2, 5))]
            if number < worse * rows:
                true = [False] * len(true)
            judgements = tuple(sum(value ^ (dice.random() < 0.1) for value in true) / len(true) for _ in range(repeats))
            scores[name] = RecordedScore(
                metric=name,
                value=sum(judgements) / repeats,
                repeats=judgements if repeats > 1 else (),
            )
        bounds = dict.fromkeys(METRICS, 0.6)
        tags = ("money",) if number % 3 else ("travel",)
        # answers that say the same in other words: rows may break
        made.append(
            row(f"q{number}", scores, answer=str(seed), thresholds=bounds, tags=tags, sources=(DOCUMENTS[number % 6],))
        )
    return recorded(*made, metrics=[metric(name) for name in METRICS])


def outcome(before: RecordedRun, after: RecordedRun) -> Comparison:
    result = compare(before, after, ComparisonRules(), name="main", file="main.json")
    assert isinstance(result, Comparison)
    return result


@pytest.mark.parametrize(("rows", "repeats"), [(14, 1), (14, 3), (50, 3)])
def test_noise_alone_is_green_in_at_least_95_of_100_runs(rows, repeats):
    red = [
        seed
        for seed in range(100)
        if outcome(
            judged(2 * seed, rows=rows, repeats=repeats), judged(2 * seed + 1, rows=rows, repeats=repeats)
        ).failed
    ]
    assert len(red) <= 5, red


def test_a_quarter_of_the_answers_gone_wrong_is_red_every_time():
    for seed in range(20):
        before, after = judged(2 * seed, rows=50, repeats=1), judged(2 * seed + 1, rows=50, repeats=1, worse=0.25)
        assert any(change.failed for change in outcome(before, after).changes)
