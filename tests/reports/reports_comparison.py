"""A comparison to report on, made by hand."""

from __future__ import annotations

from pytest_ragas.values.comparison import Comparison, HardBreak, MetricChange, Pairing, ScorePair, UnscoredPair
from pytest_ragas.values.recorded import RecordedScore, RowKey

TEST = "tests/test_rag.py::test_rag"

QUESTIONS = {
    "annual-leave": "How many days of annual leave do employees have?",
    "expense-deadline": "Within how many days must an expense claim be filed?",
    "hotel-in-paris": "How much may a hotel room cost in Paris, London or Zurich, and who has to agree?",
}


def key(id: str) -> RowKey:
    return RowKey(test=TEST, sample_id=id)


def questions() -> dict[RowKey, str]:
    return {key(id): question for id, question in QUESTIONS.items()}


def pair_of(id: str, metric: str, before: float, after: float, *, higher_is_better: bool = True) -> ScorePair:
    return ScorePair(
        key=key(id),
        metric=metric,
        before=RecordedScore(metric=metric, value=before, higher_is_better=higher_is_better),
        after=RecordedScore(metric=metric, value=after, higher_is_better=higher_is_better),
        cluster=id,
    )


def change(metric: str, **values: object) -> MetricChange:
    given: dict = {
        "pairs": 14, "clusters": 14, "before": 0.9, "after": 0.9, "change": 0.0, "low": -0.03, "high": 0.04, "p": 0.5,
        "floor": 0.0, "detectable": 0.08, "failed": False, **values,
    }  # fmt: skip
    return MetricChange(metric=metric, **given)


def broken(id: str, metric: str, before: float, after: float, why: str = "fell", allowed: float = 0.3) -> HardBreak:
    return HardBreak(
        key=key(id),
        metric=metric,
        before=before,
        after=after,
        why=why,  # type: ignore[arg-type]
        allowed=allowed,
    )


def typical_comparison(**values: object) -> Comparison:
    """Four metrics: one fell, one rose, one fell by less than is allowed, one is as it was; three rows broke."""
    given: dict = {
        "baseline": "0007_main",
        "pairing": Pairing(
            pairs=tuple(pair_of(f"row-{number}", "faithfulness", 0.9, 0.9) for number in range(14)),
            added=(key("new-policy"), key("sabbatical")),
            edited=(key("meals"),),
            not_run=tuple(key(f"other-{number}") for number in range(12)),
            unscored=(UnscoredPair(key=key("flights"), metric="mrr", side="after", why="500"),),
        ),
        "changes": (
            change("faithfulness", before=0.95, after=0.61, change=-0.34, low=-0.5, high=-0.18, p=0.0004, failed=True),
            change("context_recall", before=0.8, after=0.91, change=0.11, low=0.02, high=0.2, p=0.98),
            change("mrr", pairs=13, clusters=13, change=-0.015, low=-0.02, high=-0.01, p=0.021, floor=0.02,
                   detectable=None),
            change("answer_relevancy", change=-0.0041),
        ),
        "slices": (
            change("faithfulness", pairs=4, before=0.96, after=0.31, change=-0.65, p=0.011, failed=True,
                   slice="tag=leave"),
        ),
        "breaks": (
            broken("annual-leave", "faithfulness", 1.0, 0.2),
            broken("annual-leave", "context_recall", 1.0, 0.5),
            broken("expense-deadline", "faithfulness", 0.82, 0.79, why="flipped"),
            broken("hotel-in-paris", "faithfulness", 1.0, 0.0),
        ),
        "notes": ("the baseline's run was stopped before its end",),
        **values,
    }  # fmt: skip
    return Comparison(**given)
