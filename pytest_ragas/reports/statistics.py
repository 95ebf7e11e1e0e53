"""What a run says of each metric: how many scores, how good, how many too low, how many missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.score import Score

Interval = Callable[[Sequence[float]], "tuple[float, float] | None"]
"""The 95 % interval of the mean of some scores; None where there is none to give."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSummary:
    """One metric over some results."""

    metric: str
    values: tuple[float, ...]
    """Every score, in the order of the run."""
    interval: tuple[float, float] | None
    """Of the mean, at 95 %; None where too few scores say nothing."""
    thresholds: tuple[Threshold, ...]
    """The distinct bounds that samples were held to."""
    below: int
    """Scores that broke their threshold."""
    unscored: int
    """Samples without a score."""
    higher_is_better: bool
    spread: float | None = None
    """The mean standard deviation of a row's repeats; None where no row was judged several times."""

    @property
    def mean(self) -> float | None:
        """Of the scores; None without any."""
        return sum(self.values) / len(self.values) if self.values else None

    @property
    def worst(self) -> float | None:
        """The least of the scores, or the greatest where that is worse; None without any."""
        if not self.values:
            return None
        return min(self.values) if self.higher_is_better else max(self.values)


def summarise(results: Sequence[SampleResult], *, interval: Interval) -> tuple[MetricSummary, ...]:
    """Each metric of some results, in order of first appearance.

    Args:
        results: Of a run, or of a part of it.
        interval: Gives the 95 % interval of the mean of at least one score.
    """
    collected: dict[str, _Collected] = {}
    for result in results:
        bounds = {threshold.metric: threshold for threshold in result.thresholds}
        for score in result.scores:
            collected.setdefault(score.metric, _Collected()).add(score, bounds.get(score.metric))
        for failure in result.failures:
            collected.setdefault(failure.metric, _Collected()).unscored += 1
    return tuple(entry.summary(metric, interval) for metric, entry in collected.items())


class _Collected:
    def __init__(self) -> None:
        self.values: list[float] = []
        self.thresholds: dict[Threshold, None] = {}
        self.below = self.unscored = 0
        self.higher_is_better = True
        self.spreads: list[float] = []

    def add(self, score: Score, threshold: Threshold | None) -> None:
        self.values.append(score.value)
        self.higher_is_better = score.higher_is_better
        if len(score.repeats) > 1:
            self.spreads.append(score.spread)
        if threshold is not None:
            self.thresholds.setdefault(threshold)
            self.below += not threshold.holds(score.value, higher_is_better=score.higher_is_better)

    def summary(self, metric: str, interval: Interval) -> MetricSummary:
        return MetricSummary(
            metric=metric,
            values=tuple(self.values),
            interval=interval(self.values) if self.values else None,
            thresholds=tuple(self.thresholds),
            below=self.below,
            unscored=self.unscored,
            higher_is_better=self.higher_is_better,
            spread=sum(self.spreads) / len(self.spreads) if self.spreads else None,
        )
