"""The recorded answers of a run, judged again by what judges today: then later runs compare with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_ragas.baselines.environment import environment
from pytest_ragas.baselines.record import record
from pytest_ragas.errors import BaselineError, MissingFieldError, PytestRagasError, UnknownNameError, cut
from pytest_ragas.gates.decide import decide_sample
from pytest_ragas.session.calibration import Progress, results_of
from pytest_ragas.session.evaluator import Evaluator
from pytest_ragas.session.judging import check_sample
from pytest_ragas.session.plan import Plan
from pytest_ragas.session.session import Session
from pytest_ragas.session.whole_testset import check_any
from pytest_ragas.values.recorded import MetricIdentity, RecordedRow, RecordedRun, RecordedScore
from pytest_ragas.values.run import Run, SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejudged:
    """What came of it."""

    run: RecordedRun
    """The answers and the commit of the earlier run, with scores and identities of today."""
    kept: tuple[str, ...]
    """Metrics that exist in the project's tests alone, and ask no model: their scores are the recorded ones."""

    @property
    def failures(self) -> tuple[tuple[RecordedRow, str, str], ...]:
        """(row, metric, why): what could not be judged."""
        return tuple((row, metric, why) for row in self.run.rows for metric, why in row.failures.items())


def rejudge(
    session: Session, run: RecordedRun, *, metrics: Sequence[str] = (), progress: Progress | None = None
) -> Rejudged:
    """Judge every answer of a run again, all of them at the same time. Each row is held to its own thresholds.

    Args:
        session: With today's critic, embeddings, metrics and prompts.
        run: Every row with its answer.
        metrics: To judge all rows with; each row's own ones, if not given.
        progress: Takes how many rows are judged, and how many there are.

    Returns:
        A run whose rows pair with those of the earlier one. A score that could not be had is a failure of its row.

    Raises:
        BaselineError: A row has no answer.
        UnknownNameError: A row was scored with a metric that is not known here, and that asks a model.
        ConfigurationError: A metric needs a model that is not configured or cannot be had.
    """
    started = time.perf_counter()
    evaluator = session.evaluator()
    unknown = _unknown(session, run, metrics)
    plans = [_plan(evaluator, row, metrics, unknown) for row in run.rows]
    results: dict[int, SampleResult] = {}
    tickets = []
    for number, (row, plan) in enumerate(zip(run.rows, plans, strict=True)):
        sample = _answer(row)
        try:
            check_sample(sample, plan)
        except MissingFieldError as error:
            results[number] = _lacking(sample, plan, error)
        else:
            tickets.append((number, evaluator.submit(sample, plan)))
    judged = results_of([ticket for _, ticket in tickets], progress)
    results.update(zip((number for number, _ in tickets), judged, strict=True))
    check_any(judged)
    rows = tuple(_row(row, results[number], unknown) for number, row in enumerate(run.rows))
    today = record(
        Run(results=tuple(results.values()), models=session.models(), seconds=time.perf_counter() - started),
        name=run.name,
        metrics=[*session.metrics(), *(identity for identity in run.metrics if identity.metric in unknown)],
        testsets=run.testsets,
        # the answers are still those of that commit
        commit=run.commit,
        environment=environment(),
        complete=run.complete,
    )
    return Rejudged(run=replace(today, rows=rows), kept=tuple(unknown))


def _unknown(session: Session, run: RecordedRun, metrics: Sequence[str]) -> dict[str, MetricIdentity]:
    """Metrics of the run that only the project's tests know; none where others were asked for."""
    if metrics:
        return {}
    identities = {identity.metric: identity for identity in run.metrics}
    found = {}
    for metric in dict.fromkeys(metric for row in run.rows for metric in _asked(row)):
        try:
            session.registry.canonical(metric, where=f"the run {run.name}")
        except UnknownNameError as error:
            identity = identities.get(metric)
            if identity is None or identity.backend != "free":
                raise UnknownNameError(
                    "metric",
                    metric,
                    session.registry.names(),
                    where=f"the run {run.name}: only its own tests know it, so name others with --metric",
                ) from error
            found[metric] = identity
    return found


def _asked(row: RecordedRow) -> list[str]:
    return [*(score.metric for score in row.scores), *row.failures]


def _plan(evaluator: Evaluator, row: RecordedRow, metrics: Sequence[str], unknown: dict[str, MetricIdentity]) -> Plan:
    names = tuple(metrics) or tuple(metric for metric in _asked(row) if metric not in unknown)
    asked = {evaluator.canonical(name) for name in names}
    bounds = {held.metric: held.bound for held in row.thresholds if held.metric in asked}
    return evaluator.plan(metrics=names, thresholds=bounds, defaults=False)


def _answer(row: RecordedRow) -> Sample:
    if row.sample is None:
        raise BaselineError(f"The row {row.key} holds no answer, so that it cannot be judged.")
    return row.sample


def _lacking(sample: Sample, plan: Plan, error: PytestRagasError) -> SampleResult:
    return SampleResult(
        sample=sample,
        scores=(),
        failures=tuple(
            ScoreFailure(metric=built.name, sample_id=sample.id, kind="sample", error=cut(str(error)))
            for built in plan.metrics
        ),
        thresholds=plan.thresholds,
        outcome="error",
    )


def _row(row: RecordedRow, result: SampleResult, unknown: dict[str, MetricIdentity]) -> RecordedRow:
    """The row as it was, with what is said of it today, and what was said of it by metrics that are not known here."""
    [today] = record(Run(results=(result,))).rows
    kept = [score for score in row.scores if score.metric in unknown]
    bounds = tuple(held for held in row.thresholds if held in result.thresholds or held.metric in unknown)
    outcome, _ = decide_sample([*result.scores, *map(_score, kept)], result.failures, bounds)
    return replace(
        row,
        outcome=outcome,
        scores=tuple(sorted([*today.scores, *kept], key=lambda score: score.metric)),
        failures={**today.failures, **{m: why for m, why in row.failures.items() if m in unknown}},
        thresholds=bounds,
    )


def _score(score: RecordedScore) -> Score:
    return Score(metric=score.metric, value=score.value, higher_is_better=score.higher_is_better)
