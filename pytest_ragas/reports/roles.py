"""What each metric says of a RAG: of its retrieval, or of its generation; and whether its score is low."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.score import Score

Role = Literal["recall", "order", "topic", "grounded", "misled", "answers", "correct"]
"""recall: the contexts hold the answer. order: useful contexts come first. topic: the contexts are about the question.
grounded: the response keeps to the contexts. misled: it follows wrong contexts. answers: it answers what was asked.
correct: it says what the reference says."""

ROLES: Mapping[str, Role] = {
    "context_recall": "recall",
    "context_entity_recall": "recall",
    "text_context_recall": "recall",
    "id_context_recall": "recall",
    "hit_rate": "recall",
    "context_precision": "order",
    "id_context_precision": "order",
    "mrr": "order",
    "context_relevancy": "topic",
    "faithfulness": "grounded",
    "response_groundedness": "grounded",
    "noise_sensitivity": "misled",
    "answer_relevancy": "answers",
    "answer_correctness": "correct",
    "factual_correctness": "correct",
    "answer_accuracy": "correct",
    "answer_similarity": "correct",
    "exact_match": "correct",
    "rouge_l": "correct",
}
"""By the name without its backend. context_precision_without_reference is not here: it judges contexts by the response,
so that a wrong response makes good contexts look useless."""

LOW, FINE = 0.5, 0.75
"""Bounds for a metric without a threshold: below the first it is low, from the second on it is fine, and between
them it says nothing. They only sort the evidence on a row that failed for another reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Readings:
    """The scores of a row by what they say."""

    broken: tuple[Score, ...]
    """What is to be explained: scores that broke their threshold, or fell."""
    low: Mapping[Role, tuple[Score, ...]]
    """The low scores of each role; those that are to be explained first."""
    fine: Collection[Role]
    """Roles with a score that is fine, and none that is low."""
    present: Collection[Role]
    """Roles with any score."""

    def worst(self, role: Role) -> Score | None:
        """The score that speaks for a role that is low; None where it is not."""
        return next(iter(self.low.get(role, ())), None)

    @property
    def asked(self) -> frozenset[Role]:
        """The roles of what is to be explained."""
        return frozenset(role for score in self.broken if (role := role_of(score.metric)))


def role_of(metric: str) -> Role | None:
    """What a metric says, whichever backend computes it; None for one that is not known here."""
    return ROLES.get(metric.rpartition(":")[2])


def read(scores: Sequence[Score], thresholds: Iterable[Threshold], *, fell: Collection[str] = ()) -> Readings:
    """Sort the scores of a row.

    Args:
        scores: Of the row.
        thresholds: What the row is held to.
        fell: Metrics that are to be explained, whatever their threshold says: those that fell since a baseline.
    """
    bounds = {threshold.metric: threshold for threshold in thresholds}
    broken, fine, present = [], set(), set()
    low: dict[Role, list[Score]] = {}
    for score in scores:
        bound = bounds.get(score.metric)
        is_broken = score.metric in fell or not (
            bound is None or bound.holds(score.value, higher_is_better=score.higher_is_better)
        )
        if is_broken:
            broken.append(score)
        if (role := role_of(score.metric)) is None:
            continue
        present.add(role)
        goodness = score.value if score.higher_is_better else 1 - score.value
        if is_broken or (bound is None and goodness < LOW):
            low.setdefault(role, []).insert(0 if is_broken else len(low.get(role, ())), score)
        elif bound is not None or goodness >= FINE:
            fine.add(role)
    return Readings(
        broken=tuple(broken),
        low={role: tuple(found) for role, found in low.items()},
        fine=frozenset(fine - low.keys()),
        present=frozenset(present),
    )
