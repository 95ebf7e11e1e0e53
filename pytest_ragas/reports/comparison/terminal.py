"""A comparison with a baseline as lines of a terminal, one screen. Pure: plugin and console script write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ragas.reports.comparison import words
from pytest_ragas.reports.numbers import score
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.reports.terminal import Line, wrapped_lines
from pytest_ragas.reports.width import pad, shorten, width_of
from pytest_ragas.values.comparison import Comparison, Incomparable, MetricChange
from pytest_ragas.values.recorded import RowKey

_RED = {"red": True}
_ALARM = {"red": True, "bold": True}
_GREEN = {"green": True}
_YELLOW = {"yellow": True}
_BOLD = {"bold": True}

_QUESTION_ROOM = 12
"""Columns below which the beginning of a question says nothing."""

_SLICES = 3


def comparison_lines(
    comparison: Comparison | Incomparable,
    *,
    width: int,
    questions: Mapping[RowKey, str],
    causes: str = "",
    verbosity: int = 0,
) -> list[Line]:
    """What a person wants to know of a comparison.

    Args:
        comparison: What became of it.
        width: Columns of the terminal; no line is wider.
        questions: What rows ask, where that is known.
        causes: Whose fault the rows that broke are, as `broken_causes` says it.
        verbosity: pytest's: below 0 the table and the verdict alone; above 0 more of the broken rows.
    """
    if isinstance(comparison, Incomparable):
        return outcome_lines(comparison, width=width)
    lines = _table(comparison.changes, width) if comparison.changes else []
    if verbosity >= 0:
        lines += _broken(comparison, 12 if verbosity > 0 else 5, width, questions)
        lines += wrapped_lines(f"  of these: {causes}", width, {}) if causes else []
        lines += _slices(comparison, width)
        lines += [Line(text=""), *_rows(comparison, width)]
        if seen := words.detectable_words(comparison.changes):
            lines += wrapped_lines(seen, width, {})
        if turned := words.upside_down(comparison):
            lines += wrapped_lines(turned, width, {})
    for remark in (*(f"compared anyway: {found}" for found in comparison.differences), *comparison.notes):
        lines += wrapped_lines(remark, width, _YELLOW)
    return lines + outcome_lines(comparison, width=width)


def outcome_lines(comparison: Comparison | Incomparable, *, width: int) -> list[Line]:
    """The verdict, with a line for each reason where it is red."""
    markup = _ALARM if comparison.failed else _GREEN
    return [line for text in words.outcome_words(comparison) for line in wrapped_lines(text, width, markup)]


def _table(changes: Sequence[MetricChange], width: int) -> list[Line]:
    columns = [
        Column(title="metric", cells=[change.metric for change in changes], right=False),
        Column(title="n", cells=[f"{change.pairs:,}" for change in changes], weight=2),
        Column(title="before", cells=[score(change.before) for change in changes]),
        Column(title="now", cells=[score(change.after) for change in changes]),
        Column(title="change", cells=[words.signed(change.change) for change in changes]),
        Column(title="95 % interval", cells=[words.interval(change) for change in changes], weight=4),
        Column(title="p", cells=[words.probability(change.p) for change in changes], weight=3),
        Column(title="", cells=[words.verdict(change) for change in changes], right=False),
    ]
    if any(change.clusters != change.pairs for change in changes):
        columns.insert(2, Column(title="clusters", cells=[f"{change.clusters:,}" for change in changes], weight=1))
    head, *rows = table_lines(columns, width=width)
    marks = [_RED if change.failed else _GREEN if change.low > 0 else {} for change in changes]
    return [
        Line(text=head, markup=_BOLD),
        *(Line(text=row, markup=mark) for row, mark in zip(rows, marks, strict=True)),
    ]


def _broken(comparison: Comparison, number: int, width: int, questions: Mapping[RowKey, str]) -> list[Line]:
    rows = words.broken_rows(comparison.breaks)
    if not rows:
        return []
    shown = rows[:number]
    columns = [
        Column(title="", cells=[f"  {row.key.sample_id}" for row in shown], right=False),
        Column(title="", cells=[row.what for row in shown], right=False),
        Column(title="", cells=["flipped" if row.flipped else "" for row in shown], right=False, weight=1),
    ]
    texts = table_lines(columns, width=width)[1:]
    size = max(map(width_of, texts))
    lines = [Line(text=""), *wrapped_lines(words.broken_title(comparison.breaks), width, _BOLD)]
    for row, text in zip(shown, texts, strict=True):
        room = width - size - 2
        question = questions.get(row.key, "") if room >= _QUESTION_ROOM else ""
        lines.append(Line(text=f"{pad(text, size)}  {shorten(question, room)}".rstrip(), markup=_RED))
    rest = len(rows) - len(shown)
    return [*lines, Line(text=shorten(f"  .. and {rest:,} more", width), markup=_RED)] if rest else lines


def _slices(comparison: Comparison, width: int) -> list[Line]:
    if not comparison.slices:
        return []
    lines = [Line(text=""), Line(text=shorten("where the drop is", width), markup=_BOLD)]
    shown = sorted(comparison.slices, key=lambda change: change.change)[:_SLICES]
    lines += [Line(text=shorten(f"  {words.slice_words(change)}", width)) for change in shown]
    rest = len(comparison.slices) - len(shown)
    return [*lines, Line(text=shorten(f"  .. and {rest:,} more slices", width))] if rest else lines


def _rows(comparison: Comparison, width: int) -> list[Line]:
    lines = wrapped_lines(words.rows_words(comparison.pairing), width, {})
    for kind, ids in words.listed_rows(comparison.pairing):
        lines.append(Line(text=shorten(f"  {pad(kind, 8)}  {', '.join(ids)}", width)))
    return lines
