"""Retrieval or generation, counted over the rows that broke since a baseline."""

from __future__ import annotations

from dataclasses import replace

from pytest_ragas.reports.comparison.causes import broken_causes
from pytest_ragas.reports.comparison.markdown import comparison_markdown
from pytest_ragas.reports.comparison.terminal import comparison_lines
from pytest_ragas.values.comparison import Comparison, HardBreak, Incomparable, Pairing
from pytest_ragas.values.recorded import RecordedRow, RecordedScore, RowKey


def row(id: str, **scores: float) -> RecordedRow:
    return RecordedRow(
        key=RowKey(test="t", sample_id=id),
        content="",
        answer="",
        outcome="passed",
        scores=tuple(RecordedScore(metric=metric, value=value) for metric, value in scores.items()),
    )


ROWS = [
    row("a", context_recall=0.1, faithfulness=1.0),
    row("b", context_recall=1.0, faithfulness=0.4),
    row("c", context_recall=0.2, faithfulness=0.4),
    row("d", faithfulness=0.4),
    row("e", context_recall=0.1, faithfulness=0.1),
]


def comparison() -> Comparison:
    broken = [("a", "context_recall"), ("b", "faithfulness"), ("c", "faithfulness"), ("d", "faithfulness")]
    breaks = [
        HardBreak(key=RowKey(test="t", sample_id=id), metric=metric, before=1.0, after=0.2, why="fell", allowed=0.5)
        for id, metric in broken
    ]
    return Comparison(baseline="main", pairing=Pairing(pairs=()), changes=(), breaks=tuple(breaks))


def test_causes_of_broken_rows_are_counted_without_any_threshold() -> None:
    causes = broken_causes(comparison(), ROWS)
    assert causes == "retrieval 2, generation 1"
    lines = [line.text for line in comparison_lines(comparison(), width=80, questions={}, causes=causes)]
    place = next(number for number, line in enumerate(lines) if line.startswith("rows that broke"))
    assert lines[place + 5] == "  of these: retrieval 2, generation 1"
    assert "Of these: retrieval 2, generation 1\n" in comparison_markdown(comparison(), questions={}, causes=causes)


def test_nothing_is_said_where_nothing_broke() -> None:
    assert broken_causes(replace(comparison(), breaks=()), ROWS) == ""
    assert broken_causes(Incomparable(baseline="main", differences=("x",), mends=()), ROWS) == ""
    assert "of these" not in "".join(line.text for line in comparison_lines(comparison(), width=80, questions={}))
