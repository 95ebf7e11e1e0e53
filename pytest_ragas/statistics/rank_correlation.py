"""Spearman's rank correlation with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from pytest_ragas.statistics.normal import normal_quantile
from pytest_ragas.values.calibration import Measured


def spearman(first: Sequence[float], second: Sequence[float], *, confidence: float = 0.95) -> Measured | None:
    """How far two orders of the same rows agree, in [-1, 1]; ties share their mean rank.

    Args:
        first: One number for each row.
        second: Another one.
        confidence: Of the interval.

    Returns:
        None for fewer than four rows, or where either side says the same of all rows.

    Source:
        Standard error of Fisher's z: D. Bonett, T. Wright, Psychometrika 65 (2000), 23-28. For the interval, a perfect
        order counts as half a step away from it: else four rows would make it certain.
    """
    n = len(first)
    ranks = _ranks(first), _ranks(second)
    middle = (n + 1) / 2
    spreads = [math.fsum((rank - middle) ** 2 for rank in side) for side in ranks]
    if n < 4 or not all(spreads):
        return None
    together = math.fsum((a - middle) * (b - middle) for a, b in zip(*ranks, strict=True))
    value = max(-1.0, min(1.0, together / math.sqrt(spreads[0] * spreads[1])))
    most = 1 - 6 / (n * (n * n - 1))
    z = math.atanh(max(-most, min(most, value)))
    width = normal_quantile((1 + confidence) / 2) * math.sqrt((1 + value * value / 2) / (n - 3))
    return Measured(value=value, low=min(value, math.tanh(z - width)), high=max(value, math.tanh(z + width)))


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    before = 0
    for _, group in groupby(order, key=values.__getitem__):
        tied = list(group)
        for index in tied:
            ranks[index] = before + (len(tied) + 1) / 2
        before += len(tied)
    return ranks
