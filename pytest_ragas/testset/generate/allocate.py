"""Shares to whole rows, by largest remainder."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction


def allocate(distribution: Mapping[str, float], rows: int) -> dict[str, int]:
    """How many rows each question type gets; together exactly `rows`.

    Each type gets the whole part of its share of the rows; what is left goes to the types with the largest
    remainders, one each. Of equal remainders the type that is named first goes first: 5 rows of
    `simple 0.5, multi_context 0.4, reasoning 0.1` are 3, 2 and 0.

    Args:
        distribution: Type -> share; sums to 1 or so.
        rows: At least 0.
    """
    # as they are written: 0.1 + 0.2 must not decide who gets a row
    shares = {name: Fraction(repr(float(share))) for name, share in distribution.items()}
    total = sum(shares.values())
    quotas = {name: share / total * rows for name, share in shares.items()}
    counts = {name: int(quota) for name, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda name: counts[name] - quotas[name])
    for name in by_remainder[: rows - sum(counts.values())]:
        counts[name] += 1
    return counts
