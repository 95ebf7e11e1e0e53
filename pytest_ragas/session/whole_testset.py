"""A whole testset scored at once, outside of a test run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from pytest_ragas.errors import ConfigurationError, MetricError
from pytest_ragas.gates.decide import decide_gate
from pytest_ragas.gates.expression import parse_gate
from pytest_ragas.session.judging import check_samples
from pytest_ragas.session.session import Session
from pytest_ragas.values.gate import Gate, GateVerdict
from pytest_ragas.values.run import Run, SampleResult
from pytest_ragas.values.testset import Testset


def score_testset(session: Session, testset: Testset, *, raise_exceptions: bool = False) -> Run:
    """Score every row with the metrics of the settings, all of them at the same time.

    Args:
        session: Of this process.
        testset: Rows with their answers.
        raise_exceptions: Whether the first score that cannot be computed, in the order of the rows, is an error.

    Returns:
        One result for each row, in their order; a score that could not be computed is a failure of its row.

    Raises:
        TestsetError: Rows lack a field that a metric needs; names all of them. No call was made.
        MetricError: A score could not be computed, and that is to be an error.
        ConfigurationError: A metric does not exist, or needs a model that is not configured or cannot be had.
    """
    started = time.perf_counter()
    evaluator = session.evaluator()
    plan = evaluator.plan()
    check_samples((sample, plan) for sample in testset)
    tickets = [evaluator.submit(sample, plan) for sample in testset]
    results = []
    try:
        for ticket in tickets:
            result = ticket.result()
            results.append(result)
            if raise_exceptions and result.failures:
                failure = result.failures[0]
                raise MetricError(f"{failure.metric} of row {failure.sample_id!r}: {failure.error}")
    finally:
        for ticket in tickets[len(results) :]:
            ticket.cancel()
    check_any(results)
    return Run(results=tuple(results), models=session.models(), seconds=time.perf_counter() - started)


def check_any(results: Sequence[SampleResult]) -> None:
    """Make sure that something could be scored at all, where the configuration is what is wrong.

    Raises:
        ConfigurationError: Nothing was scored, for lack of a key, a library or weights: it is no matter of the rows.
    """
    failures = [failure for result in results for failure in result.failures]
    scored = any(result.scores for result in results)
    if failures and not scored and all(failure.kind == "configuration" for failure in failures):
        raise ConfigurationError(failures[0].error)


def read_gates(session: Session) -> tuple[Gate, ...]:
    """The gates of the settings, metrics in standard spelling.

    Raises:
        ConfigurationError: A gate cannot be read, or names a metric that does not exist.
    """
    gates = [parse_gate(text) for text in session.settings.gates]
    canonical = session.registry.canonical
    return tuple(
        replace(gate, metric=canonical(gate.metric, where=f"the gate {gate.text!r}")) if gate.metric else gate
        for gate in gates
    )


def verdicts(
    session: Session, gates: Sequence[Gate], results: Sequence[SampleResult]
) -> tuple[tuple[GateVerdict, ...], tuple[Gate, ...]]:
    """What became of the gates, and those on metrics that nothing was scored with."""
    decided = [decide_gate(gate, results, min_coverage=session.settings.min_coverage) for gate in gates]
    asked = tuple(verdict for verdict in decided if verdict.total)
    return asked, tuple(verdict.gate for verdict in decided if not verdict.total)
