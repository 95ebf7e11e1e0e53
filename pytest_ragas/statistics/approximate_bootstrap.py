"""The bootstrap interval of a mean change in closed form, for as many rows as there are."""

from __future__ import annotations

import math
from typing import NamedTuple

from pytest_ragas.statistics.clusters import Clusters
from pytest_ragas.statistics.normal import normal_below, normal_quantile


class Approximated(NamedTuple):
    """One-sided p of a drop, and the two ends of the interval."""

    p: float
    low: float
    high: float


def approximate_bootstrap(clusters: Clusters, *, confidence: float = 0.95) -> Approximated:
    """What BCa would say if it drew without end, to second order, without a draw.

    Args:
        clusters: Of the changes, not all of the same mean.
        confidence: Of the two-sided interval, in (0, 1).

    Source:
        ABC intervals: T. DiCiccio, B. Efron, More accurate confidence intervals in exponential families, Biometrika
        79(2), 1992; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 14.4 and chapter 22. The
        derivatives, there taken numerically, are written out: a mean over clusters is the ratio of two sums.
    """
    count, rows = len(clusters.sums), sum(clusters.sizes)
    mean, size = clusters.mean, rows / count
    pulls = [(total - mean * n) / size for total, n in zip(clusters.sums, clusters.sizes, strict=True)]
    squares = math.fsum(pull * pull for pull in pulls)
    error = math.sqrt(squares) / count
    acceleration = math.fsum(pull**3 for pull in pulls) / (6 * squares * math.sqrt(squares))
    # the least favourable direction: how the weights of the clusters move when the mean does
    step = count * count * error
    along_sums = math.fsum(pull * total for pull, total in zip(pulls, clusters.sums, strict=True)) / step
    along_sizes = math.fsum(pull * n for pull, n in zip(pulls, clusters.sizes, strict=True)) / step
    second = math.fsum(-2 * pull * (n - size) / size for pull, n in zip(pulls, clusters.sizes, strict=True))
    curve = -along_sizes * (along_sums - mean * along_sizes) / (size * size * error)
    bias_share = 2 * normal_below(acceleration) * normal_below(curve - second / (2 * count * count * error))
    # a handful of clusters of very different size can ask for more than there is
    bias = normal_quantile(min(0.99, max(0.01, bias_share)))
    means = [total / n for total, n in zip(clusters.sums, clusters.sizes, strict=True)]
    lowest, highest = min(means), max(means)

    def bound(level: float) -> float:
        z = bias + normal_quantile(level)
        length = z / (1 - acceleration * z) ** 2
        weight = size + length * along_sizes
        if weight <= 0:
            return lowest if level < 0.5 else highest
        # weights along the line may leave [0, 1], and no mean lies outside of those of the clusters
        return min(highest, max(lowest, (mean * size + length * along_sums) / weight))

    tail = (1 - confidence) / 2
    # the inverse of `length` above; beyond the root's end no quantile reaches 0, and its own is the limit
    length = -mean * size / along_sums if abs(along_sums) > 1e-15 else math.copysign(1e9, -mean)
    if 4 * acceleration * length < -1:
        length = -1 / (4 * acceleration)
    root = math.sqrt(max(0.0, 1 + 4 * acceleration * length))
    p = normal_below(bias - 2 * length / (1 + 2 * acceleration * length + root))
    return Approximated(max(p, 1e-12), bound(tail), bound(1 - tail))
