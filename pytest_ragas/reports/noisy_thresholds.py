"""Thresholds that lie inside the critic's noise: the verdict on many rows is a matter of luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ragas.reports.numbers import against
from pytest_ragas.values.run import SampleResult

_MANY = 0.1
"""Share of the rows with repeats from which on a threshold is warned of."""

_LEAST = 2
"""Rows that there must be: one unsure row is no property of a threshold."""


def noise_warnings(results: Sequence[SampleResult]) -> Iterator[str]:
    """A line for each threshold that is closer to the score of many rows than their repeats are to each other.

    Args:
        results: Of a run; rows that were judged once say nothing.
    """
    held: dict[tuple[str, float], list[bool]] = {}
    for result in results:
        bounds = {threshold.metric: threshold.bound for threshold in result.thresholds}
        for score in result.scores:
            if score.metric in bounds and len(score.repeats) > 1:
                bound = bounds[score.metric]
                held.setdefault((score.metric, bound), []).append(abs(score.value - bound) < score.spread)
    for (metric, bound), inside in held.items():
        many = sum(inside)
        if many >= max(_LEAST, _MANY * len(inside)):
            yield (
                f"the threshold {against(bound, bound)[1]} of {metric} lies within the critic's own noise for "
                f"{many:,} of {len(inside):,} rows: their verdicts may differ from run to run; more repeats "
                "(--ragas-repeats) or a threshold farther from the scores make them sure"
            )
