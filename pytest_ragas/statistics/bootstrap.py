"""The bias-corrected and accelerated bootstrap of a mean change: its interval, and how likely a drop is chance."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.statistics.approximate_bootstrap import approximate_bootstrap
from pytest_ragas.statistics.clusters import Clusters
from pytest_ragas.statistics.normal import normal_below, normal_quantile

DRAWS = 4_000
"""Resamples. Efron and Tibshirani 1993, section 14.3, ask for at least 1,000 for BCa; with 4,000 a p of 0.03 is known
to 0.0027."""

MOST_RESAMPLED = 100
"""Clusters up to here are resampled; with more of them the closed form (`approximate_bootstrap`) differs from it by
less than resampling differs from itself."""


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What the bootstrap says about a mean change."""

    p: float
    """One-sided, in (0, 1]: how likely a drop like this is where nothing got worse."""
    low: float
    """Lower end of the two-sided interval of the mean."""
    high: float
    resamples: int
    """0 where the closed form was taken."""


def bootstrap(clusters: Clusters, *, confidence: float = 0.95, seed: int = 0, draw: bool = True) -> Bootstrapped:
    """Test a mean change against 0 from below, and give its interval.

    Clusters are drawn with replacement, each with all of its rows. p is the smallest alpha whose one-sided upper
    BCa bound is still below 0.

    Args:
        clusters: Of the changes.
        confidence: Of the two-sided interval, in (0, 1).
        seed: Same seed, same numbers.
        draw: Whether to resample up to `MOST_RESAMPLED` clusters; else the closed form is taken, which also knows p
            below 1/4,000.

    Returns:
        p and interval. Where all clusters have the same mean there is nothing to draw: the interval has no width, and
        p is 0 below 0, else 1; the permutation test knows how many rows that rests on.

    Source:
        B. Efron, Better Bootstrap Confidence Intervals, JASA 82(397), 1987, with the jackknife's acceleration and
        ties halved in the bias correction, as scipy does. Clusters: A. C. Davison, D. V. Hinkley, Bootstrap Methods
        and their Application, 1997, section 3.8.
    """
    mean = clusters.mean
    if _without_spread(clusters):
        return Bootstrapped(0.0 if mean < 0 else 1.0, mean, mean, 0)
    closed = approximate_bootstrap(clusters, confidence=confidence)
    if not draw or len(clusters.sums) > MOST_RESAMPLED:
        return Bootstrapped(*closed, 0)
    means = resampled_means(clusters, draws=DRAWS, seed=seed)
    bias = normal_quantile(_share_below(means, mean))
    if not math.isfinite(bias):
        return Bootstrapped(*closed, 0)
    acceleration = _acceleration(clusters)

    def bound(level: float) -> float:
        step = bias + normal_quantile(level)
        at = normal_below(bias + step / (1 - acceleration * step))
        return means[min(len(means) - 1, max(0, math.ceil(at * len(means)) - 1))]

    tail = (1 - confidence) / 2
    return Bootstrapped(
        _p(_share_below(means, 0.0), bias, acceleration, len(means)), bound(tail), bound(1 - tail), len(means)
    )


def resampled_means(clusters: Clusters, *, draws: int, seed: int) -> list[float]:
    """Means of resampled clusters, sorted."""
    choose = random.Random(seed).choices
    count = len(clusters.sums)
    if clusters.even:
        rows = sum(clusters.sizes)
        return sorted(sum(choose(clusters.sums, k=count)) / rows for _ in range(draws))
    pairs = list(zip(clusters.sums, clusters.sizes, strict=True))
    means = []
    for _ in range(draws):
        drawn = choose(pairs, k=count)
        means.append(sum(total for total, _ in drawn) / sum(size for _, size in drawn))
    return sorted(means)


def _p(share: float, bias: float, acceleration: float, draws: int) -> float:
    """The level at which the upper bound reaches 0, from the share of resampled means below it."""
    # every bound is one of the resampled means: where all of them lie on one side of 0, so does each bound
    if share in (0.0, 1.0):
        return 1.0 if share == 0.0 else 1 / (draws + 1)
    step = normal_quantile(share) - bias
    z = step / (1 + acceleration * step) - bias if 1 + acceleration * step > 0 else math.copysign(math.inf, step)
    return max(1 / (draws + 1), normal_below(-z))


def _share_below(ordered: Sequence[float], value: float) -> float:
    """Share of values below this one, equal ones (up to rounding) by half."""
    near = 1e-12
    return (bisect_left(ordered, value - near) + bisect_right(ordered, value + near)) / (2 * len(ordered))


def _acceleration(clusters: Clusters) -> float:
    total, rows = math.fsum(clusters.sums), sum(clusters.sizes)
    without = [(total - part) / (rows - size) for part, size in zip(clusters.sums, clusters.sizes, strict=True)]
    center = math.fsum(without) / len(without)
    squares = math.fsum((center - value) ** 2 for value in without)
    return (
        math.fsum((center - value) ** 3 for value in without) / (6 * squares * math.sqrt(squares))
        if squares > 0
        else 0.0
    )


def _without_spread(clusters: Clusters) -> bool:
    means = [total / size for total, size in zip(clusters.sums, clusters.sizes, strict=True)]
    return max(means) - min(means) < 1e-12
