"""`ComparisonRules`: when a run is worse than its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonRules:
    """When a comparison fails. docs/statistics.md says where each default comes from."""

    alpha: float = 0.05
    """How often the whole gate, over all metrics and rows, may be red where nothing got worse; in (0, 1)."""
    breaks_share: float = 0.4
    """The part of alpha that goes to hard breaks; the means have the rest, and all of it where no row can break."""
    effect: float | None = None
    """The mean drop, in score points, that a metric may have however sure it is; None: up to the noise floor."""
    effects: Mapping[str, float] = field(default_factory=dict)
    """The same for single metrics."""
    fall: float | None = 0.5
    """A row breaks when it falls by more than this, and by more than its noise; None: rows do not break by falling."""
    flips: bool = True
    """Whether a row also breaks when its threshold held in the baseline and is broken now, beyond its noise."""
    spreads: Mapping[str, float] = field(default_factory=dict)
    """Metric -> the critic's within-row standard deviation, where it is known (`pytest-ragas noise`); used where
    neither run has repeats."""
    confidence: float = 0.95
    """Of the intervals that are shown."""
    few_clusters: int = 8
    """With fewer documents than this, rows count as independent: flipping the signs of fewer has no p that is small
    enough to fail several metrics."""
    smallest_slice: int = 5
    """Rows that a slice must have to be looked at; five that all fall have a p of 1/32."""
    seed: int = 0
    """Of the resampling: the same runs give the same numbers."""

    @property
    def break_alpha(self) -> float:
        """The part of alpha for hard breaks."""
        return self.alpha * self.breaks_share if self.fall is not None or self.flips else 0.0

    @property
    def mean_alpha(self) -> float:
        """The part of alpha for the means, over all metrics."""
        return self.alpha - self.break_alpha

    def effect_of(self, metric: str) -> float | None:
        """The drop that a metric may have; None: up to the noise floor."""
        return self.effects.get(metric, self.effect)
