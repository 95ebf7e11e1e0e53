"""`RepeatedMetric`: the same answer is judged several times, because a critic LLM does not always say the same."""

from __future__ import annotations

import asyncio
import contextlib
import math
import statistics
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pytest_ragas.protocols import Metric
from pytest_ragas.scoring.calls import current_repeat
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

Interval = Callable[[Sequence[float], float], "tuple[float, float] | None"]
"""Where the mean lies that values like these come from, at a confidence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeats:
    """How often a row is judged, and what becomes of its scores."""

    times: int
    """Most repeats of one row, at least 1."""
    by: Literal["mean", "median"] = "mean"
    """What of the repeats is the score."""
    confidence: float = 0.95
    """In (0, 1]: a row whose verdict is decided at this confidence is not judged again. 1: only where what is left
    cannot change it."""

    def value(self, values: Sequence[float]) -> float:
        """The score of some repeats, at least one."""
        if self.by == "median":
            return statistics.median(values)
        # 0.7, 0.7, 0.7 must not come out as 0.6999999999999998, and fail a threshold of 0.7
        return min(max(values), max(min(values), math.fsum(values) / len(values)))


def is_decided(
    values: Sequence[float],
    repeats: Repeats,
    threshold: Threshold,
    *,
    interval: Interval,
    higher_is_better: bool = True,
) -> bool:
    """Whether further repeats need not be made.

    - None are left, or whatever they say leaves the verdict as it is.
    - By the mean: the threshold lies outside the interval of the critic's mean. Every look is a chance to err, so each
      of the `times - 2` looks at an unfinished row takes an equal part of `1 - confidence`.

    Args:
        values: Of the repeats so far, in [0, 1].
        repeats: How many there may be.
        threshold: What the score is held to.
        interval: Of a mean.
        higher_is_better: Of the metric.

    Source:
        Curtailed sampling: A. Wald, Sequential Analysis, 1947. That looks add up: Armitage, McPherson, Rowe, Repeated
        Significance Tests on Accumulating Data, JRSS A 132(2), 1969; we take Bonferroni's bound, which holds whatever
        the scores are distributed like.
    """
    left = repeats.times - len(values)
    if left <= 0:
        return True
    if not values:
        return False
    worst, best = (repeats.value([*values, *[end] * left]) for end in (0.0, 1.0))
    if threshold.holds(worst, higher_is_better=higher_is_better) == threshold.holds(
        best, higher_is_better=higher_is_better
    ):
        return True
    looks = repeats.times - 2
    if repeats.by != "mean" or repeats.confidence >= 1 or len(values) < 2 or looks < 1:
        return False
    found = interval(values, 1 - (1 - repeats.confidence) / looks)
    return found is not None and not found[0] <= threshold.bound <= found[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class RepeatedMetric:
    """Satisfies `Metric`: judges a sample up to so many times, each a judgement of its own in the store."""

    metric: Metric
    """What judges once."""
    repeats: Repeats
    threshold: Threshold | None
    """What the score is held to; None: every repeat is made."""
    interval: Interval
    """Of a mean, for `is_decided`."""
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        """The metric's own."""
        return self.metric.name

    async def score(self, sample: Sample) -> Score:
        """The mean or median of the repeats, with the evidence of the one that is nearest to it.

        Raises:
            PytestRagasError: A repeat gave no score. Fewer repeats than were asked for are no score either; those that
                were made are stored.
        """
        scores: list[Score] = []
        while wave := self._next(scores):
            scores += await _together([self._once(sample, len(scores) + number) for number in range(wave)])
        return self._combined(scores)

    def stored(self, sample: Sample) -> Score | None:
        """The score, if every repeat that it takes is stored and at hand."""
        look: Callable[[Sample], Score | None] | None = getattr(self.metric, "stored", None)
        if look is None:
            return None
        scores: list[Score] = []
        while wave := self._next(scores):
            for _ in range(wave):
                with _repeat(len(scores)):
                    score = look(sample)
                if score is None:
                    return None
                scores.append(score)
        return self._combined(scores)

    def _next(self, scores: Sequence[Score]) -> int:
        """How many repeats are to be made now: all, or two and then one at a time where that may be enough."""
        times = self.repeats.times
        if self.threshold is None:
            return times - len(scores)
        values = [score.value for score in scores]
        better = self.higher_is_better
        if is_decided(values, self.repeats, self.threshold, interval=self.interval, higher_is_better=better):
            return 0
        return 1 if scores else min(2, times)

    async def _once(self, sample: Sample, number: int) -> Score:
        with _repeat(number):
            return await self.metric.score(sample)

    def _combined(self, scores: Sequence[Score]) -> Score:
        values = tuple(score.value for score in scores)
        value = self.repeats.value(values)
        nearest = min(scores, key=lambda score: abs(score.value - value))
        score = replace(nearest, value=value, repeats=values)
        of = "" if len(values) == self.repeats.times else f" of up to {self.repeats.times}"
        said = f"{self.repeats.by} of {len(values)}{of} repeats, {min(values):.2f} to {max(values):.2f}"
        said += f", standard deviation {score.spread:.2f}"
        return replace(score, reason=f"{said}; {nearest.reason}" if nearest.reason else said)


async def _together(repeats: Sequence[Coroutine[Any, Any, Score]]) -> list[Score]:
    """All of them at once. If one fails the others are cancelled: they would be paid for in vain."""
    tasks = [asyncio.ensure_future(repeat) for repeat in repeats]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


@contextlib.contextmanager
def _repeat(number: int) -> Iterator[None]:
    token = current_repeat.set(number)
    try:
        yield
    finally:
        current_repeat.reset(token)
