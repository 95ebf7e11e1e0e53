"""The threshold that tells good rows from bad ones best, and how far it is to be trusted."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_ragas.statistics.agreement import decisions

DRAWS = 1_000
"""Resamples; Efron and Tibshirani 1993, 14.3, for percentiles at 95 %."""

_STEPS = 2_000_000
"""Rows times resamples at most: very many rows take fewer resamples, and need fewer."""


@dataclass(frozen=True, slots=True)
class CutPoint:
    """A threshold and what is known of it."""

    threshold: float
    low: float
    """Lower end of its 95 % bootstrap interval; never of zero width, as a gap between two scores has room."""
    high: float
    elsewhere: float | None
    """Mean balanced accuracy on the rows that a resample left out, at the threshold that it chose."""


def cut_point(values: Sequence[float], good: Sequence[bool], *, draws: int = DRAWS, seed: int = 0) -> CutPoint | None:
    """The threshold with the highest Youden's J, which is that with the highest balanced accuracy.

    Args:
        values: Scores in [0, 1], higher is better.
        good: What people say of each.
        draws: Resamples for interval and outlook.
        seed: Of the resamples.

    Returns:
        None where all rows are good or bad, or no threshold does better than chance.

    Source:
        W. Youden, Cancer 3 (1950), 32-35. The outlook on other rows is the leave-one-out bootstrap of B. Efron,
        JASA 78 (1983), 316-331: what was chosen on the rows that were drawn is tried on those that were not.
    """
    gap = _best_gap(values, good)
    if gap is None:
        return None
    threshold = _between(*gap)
    lower, upper, outlook = [gap[0]], [gap[1]], []
    size = len(values)
    for counts in _draws(good, min(draws, max(200, _STEPS // size)), seed):
        drawn = _best_gap(values, good, counts)
        if drawn is None:
            continue
        lower.append(drawn[0])
        upper.append(drawn[1])
        rest = [index for index in range(size) if not counts[index]]
        table = decisions([values[index] for index in rest], [good[index] for index in rest], _between(*drawn))
        goods, bads = table.good_held + table.good_broken, table.bad_held + table.bad_broken
        if goods and bads:
            outlook.append((table.good_held / goods + table.bad_broken / bads) / 2)
    cut = round(0.025 * len(lower))
    return CutPoint(
        threshold=threshold,
        low=min(threshold, sorted(lower)[cut]),
        high=max(threshold, sorted(upper)[-1 - cut]),
        elsewhere=sum(outlook) / len(outlook) if outlook else None,
    )


def best_threshold(
    values: Sequence[float], good: Sequence[bool], weights: Sequence[float] | None = None
) -> float | None:
    """The threshold with the highest Youden's J; None where none does better than chance.

    It lies in the middle between the two scores that it parts, of several equally good ones in the widest gap.

    Args:
        values: Scores, higher is better.
        good: What people say of each.
        weights: How often each row counts; once, if not given.
    """
    gap = _best_gap(values, good, weights)
    return None if gap is None else _between(*gap)


def _best_gap(
    values: Sequence[float], good: Sequence[bool], weights: Sequence[float] | None = None
) -> tuple[float, float] | None:
    """The two neighbouring scores that the best threshold parts: above the first, and not above the second."""
    counts = weights or [1.0] * len(values)
    groups: dict[float, list[float]] = {}
    for value, is_good, weight in zip(values, good, counts, strict=True):
        if weight:
            groups.setdefault(value, [0.0, 0.0])[is_good] += weight
    bads = sum(group[False] for group in groups.values())
    goods = sum(group[True] for group in groups.values())
    if not goods or not bads:
        return None
    best, gap = 0.0, (0.0, 0.0)
    bad_below = good_below = 0.0
    for lower, upper in pairwise(sorted(groups)):
        bad_below, good_below = bad_below + groups[lower][False], good_below + groups[lower][True]
        youden = bad_below / bads - good_below / goods
        if youden > best + 1e-12 or (youden > best - 1e-12 and best and upper - lower > gap[1] - gap[0]):
            best, gap = max(best, youden), (lower, upper)
    return gap if best > 1e-12 else None


def _between(lower: float, upper: float) -> float:
    """A short number above the one and not above the other, close to their middle."""
    for digits in range(2, 8):
        middle = round((lower + upper) / 2, digits)
        if lower < middle <= upper:
            return middle
    return upper


def _draws(good: Sequence[bool], draws: int, seed: int) -> Iterator[list[float]]:
    """How often each row is drawn, with replacement; both kinds are always there."""
    rng = random.Random(seed)
    kinds = [[index for index, is_good in enumerate(good) if is_good == kind] for kind in (True, False)]
    for _ in range(draws):
        counts = [0.0] * len(good)
        for kind in kinds:
            for index in rng.choices(kind, k=len(kind)):
                counts[index] += 1
        yield counts
