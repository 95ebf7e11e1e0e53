"""Holm's correction: several tests, one chance of a false alarm."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Each p, raised so that comparing all of them with alpha cries wolf in at most alpha of the cases.

    Holds whatever the tests have to do with each other: metrics of the same rows have a lot.

    Args:
        p_values: In [0, 1].

    Returns:
        In the same order, each at least as large as it was and at most 1.

    Source:
        S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6(2), 1979.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return tuple(adjusted)
