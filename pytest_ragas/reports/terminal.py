"""The summary of a run as lines of a terminal. Pure: the plugin writes them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_ragas.reports.diagnosis import diagnosis_counts
from pytest_ragas.reports.gates import gate_line, unasked_line
from pytest_ragas.reports.noisy_thresholds import noise_warnings
from pytest_ragas.reports.numbers import against, count, duration, score
from pytest_ragas.reports.rows import ScoredRow, asked_by, scored_rows, worst
from pytest_ragas.reports.slices import Slice, most_failures, slices_by_kind, telling
from pytest_ragas.reports.statistics import Interval, MetricSummary, summarise
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.reports.width import pad, shorten, shorten_left, width_of
from pytest_ragas.values.gate import Gate, GateVerdict, Threshold
from pytest_ragas.values.run import ModelUse, Run, SampleResult

_RED = {"red": True}
_GREEN = {"green": True}
_YELLOW = {"yellow": True}
_BOLD = {"bold": True}

EMBEDDED_NOTE = (
    "embedded is a measure of the wording, not an LLM: a smoke gate, best compared with the suite's own baseline; "
    "its scores do not compare with those that an LLM gives"
)


_TEST_ROOM = 12
"""Columns below which the end of a test's name says nothing."""

_SLICES = 8
"""Of each kind, with -v: more of them are no summary."""

STOPPED = "gates were not decided: the run was stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a terminal."""

    text: str
    markup: Mapping[str, bool] = field(default_factory=dict)
    """Names of pytest's terminal writer: red, green, yellow, bold."""


def summary_lines(
    run: Run,
    verdicts: Sequence[GateVerdict],
    *,
    width: int,
    level: Literal["short", "full"],
    interval: Interval,
    verbosity: int = 0,
    unasked: Sequence[Gate] = (),
    stopped: bool = False,
) -> list[Line]:
    """What a person wants to know of a run's scores.

    Args:
        run: The whole run; without results there is nothing to say.
        verdicts: What became of the gates.
        width: Columns of the terminal; no line is wider.
        level: full adds the metrics of each slice (tags, types of questions, documents), and every row.
        interval: The 95 % interval of a mean.
        verbosity: pytest's: below 0 the table and the gates alone; above 0 more of the worst rows, and
            a line for each slice.
        unasked: Gates on metrics that no test of the run is scored with.
        stopped: Whether gates were not decided, because the run was stopped.
    """
    gates = [Line(text=line, markup=_YELLOW) for gate in unasked for line in _wrapped(unasked_line(gate), width)]
    gates += gate_lines(verdicts, width=width)
    if stopped:
        gates += [Line(text=line, markup=_YELLOW) for line in _wrapped(STOPPED, width)]
    if not run.results:
        return gates
    lines = _metric_table(summarise(run.results, interval=interval), "metric", width)
    if verbosity < 0:
        return lines + gates
    for warning in noise_warnings(run.results):
        lines += wrapped_lines(warning, width, _YELLOW)
    lines += _worst_rows(run.results, 10 if verbosity > 0 else 3, width)
    lines += _diagnosis(run.results, width)
    if level == "short" and verbosity > 0:
        lines += _slice_tables(run.results, width, interval)
    if level == "full":
        lines += _slices(run.results, width, interval)
        lines += _all_rows(run.results, width)
    if gates:
        lines += [Line(text=""), *gates]
    return lines + _models(run, width)


def gate_lines(verdicts: Sequence[GateVerdict], *, width: int) -> list[Line]:
    """One line for each gate; the red ones last, where the eye rests."""
    lines: list[Line] = []
    for verdict in sorted(verdicts, key=lambda verdict: verdict.outcome != "passed"):
        markup = _GREEN if verdict.outcome == "passed" else {**_RED, **_BOLD}
        lines += [Line(text=text, markup=markup) for text in _wrapped(gate_line(verdict), width)]
    return lines


