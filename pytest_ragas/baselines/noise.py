"""What the critic's own noise does to the pairs of one metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.statistics.spread import Spread, pooled_spread
from pytest_ragas.values.comparison import ScorePair

_EQUAL = 1e-6
"""Scores this close are the same judgement: embeddings over HTTP differ in the last digits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricNoise:
    """The critic's noise in one metric."""

    spread: Spread | None
    """Of one judgement; None where nothing tells."""
    trusted: bool
    """Whether the spread is more than a measurement on these rows: the metric always says the same of the same answer,
    or the rules say what its spread is."""

    def of_mean(self, pairs: Sequence[ScorePair]) -> float:
        """The standard deviation of the mean change by noise alone; 0 where nothing tells."""
        value = self.spread.value if self.spread else 0.0
        return value * math.sqrt(math.fsum(map(_share, pairs))) / len(pairs)

    def of_row(self, pair: ScorePair) -> float:
        """The standard deviation of a row's change by noise: from its own repeats where it has some."""
        own = pooled_spread((pair.before.repeats, pair.after.repeats)) or self.spread
        return own.value * math.sqrt(_share(pair)) if own else 0.0


def metric_noise(pairs: Sequence[ScorePair], *, steady: bool, known: float | None) -> MetricNoise:
    """The noise of one metric.

    Args:
        pairs: Of the metric.
        steady: Whether it is said to give the same score to the same answer, always: no LLM judges it. That is believed
            unless the pairs show otherwise.
        known: Its spread by the rules, for runs without repeats.
    """
    measured = pooled_spread(repeats for pair in pairs for repeats in (pair.before.repeats, pair.after.repeats))
    if measured is not None:
        return MetricNoise(spread=measured, trusted=False)
    if steady and not any(pair.same_answer and abs(pair.change) > _EQUAL for pair in pairs):
        return MetricNoise(spread=Spread(0.0, 0), trusted=True)
    if known is not None:
        return MetricNoise(spread=Spread(known, 0), trusted=True)
    return MetricNoise(spread=None, trusted=False)


def judgements(pair: ScorePair) -> tuple[int, int]:
    """How often the row was judged in the baseline and now."""
    return max(1, len(pair.before.repeats)), max(1, len(pair.after.repeats))


def _share(pair: ScorePair) -> float:
    before, after = judgements(pair)
    return 1 / before + 1 / after
