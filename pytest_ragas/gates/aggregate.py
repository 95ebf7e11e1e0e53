"""Scores -> one number for a gate, and the interval that it lies in."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pytest_ragas.errors import GateSyntaxError
from pytest_ragas.statistics.beta import beta_quantile

_PERCENTILE = re.compile(r"p(\d{1,3})")


def aggregate(values: Sequence[float], name: str) -> float:
    """One number for many scores.

    Args:
        values: Scores in [0, 1], at least one; for `pass_rate` 1 for each pass and 0 for each failure.
        name: "mean", "median", "min", "max", "pass_rate", or "p0" to "p100".

    Returns:
        A value between the smallest and the largest score, both included. The mean is exactly rounded. Percentiles
        interpolate linearly between the two closest ranks: p10 of eleven sorted scores is the second, of ten scores
        it lies at nine tenths of the way from the first to the second; p50 is the median.

    Raises:
        ValueError: There are no values.
        GateSyntaxError: There is no such aggregate.

    Source:
        Percentiles: definition 7 of Hyndman and Fan, The American Statistician 50(4), 1996; numpy's default,
        `statistics.quantiles(method="inclusive")`.
    """
    if not values:
        raise ValueError(f"the {name} of no scores does not exist")
    if name in ("mean", "pass_rate"):
        return _mean(values)
    if name == "min":
        return min(values)
    if name == "max":
        return max(values)
    if name == "median":
        return _quantile(values, 0.5)
    percentile = _PERCENTILE.fullmatch(name)
    if percentile and int(percentile[1]) <= 100:
        return _quantile(values, int(percentile[1]) / 100)
    raise GateSyntaxError(f"There is no aggregate {name!r}: write mean, median, min, max, pass_rate or pNN (p10).")


def mean_interval(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Where the mean lies that scores like these come from.

    Scores of a RAG pile up at 0 and 1. There an interval from the standard error, and a bootstrap too, has no width
    as long as all scores are equal, and so tells after five scores of 1.0 that the mean is 1.0. This one is Jeffreys'
    interval where scores are 0 or 1 (five of 1.0 give 0.62 to 1), and the same thing for scores in between, in the
    order of `n` steps and without random numbers.

    Args:
        values: Scores in [0, 1].
        confidence: In (0, 1).

    Returns:
        Lower and upper bound, in [0, 1], the mean between them. None for fewer than two scores.

    Source:
        The Dirichlet process posterior of a mean (Ferguson, Annals of Statistics 1(2), 1973) with half a pseudo
        score at 0 and half a one at 1, taken as the Beta distribution of the same mean and variance; for 0 and 1 that
        is exactly Jeffreys' (Brown, Cai, DasGupta, Statistical Science 16(2), 2001). The 95 % interval holds the true
        mean in 0.89 to 1.00 (median 0.96) of the cases, for nine distributions piled, stepped and smooth and n from 2
        to 1,000; Student's t in 0.04 to 0.99, the percentile bootstrap in 0.04 to 1.00
        (`benchmarks/interval_coverage.py`). The price is width where few scores are close together.
    """
    n = len(values)
    if n < 2:
        return None
    mean = _mean(values)
    center = (math.fsum(values) + 0.5) / (n + 1)
    spread = (math.fsum(value * value for value in values) + 0.5) / (n + 1) - center * center
    # like so many coin throws; n + 1 for coins, more for scores that vary less than a coin
    throws = center * (1 - center) * (n + 2) / spread - 1
    a, b = center * throws, (1 - center) * throws
    tail = (1 - confidence) / 2
    low = 0.0 if max(values) == 0 else min(mean, beta_quantile(a, b, tail))
    high = 1.0 if min(values) == 1 else max(mean, beta_quantile(a, b, 1 - tail))
    return max(0.0, low), min(1.0, high)


def _mean(values: Sequence[float]) -> float:
    # 0.7, 0.7, 0.7 must not come out as 0.6999999999999998, and fail a gate at 0.7
    return min(max(values), max(min(values), math.fsum(values) / len(values)))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return min(high, low + (high - low) * (place - below))
