"""One sample, scored with every metric of a plan: computed, or found stored."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from pytest_ragas.errors import MissingFieldError, TestsetError, listed
from pytest_ragas.gates.decide import decide_sample
from pytest_ragas.judgements.stored_metric import StoredMetric
from pytest_ragas.metrics.requirements import check_fields, missing_fields
from pytest_ragas.scoring.repeats import RepeatedMetric
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.session.plan import Plan
from pytest_ragas.values.gate import Breach
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure


def check_sample(sample: Sample, plan: Plan) -> None:
    """Find out, before any call is made, whether a sample has what the plan's metrics need.

    Raises:
        MissingFieldError: It does not; the message names row, metric and field.
    """
    for built in plan.metrics:
        check_fields(sample, built.spec)


def check_samples(planned: Iterable[tuple[Sample, Plan]], *, undone: str = "scored") -> None:
    """Find out, before any call is made, which samples lack what the metrics of their plans need.

    Args:
        planned: Rows with their answers, each with its plan.
        undone: What has not been done, for the message: "scored", "judged".

    Raises:
        TestsetError: Some do; names all of them.
    """
    lacking = []
    for sample, plan in planned:
        try:
            check_sample(sample, plan)
        except MissingFieldError as error:
            lacking.append(f"  {error}")
    if lacking:
        count = "1 row lacks" if len(lacking) == 1 else f"{len(lacking)} rows lack"
        raise TestsetError(f"{count} what a metric needs, and nothing was {undone}:\n{listed(lacking)}")


def lacks(sample: Sample, plan: Plan) -> set[str]:
    """What a sample does not have of all that the plan's metrics need."""
    return {name for built in plan.metrics for name in missing_fields(sample, built.spec)}


async def judge(sample: Sample, plan: Plan, *, nodeid: str = "") -> SampleResult:
    """Score one sample with every metric of a plan, concurrently, and hold it to the thresholds."""
    start = time.perf_counter()
    scores, failures = await score_sample(sample, plan.metrics)
    return _result(sample, plan, scores, failures, nodeid=nodeid, start=start)


def stored_result(sample: Sample, plan: Plan, *, nodeid: str = "") -> SampleResult | None:
    """What `judge` would give, if every score of the plan is stored and at hand; else None."""
    start = time.perf_counter()
    scores = []
    for built in plan.metrics:
        metric = built.metric
        score = metric.stored(sample) if isinstance(metric, (StoredMetric, RepeatedMetric)) else None
        if score is None:
            return None
        scores.append(score)
    return _result(sample, plan, scores, (), nodeid=nodeid, start=start)


def _result(
    sample: Sample,
    plan: Plan,
    scores: Sequence[Score],
    failures: Sequence[ScoreFailure],
    *,
    nodeid: str,
    start: float,
) -> SampleResult:
    outcome, _ = decide_sample(scores, failures, plan.thresholds)
    return SampleResult(
        sample=sample,
        scores=tuple(scores),
        failures=tuple(failures),
        thresholds=plan.thresholds,
        outcome=outcome,
        nodeid=nodeid,
        seconds=time.perf_counter() - start,
    )


def breaches(result: SampleResult) -> tuple[Breach, ...]:
    """The thresholds that a result broke."""
    return decide_sample(result.scores, result.failures, result.thresholds)[1]
