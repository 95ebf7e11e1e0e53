"""The normal and Student's distribution, without numpy or scipy."""

from __future__ import annotations

import math
from statistics import NormalDist

from pytest_ragas.statistics.beta import beta_quantile

_STANDARD = NormalDist()


def normal_below(z: float) -> float:
    """Probability that a standard normal variable is at most `z`, exact in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def normal_quantile(probability: float) -> float:
    """The value that a standard normal variable stays below with this probability; infinite at 0 and 1."""
    if probability <= 0:
        return -math.inf
    return math.inf if probability >= 1 else _STANDARD.inv_cdf(probability)


def student_quantile(probability: float, degrees: int) -> float:
    """The value that Student's t stays below with this probability.

    Args:
        probability: In [0.5, 1).
        degrees: Degrees of freedom, at least 1.

    Source:
        t² / (t² + degrees) has the Beta distribution (1/2, degrees/2).
    """
    if probability == 0.5:
        return 0.0
    x = beta_quantile(0.5, degrees / 2, 2 * probability - 1)
    return math.sqrt(degrees * x / (1 - x)) if x < 1 else math.inf
