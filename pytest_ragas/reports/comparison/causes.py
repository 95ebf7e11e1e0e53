"""Whose fault the rows are that broke since the baseline: retrieval or generation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pytest_ragas.reports.diagnosis import diagnosis_of_row
from pytest_ragas.values.comparison import Comparison, Incomparable
from pytest_ragas.values.recorded import RecordedRow, RowKey


def broken_causes(comparison: Comparison | Incomparable, rows: Iterable[RecordedRow]) -> str:
    """How many of the rows that broke are whose fault; empty where nothing broke, or no score can tell.

    Args:
        comparison: What became of it.
        rows: Of the run of today.

    Returns:
        "retrieval 12, generation 3".
    """
    if isinstance(comparison, Incomparable):
        return ""
    fell: dict[RowKey, set[str]] = {}
    for found in comparison.breaks:
        fell.setdefault(found.key, set()).add(found.metric)
    causes: Counter[str] = Counter()
    for row in rows if fell else ():
        if row.key in fell and (diagnosis := diagnosis_of_row(row, fell=fell[row.key])):
            causes[diagnosis.cause] += 1
    return ", ".join(f"{cause} {causes[cause]:,}" for cause in ("retrieval", "generation") if causes[cause])
