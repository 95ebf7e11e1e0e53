"""Quantiles of the Beta distribution, without numpy or scipy."""

from __future__ import annotations

import math


def beta_cdf(a: float, b: float, x: float) -> float:
    """Probability that a Beta(a, b) variable is at most `x`: the regularised incomplete beta function.

    Args:
        a: Positive.
        b: Positive.
        x: In [0, 1].

    Source:
        Continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, evaluated by
        Lentz' method as in Numerical Recipes, 3rd ed., 6.4.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    # the fraction converges fast on this side of the mean only
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _fraction(a, b, x) / a
    return 1.0 - math.exp(log_front) * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    result = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + numerator * d
            c = 1.0 + numerator / c
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            step = d * c
            result *= step
        if abs(step - 1.0) < 1e-12:
            break
    return result


def beta_quantile(a: float, b: float, probability: float) -> float:
    """The value that a Beta(a, b) variable stays below with this probability, to 1e-9.

    Args:
        a: Positive.
        b: Positive.
        probability: In (0, 1).
    """
    low, high = 0.0, 1.0
    x = a / (a + b)
    log_norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(100):
        error = beta_cdf(a, b, x) - probability
        if error > 0:
            high = x
        else:
            low = x
        if high - low < 1e-10:
            break
        # Newton's step where it stays between the bounds, else their middle
        density = math.exp(log_norm + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)) if 0 < x < 1 else 0.0
        step = error / density if density > 0 else math.inf
        if abs(step) < 1e-11:
            break
        x = x - step if low < x - step < high else (low + high) / 2
    return x
