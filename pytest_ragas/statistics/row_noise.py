"""How far a single row may fall by the critic's noise alone, when many rows are looked at."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from pytest_ragas.statistics.normal import normal_below


def noise_allowance(spreads: Sequence[float], *, alpha: float) -> float:
    """The fall that noise alone takes any of these rows beyond in at most alpha of the runs.

    The expected number of rows beyond it is at most alpha, and so is the chance of one or more (Bonferroni, whatever
    the rows have to do with each other). Each row counts with its own spread: where the noise sits in few rows, as it
    does when a critic is sure of most answers and throws a coin for some, the pooled spread would be far too small for
    the rows that matter.

    Args:
        spreads: The standard deviation of each row's change by noise, in score points.
        alpha: In (0, 1).

    Returns:
        In score points; 0 where no row has noise.
    """
    groups = Counter(spread for spread in spreads if spread > 0)

    def expected(fall: float) -> float:
        return sum(count * normal_below(-fall / spread) for spread, count in groups.items())

    if not groups or expected(0.0) <= alpha:
        return 0.0
    low, high = 0.0, max(groups) * 40
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) > alpha else (low, middle)
    return high


def coin_chance(before: int, after: int) -> float:
    """How likely a critic that throws a coin over an answer says one thing before and the other now, each time.

    However steady a row's repeats look, this is the least that a clean break of that row can mean: 1/4 for one
    judgement on each side, 1/64 for three. Each other row that the critic throws a coin over has the same chance.

    Args:
        before: Judgements of the row in the baseline, at least 1.
        after: Judgements now, at least 1.
    """
    return math.ldexp(1.0, -(before + after))
