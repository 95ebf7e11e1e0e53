"""Many runs beside each other: a table for each metric, every run held against the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.reports.comparison import words
from pytest_ragas.reports.comparison.markdown import code, markdown_table, plain
from pytest_ragas.reports.numbers import score
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.reports.terminal import Line, wrapped_lines
from pytest_ragas.values.comparison import Comparison, Incomparable, MetricChange
from pytest_ragas.values.recorded import RecordedRun


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedRun:
    """One run of several."""

    name: str
    run: RecordedRun
    against: Comparison | Incomparable | None
    """How it stands against the first run; None for the first one."""

    def values(self, metric: str) -> list[float]:
        """Every score of one metric."""
        return [score.value for row in self.run.rows if (score := row.score(metric)) is not None]

    def change(self, metric: str) -> MetricChange | None:
        """How a metric changed since the first run, over the rows that both have."""
        if not isinstance(self.against, Comparison):
            return None
        return next((change for change in self.against.changes if change.metric == metric), None)


def metrics_of(runs: Sequence[ComparedRun]) -> list[str]:
    """The metrics of all runs, in alphabetical order."""
    return sorted({score.metric for entry in runs for row in entry.run.rows for score in row.scores})


def runs_lines(runs: Sequence[ComparedRun], *, width: int) -> list[Line]:
    """A table for each metric, as lines of a terminal that are not wider than it."""
    lines: list[Line] = []
    for metric in metrics_of(runs):
        head, *rows = _rows(runs, metric)
        columns = [
            Column(title=title, cells=[row[place] for row in rows], right=0 < place < len(head) - 1, weight=weight)
            for place, (title, weight) in enumerate(zip(head, (0, 3, 0, 0, 2, 1, 0), strict=True))
        ]
        titles, *texts = table_lines(columns, width=width)
        lines += [Line(text=""), Line(text=titles, markup={"bold": True})]
        lines += [
            Line(text=text, markup=_markup(entry.change(metric))) for text, entry in zip(texts, runs, strict=True)
        ]
    for text in _remarks(runs):
        lines += wrapped_lines(text, width, {"yellow": True})
    return lines[1:]


def runs_markdown(runs: Sequence[ComparedRun]) -> str:
    """The same tables in Markdown, with a line break at the end."""
    parts = [f"### ragas: {len(runs)} runs, each against {code(runs[0].name)}"]
    for metric in metrics_of(runs):
        head, *rows = _rows(runs, metric)
        titles = {title or "verdict": 0 < place < len(head) - 1 for place, title in enumerate(head)}
        parts.append(markdown_table(titles, [[code(row[0]), *map(plain, row[1:])] for row in rows]))
    parts += [f"- {plain(text)}" for text in _remarks(runs)]
    return "\n\n".join(parts) + "\n"


def _rows(runs: Sequence[ComparedRun], metric: str) -> list[list[str]]:
    rows = [[metric, "n", "mean", "change", "95 % interval", "p", ""]]
    for entry in runs:
        values, change = entry.values(metric), entry.change(metric)
        mean = sum(values) / len(values) if values else None
        row = [entry.name, f"{len(values):,}", score(mean)]
        if change is None:
            lacking = "not comparable" if isinstance(entry.against, Incomparable) else ""
            rows.append([*row, "-", "-", "-", lacking])
        else:
            told = [words.signed(change.change), words.interval(change), words.probability(change.p)]
            rows.append([*row, *told, words.verdict(change)])
    return rows


def _markup(change: MetricChange | None) -> dict[str, bool]:
    if change is None:
        return {}
    return {"red": True} if change.failed else {"green": True} if change.low > 0 else {}


def _remarks(runs: Sequence[ComparedRun]) -> list[str]:
    texts = []
    for entry in runs:
        if isinstance(entry.against, Incomparable):
            texts += [f"{entry.name}: {found}" for found in entry.against.differences]
        elif entry.against is not None:
            texts += [f"{entry.name}: compared anyway: {found}" for found in entry.against.differences]
    return texts
