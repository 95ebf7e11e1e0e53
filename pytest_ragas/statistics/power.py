"""What a suite of this size can see: the smallest detectable drop, and the rows or repeats that a smaller one takes."""

from __future__ import annotations

import math

from pytest_ragas.statistics.normal import student_quantile

POWER = 0.8
"""The chance to see a drop that is called detectable: the convention of J. Cohen, Statistical Power Analysis for the
Behavioral Sciences, 2nd ed., 1988, section 2.4."""


def detectable_drop(
    error: float, clusters: int, *, alpha: float, floor: float = 0.0, power: float = POWER
) -> float | None:
    """The smallest true mean drop that a comparison like this finds with this power.

    Args:
        error: Standard error of the mean change, in score points.
        clusters: How many it was estimated from.
        alpha: Of the one-sided test, after the correction for the number of metrics.
        floor: The observed drop must also be larger than this.
        power: In (0.5, 1).

    Returns:
        In score points. None where too few clusters are there to ever reach alpha by flipping signs (2^-clusters), or
        where no change varies, so that nothing says how much changes do.

    Source:
        The normal-theory formula of Miller 2024, arXiv:2411.00640, section 5, with Student's quantiles, which few
        clusters need.
    """
    if error <= 0 or clusters < 2 or 2.0**-clusters > alpha:
        return None
    seen = student_quantile(power, clusters - 1) * error
    return max(student_quantile(1 - alpha, clusters - 1) * error, floor) + seen


def clusters_needed(error: float, clusters: int, drop: float, *, alpha: float, power: float = POWER) -> int:
    """How many clusters like these find a drop of this size.

    Args:
        error: Standard error of the mean change with the clusters that there are, in score points, above 0.
        clusters: How many they are, at least 2.
        drop: The true mean drop to find, in score points, above 0.
        alpha: Of the one-sided test.
        power: In (0.5, 1).
    """
    spread = error * math.sqrt(clusters)
    needed = max(2, math.ceil(-math.log2(alpha)))
    for _ in range(50):  # the quantiles depend on what they tell
        degrees = needed - 1
        reach = student_quantile(1 - alpha, degrees) + student_quantile(power, degrees)
        wanted = max(2, math.ceil(-math.log2(alpha)), math.ceil((reach * spread / drop) ** 2))
        if abs(wanted - needed) <= 1:
            return max(wanted, needed)
        needed = wanted
    return needed


def repeats_needed(
    error: float,
    clusters: int,
    drop: float,
    *,
    judging: float,
    noise: float,
    rows: int,
    alpha: float,
    power: float = POWER,
) -> int | None:
    """How often each row would have to be judged, in both runs, to find a drop of this size with the rows there are.

    Repeats take away the critic's part of the spread alone; what the answers themselves vary stays.

    Args:
        error: Standard error of the mean change as it is, in score points.
        clusters: How many clusters it was estimated from, at least 2.
        drop: The true mean drop to find, in score points, above 0.
        judging: The part of `error` that is the critic's noise.
        noise: The standard deviation of one judgement of an answer.
        rows: How many there are.
        alpha: Of the one-sided test.
        power: In (0.5, 1).

    Returns:
        At least 1; None where no number of repeats is enough.
    """
    reach = student_quantile(1 - alpha, clusters - 1) + student_quantile(power, clusters - 1)
    left = (drop / reach) ** 2 - max(0.0, error**2 - judging**2)
    return max(1, math.ceil(2 * noise**2 / rows / left)) if left > 0 else None
