"""`Clusters`: changes of rows, summed by what makes rows alike."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clusters:
    """Changes of rows, summed by cluster. Rows of one cluster may move together; clusters are independent."""

    sums: tuple[float, ...]
    """The sum of the changes of each cluster."""
    sizes: tuple[int, ...]
    """How many rows each has."""

    @property
    def mean(self) -> float:
        """The mean change of a row: clusters weigh as much as they have rows."""
        return math.fsum(self.sums) / sum(self.sizes)

    @property
    def standard_error(self) -> float:
        """Of the mean, from the spread between clusters; 0 for one cluster.

        Source:
            Clustered standard errors as in Miller 2024, arXiv:2411.00640, equation 4 (Liang and Zeger 1986), with the
            n / (n - 1) that makes it the textbook's for clusters of one row.
        """
        count = len(self.sums)
        if count < 2:
            return 0.0
        mean = self.mean
        squares = math.fsum((total - mean * size) ** 2 for total, size in zip(self.sums, self.sizes, strict=True))
        return math.sqrt(squares * count / (count - 1)) / sum(self.sizes)

    @property
    def even(self) -> bool:
        """Whether all clusters have as many rows."""
        return len(set(self.sizes)) == 1


def clustered(changes: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Clusters:
    """Changes summed by cluster, in order of first appearance.

    Args:
        changes: One a row, at least one.
        clusters: What each row belongs to; None: every row is a cluster of its own.
    """
    if clusters is None:
        return Clusters(tuple(changes), (1,) * len(changes))
    parts: dict[Hashable, list[float]] = {}
    for change, cluster in zip(changes, clusters, strict=True):
        parts.setdefault(cluster, []).append(change)
    return Clusters(
        tuple(math.fsum(part) for part in parts.values()),
        tuple(len(part) for part in parts.values()),
    )
