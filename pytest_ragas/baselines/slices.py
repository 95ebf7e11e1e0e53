"""Which slices a drop lives in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ragas.baselines.changes import TestedMean, mean_of
from pytest_ragas.baselines.noise import MetricNoise
from pytest_ragas.statistics.holm import holm
from pytest_ragas.values.comparison import MetricChange, ScorePair
from pytest_ragas.values.comparison_rules import ComparisonRules

_CONCENTRATED = 2.0
"""A slice holds a drop that all rows have if its own is at least twice as large, and half of the whole."""


def fallen_slices(
    by_metric: Mapping[str, Sequence[ScorePair]],
    noises: Mapping[str, MetricNoise],
    failed: Mapping[str, TestedMean],
    rules: ComparisonRules,
) -> tuple[MetricChange, ...]:
    """The slices whose drop is beyond chance, after Holm's correction over all slices of all metrics.

    Where the mean of all rows failed anyway, most slices fell with it, and only those are named that hold the drop.

    Args:
        by_metric: The pairs of each metric.
        noises: The noise of each.
        failed: The metrics whose mean failed, with their test.
        rules: As for the means.

    Returns:
        The least likely first.
    """
    candidates = [
        mean_of(metric, part, noises[metric], rules, place=place)
        for metric, pairs in by_metric.items()
        for place, part in _parts(pairs).items()
        if rules.smallest_slice <= len(part) < len(pairs)
    ]
    corrected = holm([candidate.p for candidate in candidates])
    alpha = rules.mean_alpha
    named = [
        candidate.decided(p, failed=False, alpha=alpha / len(candidates))
        for candidate, p in zip(candidates, corrected, strict=True)
        if p <= alpha and candidate.drop > candidate.floor and _holds_it(candidate, failed.get(candidate.metric))
    ]
    return tuple(sorted(named, key=lambda change: (change.p, change.change)))


def _parts(pairs: Sequence[ScorePair]) -> Mapping[str, list[ScorePair]]:
    parts: dict[str, list[ScorePair]] = {}
    for pair in pairs:
        for place in pair.slices:
            parts.setdefault(place, []).append(pair)
    return parts


def _holds_it(part: TestedMean, whole: TestedMean | None) -> bool:
    if whole is None:
        return True
    share = part.drop * len(part.pairs) / (whole.drop * len(whole.pairs))
    return part.drop >= _CONCENTRATED * whole.drop and share >= 0.5
