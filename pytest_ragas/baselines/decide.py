"""Pairs + rules -> whether a run is worse than its baseline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pytest_ragas.baselines.breaks import hard_breaks
from pytest_ragas.baselines.changes import TestedMean, mean_of
from pytest_ragas.baselines.noise import metric_noise
from pytest_ragas.baselines.slices import fallen_slices
from pytest_ragas.statistics.holm import holm
from pytest_ragas.values.comparison import Comparison, Pairing, ScorePair
from pytest_ragas.values.comparison_rules import ComparisonRules
from pytest_ragas.values.recorded import RecordedRun

_WITHOUT_LLM = ("embedded", "free", "likelihood")
"""Backends that give the same score to the same answer: no LLM samples a judgement."""


def decide_comparison(
    pairing: Pairing,
    rules: ComparisonRules,
    *,
    baseline: str,
    steady: Collection[str] = (),
    differences: Sequence[str] = (),
    notes: Sequence[str] = (),
    incomplete: Sequence[str] = (),
) -> Comparison:
    """Decide what got worse.

    Two guards. A metric fails when its mean dropped, by more than its floor, and that is significant by a bootstrap
    and by a permutation test, corrected for the number of metrics. A row breaks when it fell by more than is allowed,
    or from passed to failed, and further than the critic's noise would take any row of the run. Together they are red
    in at most `rules.alpha` of the runs in which nothing but the critic's noise lies between the two.

    Args:
        pairing: The rows of both runs.
        rules: What counts as worse.
        baseline: The name of the baseline, for messages.
        steady: Metrics that no LLM judges (`steady_metrics`).
        differences: Why the two are not comparable, where they are compared anyway.
        notes: What else the reader should know.
        incomplete: Why the comparison says too little to be green.

    Source:
        docs/statistics.md.
    """
    by_metric = _by_metric(pairing.pairs)
    noises = {
        metric: metric_noise(pairs, steady=metric in steady, known=rules.spreads.get(metric))
        for metric, pairs in by_metric.items()
    }
    tests = [mean_of(metric, pairs, noises[metric], rules) for metric, pairs in by_metric.items()]
    corrected = holm([test.p for test in tests])
    failed = {
        test.metric: test
        for test, p in zip(tests, corrected, strict=True)
        if p <= rules.mean_alpha and test.drop > test.floor
    }
    each = rules.mean_alpha / max(1, len(tests))
    breaks = [
        found
        for metric, pairs in by_metric.items()
        for found in hard_breaks(pairs, noises[metric], rules, metrics=len(by_metric))
    ]
    return Comparison(
        baseline=baseline,
        pairing=pairing,
        changes=tuple(
            test.decided(p, failed=test.metric in failed, alpha=each) for test, p in zip(tests, corrected, strict=True)
        ),
        slices=fallen_slices(by_metric, noises, failed, rules),
        breaks=tuple(breaks),
        differences=tuple(differences),
        notes=(*notes, *_few_documents(tests, rules)),
        spreads={
            metric: noise.spread.value
            for metric, noise in noises.items()
            if noise.spread is not None and noise.spread.degrees
        },
        incomplete=tuple(incomplete),
    )


def steady_metrics(*runs: RecordedRun) -> frozenset[str]:
    """The metrics that no LLM judges in any of these runs: the same answer has the same score, always."""
    said = [identity for run in runs for identity in run.metrics]
    asked = {identity.metric for identity in said if identity.backend not in _WITHOUT_LLM}
    return frozenset(identity.metric for identity in said) - asked


def _by_metric(pairs: Sequence[ScorePair]) -> Mapping[str, Sequence[ScorePair]]:
    found: dict[str, list[ScorePair]] = {}
    for pair in pairs:
        found.setdefault(pair.metric, []).append(pair)
    return found


def _few_documents(tests: Sequence[TestedMean], rules: ComparisonRules) -> tuple[str, ...]:
    """That documents were no clusters, where rows share them."""
    for test in tests:
        documents = len({pair.cluster for pair in test.pairs})
        if documents < rules.few_clusters and documents < len(test.clusters.sums):
            return (
                f"The rows come from {documents} document{'s' if documents > 1 else ''}, fewer than "
                f"{rules.few_clusters}: they are taken as independent of each other.",
            )
    return ()