def _metric_table(metrics: Sequence[MetricSummary], title: str, width: int) -> list[Line]:
    columns = [
        Column(title=title, cells=[metric.metric for metric in metrics], right=False),
        Column(title="n", cells=[f"{len(metric.values):,}" for metric in metrics], weight=3),
        Column(title="mean", cells=[score(metric.mean) for metric in metrics]),
        Column(title="95 % interval", cells=[_interval(metric) for metric in metrics], weight=1),
        Column(title="min", cells=[_worst(metric) for metric in metrics], weight=2),
        Column(title="threshold", cells=[_threshold(metric) for metric in metrics], weight=4),
        Column(title="below", cells=[f"{metric.below:,}" for metric in metrics]),
        Column(title="unscored", cells=[f"{metric.unscored:,}" for metric in metrics]),
    ]
    if any(metric.spread is not None for metric in metrics):
        # beside the mean: how much of it is the critic's own noise
        columns.insert(3, Column(title="spread", cells=[_spread(metric) for metric in metrics], weight=3))
    head, *rows = table_lines(columns, width=width)
    markup = [_row_markup(metric) for metric in metrics]
    return [
        Line(text=head, markup=_BOLD),
        *(Line(text=row, markup=mark) for row, mark in zip(rows, markup, strict=True)),
    ]


def _row_markup(metric: MetricSummary) -> Mapping[str, bool]:
    if metric.below:
        return _RED
    if metric.unscored:
        return _YELLOW
    return _GREEN if metric.thresholds else {}


def _spread(metric: MetricSummary) -> str:
    return "-" if metric.spread is None else f"± {metric.spread:.2f}"


def _interval(metric: MetricSummary) -> str:
    return "-" if metric.interval is None else f"{metric.interval[0]:.2f} to {metric.interval[1]:.2f}"


def _worst(metric: MetricSummary) -> str:
    if metric.worst is None:
        return "-"
    # a score just below its threshold must not look like it
    broken = [bound for bound in metric.thresholds if not _holds(metric, bound)]
    text = against(metric.worst, broken[0].bound)[0] if broken else score(metric.worst)
    # where lower is better, the greatest score is the worst one, and says so
    return text if metric.higher_is_better else f"max {text}"


def _holds(metric: MetricSummary, threshold: Threshold) -> bool:
    return metric.worst is None or threshold.holds(metric.worst, higher_is_better=metric.higher_is_better)


def _threshold(metric: MetricSummary) -> str:
    if not metric.thresholds:
        return "-"
    bounds = sorted({threshold.bound for threshold in metric.thresholds})
    sign = ">=" if metric.higher_is_better else "<="
    if len(bounds) == 1:
        return f"{sign} {bounds[0]:.2f}"
    return f"{bounds[0]:.2f}-{bounds[-1]:.2f}"


def _worst_rows(results: Sequence[SampleResult], number: int, width: int) -> list[Line]:
    rows = scored_rows(results)
    shown = worst(rows, number)
    if not shown or len(results) < 2:
        return []
    lines = [Line(text=""), Line(text="worst rows", markup=_BOLD), *_row_lines(shown, width)]
    rest = sum(row.broken for row in rows) - sum(row.broken for row in shown)
    return [*lines, Line(text=shorten(f"  .. and {rest:,} more below their threshold", width))] if rest > 0 else lines


def _diagnosis(results: Sequence[SampleResult], width: int) -> list[Line]:
    """Whose fault the failures are, and where they lie."""
    counts, place = diagnosis_counts(results), most_failures(results)
    lines = wrapped_lines(f"diagnosis: {counts}", width, {}) if counts else []
    lines += wrapped_lines(place, width, {}) if place else []
    return [Line(text=""), *lines] if lines else []


def _row_lines(rows: Sequence[ScoredRow], width: int) -> list[Line]:
    columns = [
        Column(title="", cells=[f"  {row.result.sample.id}" for row in rows], right=False),
        Column(title="", cells=[str(row) for row in rows], right=False),
    ]
    size = max(map(width_of, columns[1].cells))
    lines: list[Line] = []
    for row, text in zip(rows, table_lines(columns, width=width)[1:], strict=True):
        # pad what the table has stripped, so that the tests stand in a column
        text = pad(text, width_of(text) + size - width_of(str(row)))
        room = width - width_of(text) - 2
        test = f"  {shorten_left(asked_by(row.result), room)}" if room >= _TEST_ROOM else ""
        lines.append(Line(text=(text + test).rstrip(), markup=_RED if row.broken else {}))
    return lines


def _slices(results: Sequence[SampleResult], width: int, interval: Interval) -> list[Line]:
    """A table of the metrics for each slice."""
    lines: list[Line] = []
    for kind, slices in slices_by_kind(results).items():
        for one in slices:
            table = _metric_table(summarise(one.results, interval=interval), f"{kind} {one.value}", width)
            lines += [Line(text=""), *table]
    return lines


