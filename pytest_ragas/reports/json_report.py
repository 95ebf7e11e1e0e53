"""`json_report`: a whole run as JSON, for dashboards and other programs. `report.schema.json` says what it holds."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_ragas.files.json_value import plain
from pytest_ragas.reports.diagnosis import diagnosis_of
from pytest_ragas.settings.prices import cost_of, known_price
from pytest_ragas.settings.values import Settings
from pytest_ragas.values.gate import Gate, GateVerdict, Threshold
from pytest_ragas.values.run import ModelUse, Run, SampleResult
from pytest_ragas.values.spent import Spent

REPORT_FORMAT = 1
"""Version of the report's format."""

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")

OUTCOMES = ("passed", "failed", "error", "not run")


@functools.cache
def report_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a report."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def json_report(
    run: Run,
    *,
    created: str,
    version: str,
    complete: bool,
    verdicts: Sequence[GateVerdict] = (),
    undecided: Sequence[Gate] = (),
    settings: Settings,
    spent: Spent,
) -> dict[str, Any]:
    """Everything that a run has found out.

    Args:
        run: The run.
        created: When, in UTC: "2026-03-01T12:00:00Z".
        version: Of pytest-ragas.
        complete: Whether it came to its end; results that were not run make it incomplete in any case.
        verdicts: Gates that were decided.
        undecided: Gates that were not: the run was stopped, or no test is scored with their metric.
        settings: What may be spent, and what models cost.
        spent: What was spent.

    Returns:
        A JSON object without NaN, of the published schema.
    """
    return {
        "report_format": REPORT_FORMAT,
        "created": created,
        "pytest_ragas": version,
        "complete": complete and not any(_unrun(result) for result in run.results),
        "seconds": round(run.seconds, 3),
        "outcomes": {outcome: sum(result.outcome == outcome for result in run.results) for outcome in OUTCOMES},
        "metrics": {metric: _metric(run, metric) for metric in run.metrics()},
        "gates": [*map(_verdict, verdicts), *map(_undecided, undecided)],
        "models": [_model(use, settings) for use in run.models],
        "budget": {
            "max_calls": settings.max_calls,
            "max_tokens": settings.max_tokens,
            "max_usd": settings.max_usd,
            "max_seconds": settings.max_seconds,
            **spent.to_json(),
        },
        "results": [_result(result) for result in run.results],
    }


def _unrun(result: SampleResult) -> bool:
    return any(failure.kind == "not run" for failure in result.failures)


def _metric(run: Run, metric: str) -> dict[str, Any]:
    scores = [score for result in run.results for score in result.scores if score.metric == metric]
    failures = sum(failure.metric == metric for result in run.results for failure in result.failures)
    return {
        "mean": math.fsum(score.value for score in scores) / len(scores) if scores else None,
        "scored": len(scores),
        "total": len(scores) + failures,
        "higher_is_better": all(score.higher_is_better for score in scores),
    }


def _result(result: SampleResult) -> dict[str, Any]:
    found = diagnosis_of(result) if result.outcome == "failed" else None
    return {
        "nodeid": result.nodeid,
        "outcome": result.outcome,
        "seconds": round(result.seconds, 3),
        "sample": plain(result.sample.to_json()),
        "scores": [score.to_json() for score in result.scores],
        "failures": [_failure(failure.to_json()) for failure in result.failures],
        "thresholds": [_threshold(threshold, result) for threshold in result.thresholds],
        "diagnosis": None if found is None else found.to_json(),
    }


def _failure(failure: dict[str, Any]) -> dict[str, Any]:
    # the row stands beside it
    return {name: value for name, value in failure.items() if name != "sample_id" and (name != "raw" or value)}


def _threshold(threshold: Threshold, result: SampleResult) -> dict[str, Any]:
    score = next((score for score in result.scores if score.metric == threshold.metric), None)
    held = threshold.holds(score.value, higher_is_better=score.higher_is_better) if score is not None else None
    return {"metric": threshold.metric, "bound": threshold.bound, "held": held}


def _verdict(verdict: GateVerdict) -> dict[str, Any]:
    return {
        **_gate(verdict.gate),
        "outcome": verdict.outcome,
        "value": verdict.value,
        "scored": verdict.scored,
        "total": verdict.total,
    }


def _undecided(gate: Gate) -> dict[str, Any]:
    return {**_gate(gate), "outcome": "not decided", "value": None, "scored": 0, "total": 0}


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "text": gate.text,
        "aggregate": gate.aggregate,
        "metric": gate.metric,
        "filters": dict(gate.filters),
        "operator": gate.operator,
        "bound": gate.bound,
    }


def _model(use: ModelUse, settings: Settings) -> dict[str, Any]:
    price = known_price(use.identity, settings)
    return {
        "role": use.role,
        **use.identity.to_json(),
        "usage": asdict(use.usage),
        "usd": cost_of(use.usage, price) if price is not None else None,
        "notes": list(use.notes),
    }
