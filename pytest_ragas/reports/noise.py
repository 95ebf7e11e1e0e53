"""How much a critic varies over the same answer, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas.reports.numbers import count
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.statistics.spread import Spread, pooled_spread

Judgements = Mapping[str, Sequence[Sequence[float]]]
"""Metric -> the judgements of each answer."""

_SURE = 1.96
"""19 of 20 values of a normal distribution lie within so many standard deviations."""

_ROWS = 100

_FEW = 20
"""Degrees of freedom below which a spread is known to worse than a sixth of itself."""


def noise_lines(judgements: Judgements, *, width: int) -> list[str]:
    """A table with a row for each metric, and how to read it.

    Args:
        judgements: Answers that were judged once are not counted.
        width: Columns of the terminal.
    """
    found = _measured(judgements)
    if not found:
        return []
    columns = [
        Column(title="metric", cells=[metric for metric, _, _ in found], right=False),
        Column(title="answers", cells=[f"{len(rows):,}" for _, rows, _ in found], weight=3),
        Column(title="judgements", cells=[f"{sum(map(len, rows)):,}" for _, rows, _ in found], weight=1),
        Column(title="vary", cells=[f"{_varying(rows):,}" for _, rows, _ in found], weight=4),
        Column(title="spread", cells=[f"{spread.value:.3f}" for _, _, spread in found]),
        Column(title="one score", cells=[f"± {_of_score(spread):.2f}" for _, _, spread in found]),
        Column(
            title=f"change of {_ROWS} rows", cells=[f"± {_of_mean(spread):.3f}" for _, _, spread in found], weight=5
        ),
    ]
    lines = table_lines(columns, width=width)
    few = [f"{metric} ({count(spread.degrees, 'degree')} of freedom)" for metric, _, spread in found if _rough(spread)]
    if few:
        lines.append(f"roughly known, from few repeats: {', '.join(few)}")
    return lines


def noise_json(judgements: Judgements) -> dict[str, Any]:
    """The same for programs."""
    return {
        "format": 1,
        "metrics": [
            {
                "metric": metric,
                "answers": len(rows),
                "judgements": sum(map(len, rows)),
                "varying": _varying(rows),
                "spread": spread.value,
                "degrees": spread.degrees,
            }
            for metric, rows, spread in _measured(judgements)
        ],
    }


def _measured(judgements: Judgements) -> list[tuple[str, list[Sequence[float]], Spread]]:
    found = []
    for metric, answers in judgements.items():
        rows = [values for values in answers if len(values) > 1]
        if (spread := pooled_spread(rows)) is not None:
            found.append((metric, rows, spread))
    return found


def _varying(rows: Sequence[Sequence[float]]) -> int:
    return sum(max(values) - min(values) > 1e-9 for values in rows)


def _of_score(spread: Spread) -> float:
    return _SURE * spread.value


def _of_mean(spread: Spread) -> float:
    return _SURE * spread.value * math.sqrt(2 / _ROWS)


def _rough(spread: Spread) -> bool:
    return spread.degrees < _FEW
