"""Rows with their scores as records, in the shape of the `<testset>_score.json` that EvalScope writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ragas.values.run import Run

_SAID = ("source",)
"""Fields of a sample that are for messages alone."""


def score_records(run: Run) -> list[dict[str, Any]]:
    """One record for each row: what is given of it, then one column for each metric.

    A score that could not be computed is null, and the column `errors` of its row says why. Every record has every
    metric.
    """
    metrics = run.metrics()
    records = []
    for result in run.results:
        row = {name: value for name, value in result.sample.to_json().items() if name not in _SAID}
        scores = {score.metric: score.value for score in result.scores}
        record: dict[str, Any] = {**row, **{metric: scores.get(metric) for metric in metrics}}
        if result.failures:
            record["errors"] = {failure.metric: failure.error for failure in result.failures}
        records.append(record)
    return records


def means(run: Run) -> dict[str, float | None]:
    """The mean of each metric; None where a row has no score, since a mean over the rest says something else."""
    found: dict[str, list[float | None]] = {metric: [] for metric in run.metrics()}
    for result in run.results:
        scores = {score.metric: score.value for score in result.scores}
        for metric, values in found.items():
            values.append(scores.get(metric))
    return {metric: _mean(values) for metric, values in found.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    scored = [value for value in values if value is not None]
    return sum(scored) / len(values) if values and len(scored) == len(values) else None
