"""Thresholds + scores -> the outcome of a sample; gate + results -> the verdict on a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_ragas.gates.aggregate import aggregate
from pytest_ragas.values.gate import Breach, Gate, GateVerdict, Operator, Outcome, Threshold
from pytest_ragas.values.origin import question_type, sources
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure

_ROUNDING = 1e-9
"""Two numbers this close are equal: nobody's bound means the last bits of a sum."""

_WORST_FIRST: tuple[Outcome, ...] = ("failed", "error", "not run", "passed")


def decide_sample(
    scores: Sequence[Score], failures: Sequence[ScoreFailure], thresholds: Sequence[Threshold]
) -> tuple[Outcome, tuple[Breach, ...]]:
    """What became of one sample.

    - failed: a score broke its threshold, whatever else is missing: that verdict is known.
    - error: else, a score that was asked for is missing.
    - not run: else, everything that is missing was not run: budget, interruption.
    - passed: everything is there, and every threshold holds. Equal to the bound holds.

    Args:
        scores: The scores that are there.
        failures: Why others are not; a failure counts with or without a threshold on its metric.
        thresholds: What the test holds them to. A threshold whose metric has neither score nor failure is an error.

    Returns:
        The outcome, and the thresholds that broke, in their order.
    """
    found = {score.metric: score for score in scores}
    breaches = tuple(
        Breach(threshold=threshold, value=score.value, higher_is_better=score.higher_is_better)
        for threshold in thresholds
        if (score := found.get(threshold.metric)) is not None
        and not threshold.holds(score.value, higher_is_better=score.higher_is_better)
    )
    if breaches:
        return "failed", breaches
    explained = {failure.metric for failure in failures}
    unexplained = any(threshold.metric not in found and threshold.metric not in explained for threshold in thresholds)
    if unexplained or any(failure.kind != "not run" for failure in failures):
        return "error", ()
    return ("not run" if failures else "passed"), ()


def decide_gate(gate: Gate, results: Sequence[SampleResult], *, min_coverage: float) -> GateVerdict:
    """What became of a gate.

    A gate on a metric counts the samples that were to be scored with it. `pass_rate(metric)` counts those that
    were held to a threshold on it, and a pass is a score that holds. `pass_rate()` counts tests: one that failed with
    any of its samples is a failure, one that has an error or was not run has no score.

    Args:
        gate: The bound; its metric in the spelling that scores carry.
        results: Of the whole run.
        min_coverage: Share of the counted samples that must have a score, in (0, 1].

    Returns:
        "incomplete", which is red, where nothing is there to count or too little of it has a score; the value is
        that of the scores that are there. Else "passed" or "failed". Equal to the bound is equal up to 1e-9.
    """
    counted = [result for result in results if lies_in(result.sample, gate)]
    if gate.aggregate != "pass_rate":
        values = _scores(counted, gate.metric)
    elif gate.metric:
        values = _held(counted, gate.metric)
    else:
        values = [_passed(outcome) for outcome in outcome_by_test(counted).values()]
    scored = [value for value in values if value is not None]
    value = aggregate(scored, gate.aggregate) if scored else None
    covered = bool(scored) and len(scored) >= min_coverage * len(values) - _ROUNDING
    if value is None or not covered:
        outcome = "incomplete"
    else:
        outcome = "passed" if _holds(value, gate.operator, gate.bound) else "failed"
    return GateVerdict(
        gate=gate,
        outcome=outcome,  # type: ignore[arg-type]
        value=value,
        scored=len(scored),
        total=len(values),
    )


def lies_in(sample: Sample, gate: Gate) -> bool:
    """Whether a sample is one of those that a gate's filters leave: all of them hold."""
    if gate.tag and gate.tag not in sample.tags:
        return False
    if gate.question_type and gate.question_type != question_type(sample.metadata):
        return False
    return not gate.source or gate.source in sources(sample.metadata)


def outcome_by_test(results: Iterable[SampleResult]) -> Mapping[str, Outcome]:
    """The outcome of each test: the worst of its samples', failed before error before not run before passed.

    Args:
        results: Of any number of tests; one without a node id counts as a test of its own.

    Returns:
        Outcomes by node id, in order of first appearance.
    """
    worst: dict[str, Outcome] = {}
    for number, result in enumerate(results):
        test = result.nodeid or f"#{number}"
        before = worst.get(test, "passed")
        worst[test] = min(before, result.outcome, key=_WORST_FIRST.index)
    return worst


def _scores(results: Iterable[SampleResult], metric: str) -> list[float | None]:
    """The score of each sample that was to be scored with this metric; None where it is missing."""
    values: list[float | None] = []
    for result in results:
        found = [score.value for score in result.scores if score.metric == metric]
        if found:
            values.append(found[0])
        elif _asked(result, metric):
            values.append(None)
    return values


def _asked(result: SampleResult, metric: str) -> bool:
    return any(failure.metric == metric for failure in result.failures) or any(
        threshold.metric == metric for threshold in result.thresholds
    )


def _held(results: Iterable[SampleResult], metric: str) -> list[float | None]:
    """1 or 0 for each sample that was held to a threshold on this metric; None where the score is missing."""
    values: list[float | None] = []
    for result in results:
        found = {score.metric: score for score in result.scores}.get(metric)
        for threshold in result.thresholds:
            if threshold.metric != metric:
                continue
            if found is None:
                values.append(None)
            else:
                values.append(float(threshold.holds(found.value, higher_is_better=found.higher_is_better)))
    return values


def _passed(outcome: Outcome) -> float | None:
    return {"passed": 1.0, "failed": 0.0}.get(outcome)


def _holds(value: float, operator: Operator, bound: float) -> bool:
    if operator == ">=":
        return value >= bound - _ROUNDING
    if operator == ">":
        return value > bound + _ROUNDING
    if operator == "<=":
        return value <= bound + _ROUNDING
    return value < bound - _ROUNDING
