"""What judging a run again has changed, as lines of a terminal. Pure: the console script writes them."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.reports.numbers import score as shown
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.values.recorded import RecordedRun


def rejudged_lines(before: RecordedRun, now: RecordedRun, *, width: int) -> list[str]:
    """A line for each metric: its mean then and now, over the rows that have both scores."""
    metrics = dict.fromkeys(score.metric for row in now.rows for score in row.scores)
    pairs = {metric: _pairs(before, now, metric) for metric in metrics}
    missing = {metric: sum(metric in row.failures for row in now.rows) for metric in metrics}
    columns = [
        Column(title="metric", cells=list(metrics), right=False),
        Column(title="rows", cells=[f"{len(found):,}" for found in pairs.values()]),
        Column(title="recorded", cells=[shown(_mean([a for a, _ in found])) for found in pairs.values()]),
        Column(title="today", cells=[shown(_mean([b for _, b in found])) for found in pairs.values()]),
        Column(title="moved", cells=[f"{sum(a != b for a, b in found):,}" for found in pairs.values()], weight=1),
        Column(title="unscored", cells=[f"{number:,}" for number in missing.values()]),
    ]
    return table_lines(columns, width=width) if metrics else []


def _pairs(before: RecordedRun, now: RecordedRun, metric: str) -> list[tuple[float, float]]:
    found = []
    for old, new in zip(before.rows, now.rows, strict=True):
        first, second = old.score(metric), new.score(metric)
        if first is not None and second is not None:
            found.append((first.value, second.value))
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
