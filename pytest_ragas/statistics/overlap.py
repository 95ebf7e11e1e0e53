"""How likely it is that so many of some marked things are drawn by chance."""

from __future__ import annotations

import math


def chance_of_overlap(*, total: int, marked: int, drawn: int, both: int) -> float:
    """How likely at least `both` of the drawn things are marked, where drawing has nothing to do with the marks.

    Args:
        total: How many things there are.
        marked: How many of them are marked.
        drawn: How many are drawn, each at most once.
        both: How many of those are marked.

    Returns:
        One-sided, in [0, 1]: the tail of the hypergeometric distribution.

    Source:
        R. Fisher, *Statistical Methods for Research Workers*, 5th edition 1934, section 21.02, the exact test.
    """
    ways = _log_ways(total, drawn)
    most = min(marked, drawn)
    first = max(both, drawn - (total - marked), 0)
    logs = (
        _log_ways(marked, count) + _log_ways(total - marked, drawn - count) - ways for count in range(first, most + 1)
    )
    return min(1.0, math.fsum(map(math.exp, logs)))


def _log_ways(of: int, taken: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(taken + 1) - math.lgamma(of - taken + 1)
