"""The mean changes of metrics, each with its test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.baselines.noise import MetricNoise
from pytest_ragas.statistics.bootstrap import bootstrap
from pytest_ragas.statistics.clusters import Clusters, clustered
from pytest_ragas.statistics.normal import normal_quantile
from pytest_ragas.statistics.permutation import sign_flip
from pytest_ragas.statistics.power import clusters_needed, detectable_drop, repeats_needed
from pytest_ragas.values.comparison import MetricChange, ScorePair
from pytest_ragas.values.comparison_rules import ComparisonRules

_WORTH_DRAWING = 0.25
"""The p of the sign flips up to which the bootstrap is resampled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TestedMean:
    """A mean change with its own p, before it is corrected for its neighbours."""

    metric: str
    pairs: tuple[ScorePair, ...]
    clusters: Clusters
    p: float
    low: float
    high: float
    floor: float
    noise: MetricNoise
    effect: float | None
    """The drop that was asked for."""
    slice: str = ""

    @property
    def drop(self) -> float:
        """How much worse the mean is; below 0 is better."""
        return -self.clusters.mean

    def decided(self, p: float, *, failed: bool, alpha: float) -> MetricChange:
        """The change with its corrected p.

        Args:
            p: Corrected.
            failed: Whether it fails the gate.
            alpha: Of one test, for the power.
        """
        rows = len(self.pairs)
        rows_wanted, repeats_wanted = self._needed(alpha)
        return MetricChange(
            metric=self.metric,
            pairs=rows,
            clusters=len(self.clusters.sums),
            before=math.fsum(pair.before.value for pair in self.pairs) / rows,
            after=math.fsum(pair.after.value for pair in self.pairs) / rows,
            change=self.clusters.mean,
            low=self.low,
            high=self.high,
            p=p,
            floor=self.floor,
            detectable=detectable_drop(
                self.clusters.standard_error, len(self.clusters.sums), alpha=alpha, floor=self.floor
            ),
            failed=failed,
            slice=self.slice,
            rows_needed=rows_wanted,
            repeats_needed=repeats_wanted,
        )

    def _needed(self, alpha: float) -> tuple[int | None, int | None]:
        """Rows and repeats with which a drop of the asked-for effect would be significant."""
        error, count, rows = self.clusters.standard_error, len(self.clusters.sums), len(self.pairs)
        if not self.effect or error <= 0 or count < 2:
            return None, None
        needed = clusters_needed(error, count, self.effect, alpha=alpha)
        if needed <= count:
            return None, None
        repeats = None
        if self.noise.spread is not None and self.noise.spread.value > 0:
            judging, spread = self.noise.of_mean(self.pairs), self.noise.spread.value
            repeats = repeats_needed(error, count, self.effect, judging=judging, noise=spread, rows=rows, alpha=alpha)
        return math.ceil(needed * rows / count), repeats


def mean_of(
    metric: str, pairs: Sequence[ScorePair], noise: MetricNoise, rules: ComparisonRules, *, place: str = ""
) -> TestedMean:
    """Test the mean change of some pairs of one metric.

    Args:
        metric: Its name.
        pairs: At least one.
        noise: Of the metric.
        rules: For the floor, the interval, the seed.
        place: The slice that the pairs are.

    Returns:
        p is the larger one of bootstrap and permutation test: the bootstrap is too sure of few rows, and the
        permutation test knows nothing of clusters of different size.
    """
    clusters = in_clusters(pairs, few=rules.few_clusters)
    # slices are many: they need p that are smaller than draws can tell, and fast
    flipped = sign_flip(clusters.sums, seed=rules.seed, draw=not place)
    # the larger p counts: where signs alone explain the change, the closed form's interval will do
    draw = not place and flipped <= _WORTH_DRAWING
    boot = bootstrap(clusters, confidence=rules.confidence, seed=rules.seed, draw=draw)
    effect = rules.effect_of(metric)
    floor = noise.of_mean(pairs) * normal_quantile(1 - rules.mean_alpha) if effect is None else effect
    return TestedMean(
        metric=metric,
        pairs=tuple(pairs),
        clusters=clusters,
        p=max(boot.p, flipped),
        low=boot.low,
        high=boot.high,
        floor=floor,
        noise=noise,
        effect=effect,
        slice=place,
    )


def in_clusters(pairs: Sequence[ScorePair], *, few: int) -> Clusters:
    """The changes by document; by row where fewer than `few` documents are there."""
    changes = [pair.change for pair in pairs]
    names = [pair.cluster for pair in pairs]
    if len(set(names)) < few:
        names = [pair.key.sample_id for pair in pairs]
    return clustered(changes, names)
