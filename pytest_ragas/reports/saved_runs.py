"""Saved runs for a terminal: all of them in a table, one of them in full."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_ragas.reports.numbers import count, duration, score
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.values.recorded import Commit, RecordedRun


def runs_table(runs: Sequence[tuple[str, RecordedRun]], *, width: int) -> list[str]:
    """One line for each run: name, date, commit, rows, mean of each metric.

    Args:
        runs: Each with what it is called; at least one.
        width: Columns of the terminal. Metrics go first where they do not fit, the last one before the others.
    """
    metrics = list(dict.fromkeys(metric for _, run in runs for metric in _metrics(run)))
    columns = [
        Column(title="run", cells=[name for name, _ in runs], right=False),
        Column(title="date (UTC)", cells=[_date(run) for _, run in runs], right=False, weight=900),
        Column(title="commit", cells=[_commit(run.commit) for _, run in runs], right=False, weight=1),
        Column(title="rows", cells=[_rows(run) for _, run in runs], weight=1000),
    ]
    for place, metric in enumerate(metrics):
        cells = [score(_mean(run, metric)) for _, run in runs]
        columns.append(Column(title=metric, cells=cells, weight=800 - place))
    return table_lines(columns, width=width)


def run_lines(name: str, run: RecordedRun, *, width: int) -> Iterator[str]:
    """What one run holds: where it comes from, who judged, and its scores by metric."""
    facts = [
        ("saved", f"{_date(run)} UTC{'' if run.complete else ', stopped before its end'}"),
        (
            "commit",
            " ".join(filter(None, (_commit(run.commit), f"on {run.commit.branch}" if run.commit.branch else ""))),
        ),
        ("time", duration(run.seconds) if run.seconds else ""),
        *((use.role, str(use.identity)) for use in run.models),
        *(("testset", file) for file in run.testsets),
        ("with", ", ".join(f"{library} {version}" for library, version in run.environment.items())),
    ]
    yield f"{name}: {_outcomes(run)}"
    named = max(len(what) for what, _ in facts)
    yield from (f"  {what:<{named}}  {said}" for what, said in facts if said)
    if metrics := _metrics(run):
        yield ""
        yield from table_lines(_scores(run, metrics), width=width)


def _scores(run: RecordedRun, metrics: Sequence[str]) -> list[Column]:
    identities = {identity.metric: identity for identity in run.metrics}
    made = [identities.get(metric) for metric in metrics]
    values = [_values(run, metric) for metric in metrics]
    unscored = [sum(metric in row.failures for row in run.rows) for metric in metrics]
    return [
        Column(title="metric", cells=metrics, right=False),
        Column(title="scored", cells=[str(len(found)) for found in values], weight=4),
        Column(title="unscored", cells=[str(number) for number in unscored], weight=3),
        Column(title="mean", cells=[score(_mean(run, metric)) for metric in metrics]),
        Column(title="min", cells=[score(min(found, default=None)) for found in values], weight=2),
        Column(title="backend", cells=[one.backend if one else "" for one in made], weight=1, right=False),
        Column(title="version", cells=[one.version if one else "" for one in made], weight=1, right=False),
    ]


def _metrics(run: RecordedRun) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for row in run.rows:
        seen.update(dict.fromkeys(score.metric for score in row.scores))
        seen.update(dict.fromkeys(row.failures))
    return tuple(sorted(seen))


def _values(run: RecordedRun, metric: str) -> list[float]:
    return [found.value for row in run.rows if (found := row.score(metric)) is not None]


def _mean(run: RecordedRun, metric: str) -> float | None:
    values = _values(run, metric)
    return math.fsum(values) / len(values) if values else None


def _date(run: RecordedRun) -> str:
    return run.created[:16].replace("T", " ")


def _commit(commit: Commit) -> str:
    return f"{commit.id[:8]}{' dirty' if commit.dirty else ''}" if commit.id else ""


def _rows(run: RecordedRun) -> str:
    return f"{len(run.rows):,}{'' if run.complete else ' stopped'}"


def _outcomes(run: RecordedRun) -> str:
    outcomes = Counter(row.outcome for row in run.rows)
    said = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
    return f"{count(len(run.rows), 'row')}{f' ({said})' if said else ''}"