def _slice_tables(results: Sequence[SampleResult], width: int, interval: Interval) -> list[Line]:
    """A table for each kind of slices, with a line for each slice, the worst ones first."""
    whole = summarise(results, interval=interval)
    # what failed is what one looks for: the last ones go where there is no room
    metrics = [found.metric for found in sorted(whole, key=lambda found: (-found.below, not found.thresholds))]
    lines: list[Line] = []
    for kind, slices in slices_by_kind(results).items():
        if telling(slices, len(results)):
            ordered = sorted(slices, key=lambda one: one.badness, reverse=True)
            lines += [Line(text=""), *_slice_table(kind, ordered[:_SLICES], metrics, width, interval)]
            rest = len(ordered) - _SLICES
            lines += [Line(text=shorten(f"  .. and {rest:,} more", width))] if rest > 0 else []
    return lines


def _slice_table(
    kind: str, slices: Sequence[Slice], metrics: Sequence[str], width: int, interval: Interval
) -> list[Line]:
    summaries = [{found.metric: found for found in summarise(one.results, interval=interval)} for one in slices]
    columns = [
        Column(title=f"by {kind}", cells=[shorten_left(one.value, width // 2) for one in slices], right=False),
        Column(title="n", cells=[f"{len(one.results):,}" for one in slices]),
        Column(title="failed", cells=[f"{one.failed:,}" for one in slices]),
    ]
    for metric in metrics:
        cells = [score(found[metric].mean) if metric in found else "-" for found in summaries]
        columns.append(Column(title=metric, cells=cells))
    while len(columns) > 3 and sum(column.width + 2 for column in columns) - 2 > width:
        columns.pop()
    head, *rows = table_lines(columns, width=width)
    marks = [_RED if one.failed else {} for one in slices]
    return [Line(text=head, markup=_BOLD), *(Line(text=r, markup=m) for r, m in zip(rows, marks, strict=True))]


def _all_rows(results: Sequence[SampleResult], width: int) -> list[Line]:
    lines = [Line(text=""), Line(text="rows", markup=_BOLD)]
    for result in results:
        scores = [str(row) for row in scored_rows([result])]
        scores += [f"{failure.metric} unscored" for failure in result.failures]
        bad = any(row.broken for row in scored_rows([result]))
        markup = _RED if bad else _YELLOW if result.failures else {}
        lines += [
            Line(text=text, markup=markup) for text in _wrapped(f"  {result.sample.id}  {', '.join(scores)}", width)
        ]
    return lines


def _models(run: Run, width: int) -> list[Line]:
    rows = [(use.role, _use(use)) for use in run.models]
    rows.append(("time", duration(run.seconds)))
    size = max(width_of(name) for name, _ in rows)
    lines = [Line(text="")]
    for name, text in rows:
        lines += [Line(text=line) for line in _wrapped(f"{pad(name, size)}  {text}", width, indent=size + 2)]
    for note in dict.fromkeys(note for use in run.models for note in use.notes):
        lines += [Line(text=line, markup=_YELLOW) for line in _wrapped(note, width)]
    if any(use.identity.provider == "embedded" for use in run.models):
        lines += [Line(text=line, markup=_YELLOW) for line in _wrapped(EMBEDDED_NOTE, width)]
    return lines


def _use(use: ModelUse) -> str:
    usage = use.usage
    if not usage.calls:
        return str(use.identity)
    tokens = ""
    if usage.prompt_tokens or usage.completion_tokens:
        tokens = f", {usage.prompt_tokens:,} tokens read, {usage.completion_tokens:,} written"
    return f"{use.identity}: {count(usage.calls, 'call')}{tokens}"


def wrapped_lines(text: str, width: int, markup: Mapping[str, bool]) -> list[Line]:
    """A text in as many lines as it takes."""
    return [Line(text=line, markup=markup) for line in _wrapped(text, width)]


def _wrapped(text: str, width: int, *, indent: int = 4) -> list[str]:
    """A text in as many lines as it takes; the further ones are indented."""
    if width_of(text) <= width:
        return [text]
    indent = min(indent, width // 2)
    lines = textwrap.wrap(text, width, subsequent_indent=" " * indent, break_on_hyphens=False, drop_whitespace=True)
    return [shorten(line, width) for line in lines]
