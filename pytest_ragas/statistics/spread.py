"""A critic's own noise: how much it varies over the same answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard deviation of one judgement of an answer around the mean of its judgements."""

    value: float
    """In score points, 0 to 0.71."""
    degrees: int
    """Degrees of freedom: judgements less rows. The value is known to about 1 / sqrt(2 * degrees) of itself."""


def pooled_spread(repeats: Iterable[Sequence[float]]) -> Spread | None:
    """The within-row standard deviation, pooled over rows.

    Args:
        repeats: The judgements of each answer; answers of fewer than two are passed over.

    Returns:
        None where no answer was judged twice. Rows that stopped early because their repeats agreed
        (`--ragas-repeats-confidence`) make it a little too small.

    Source:
        The mean square within of a one-way analysis of variance (R. A. Fisher, Statistical Methods for Research
        Workers, 1925): unlike the mean of the rows' own standard deviations it is not biased for two repeats.
    """
    squares, degrees = [], 0
    for values in repeats:
        if len(values) > 1:
            mean = math.fsum(values) / len(values)
            squares.append(math.fsum((value - mean) ** 2 for value in values))
            degrees += len(values) - 1
    return Spread(math.sqrt(math.fsum(squares) / degrees), degrees) if degrees else None
