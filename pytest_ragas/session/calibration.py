"""The critic against people: labelled rows scored, and each metric's scores held beside its labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_ragas.session.judging import check_samples
from pytest_ragas.session.plan import Ticket
from pytest_ragas.session.session import Session
from pytest_ragas.session.whole_testset import check_any
from pytest_ragas.statistics.agreement import auroc, balanced_accuracy, decisions, kappa
from pytest_ragas.statistics.cut_point import DRAWS, cut_point
from pytest_ragas.statistics.rank_correlation import spearman
from pytest_ragas.values.calibration import (
    Agreement,
    AtThreshold,
    Disagreement,
    LabelledSample,
    Recommended,
)
from pytest_ragas.values.run import Run, SampleResult
from pytest_ragas.values.score import Score

Progress = Callable[[int, int], None]
"""Takes how many rows are scored, and how many there are."""

_DISAGREES = 0.25
"""How far score and label lie apart at least to be shown as a disagreement, where no threshold tells."""


def score_labelled(session: Session, rows: Sequence[LabelledSample], *, progress: Progress | None = None) -> Run:
    """Score every row with the metrics that it has labels for, all of them at the same time.

    Raises:
        TestsetError: Rows lack a field that a metric needs; names all of them. No call was made.
        ConfigurationError: A metric needs a model that is not configured or cannot be had.
    """
    started = time.perf_counter()
    evaluator = session.evaluator()
    plans = [evaluator.plan(metrics=tuple(row.labels), defaults=False) for row in rows]
    check_samples((row.sample, plan) for row, plan in zip(rows, plans, strict=True))
    tickets = [evaluator.submit(row.sample, plan) for row, plan in zip(rows, plans, strict=True)]
    results = results_of(tickets, progress)
    check_any(results)
    return Run(results=results, models=session.models(), seconds=time.perf_counter() - started)


def results_of(tickets: Sequence[Ticket], progress: Progress | None = None) -> tuple[SampleResult, ...]:
    """Wait for all tickets, in their order; whoever interrupts cancels the rest."""
    results: list[SampleResult] = []
    try:
        for ticket in tickets:
            results.append(ticket.result())
            if progress is not None:
                progress(len(results), len(tickets))
    finally:
        for ticket in tickets[len(results) :]:
            ticket.cancel()
    return tuple(results)


def agreements(
    rows: Sequence[LabelledSample],
    results: Sequence[SampleResult],
    *,
    thresholds: Mapping[str, float],
    good_from: float = 0.5,
    worst: int = 5,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Agreement, ...]:
    """What the scores are worth, for each metric that has labels.

    Args:
        rows: With their labels.
        results: Of the same rows, in the same order.
        thresholds: Those of the settings, by metric.
        good_from: Labels from here on are good.
        worst: How many disagreements to keep of each metric.
        draws: Resamples for the interval of the recommended threshold.
        seed: Of the resamples.
    """
    metrics = dict.fromkeys(metric for row in rows for metric in row.labels)
    found = []
    for metric in metrics:
        pairs, because, unscored = [], "", 0
        for row, result in zip(rows, results, strict=True):
            if metric not in row.labels:
                continue
            score = next((score for score in result.scores if score.metric == metric), None)
            if score is not None:
                pairs.append(
                    _Pair(row=row, score=score, label=row.labels[metric], good=row.labels[metric] >= good_from)
                )
                continue
            unscored += 1
            because = because or _why(metric, result)
        found.append(
            _agreement(metric, pairs, unscored, because, thresholds.get(metric), worst=worst, draws=draws, seed=seed)
        )
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    row: LabelledSample
    score: Score
    label: float
    good: bool

    @property
    def goodness(self) -> float:
        """The score, turned round where lower is better."""
        return self.score.value if self.score.higher_is_better else 1 - self.score.value


def _agreement(
    metric: str,
    pairs: Sequence[_Pair],
    unscored: int,
    because: str,
    configured: float | None,
    *,
    worst: int,
    draws: int,
    seed: int,
) -> Agreement:
    values, good = [pair.goodness for pair in pairs], [pair.good for pair in pairs]
    labels = [pair.label for pair in pairs]
    higher = all(pair.score.higher_is_better for pair in pairs)
    graded = any(0 < label < 1 for label in labels)
    both = 0 < sum(good) < len(good)

    def at(threshold: float) -> AtThreshold:
        table = decisions(values, good, threshold)
        return AtThreshold(
            threshold=_turned(threshold, higher),
            balanced_accuracy=balanced_accuracy(table),
            kappa=kappa(table),
            good_held=int(table.good_held),
            bad_held=int(table.bad_held),
        )

    cut = cut_point(values, good, draws=draws, seed=seed) if both else None
    recommended = None
    if cut is not None:
        low, high = sorted((_turned(cut.low, higher), _turned(cut.high, higher)))
        recommended = Recommended(at=at(cut.threshold), low=low, high=high, elsewhere=cut.elsewhere)
    return Agreement(
        metric=metric,
        rows=len(pairs),
        good=sum(good),
        unscored=unscored,
        graded=graded,
        auroc=auroc(values, good),
        correlation=spearman(values, labels) if graded else None,
        configured=at(_turned(configured, higher)) if both and configured is not None else None,
        recommended=recommended,
        disagreements=_disagreements(pairs, worst, cut.threshold if cut else None),
        unscored_because=because,
        higher_is_better=higher,
    )


def _why(metric: str, result: SampleResult) -> str:
    """Why a row has no score: first the row, then what happened, with the metric named nowhere."""
    error = next((failure.error for failure in result.failures if failure.metric == metric), "")
    if ": " in error and error.startswith(f"{metric} of row "):
        error = error.partition("): " if result.sample.source else "': ")[2] or error
    return f"{result.sample.id}: {error.removeprefix(f'{metric}: ')}" if error else ""


def _turned(value: float, higher_is_better: bool) -> float:
    return value if higher_is_better else round(1 - value, 12)


def _disagreements(pairs: Sequence[_Pair], worst: int, threshold: float | None) -> tuple[Disagreement, ...]:
    """The rows whose score lies farthest from their label, of those that the threshold puts on the wrong side."""

    def apart(pair: _Pair) -> float:
        return abs(pair.goodness - pair.label)

    wrong = [
        pair
        for pair in pairs
        if ((pair.goodness >= threshold) != pair.good if threshold is not None else apart(pair) >= _DISAGREES)
    ]
    return tuple(
        Disagreement(
            row=pair.row.sample.id,
            source=pair.row.sample.source,
            score=pair.score.value,
            label=pair.label,
            response=pair.row.sample.response or "",
            reason=_reason(pair),
        )
        for pair in sorted(wrong, key=apart, reverse=True)[:worst]
    )


def _reason(pair: _Pair) -> str:
    """The critic's line; where it called a good row bad, also the piece that counted most against it."""
    against = [finding for finding in pair.score.evidence if finding.bad]
    if not pair.good or not against:
        return pair.score.reason
    worst = min(against, key=lambda finding: finding.value)
    return f"{pair.score.reason}; against it: {worst.text}" if pair.score.reason else worst.text
