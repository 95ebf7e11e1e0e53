"""`updated`: a run's scores become those that are accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pytest_ragas.baselines.record import key_order
from pytest_ragas.baselines.same_judges import other_judges
from pytest_ragas.errors import BaselineError, cut, listed
from pytest_ragas.values.model import Usage
from pytest_ragas.values.recorded import RecordedRow, RecordedRun, RowKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Updated:
    """A baseline, and what became of its rows."""

    run: RecordedRun
    """Without answers, and without what is another number in each run: the diff of the file shows what changed."""
    added: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0
    kept: int = 0
    """Rows that were no part of this run."""
    written: bool = True
    """False where the file says all this already."""


def updated(
    baseline: RecordedRun | None,
    run: RecordedRun,
    *,
    shown: str,
    outdated: Callable[[RowKey], bool] = lambda key: True,
) -> Updated:
    """Accept a run.

    Its rows replace the same rows of the baseline; those that it has no scores of are kept, unless they are outdated.

    Args:
        baseline: What was accepted so far; None for a new one.
        run: What is accepted from now on.
        shown: What messages call the baseline.
        outdated: Whether a row that the run does not have is gone from the suite.

    Raises:
        BaselineError: The run was stopped, lacks scores, or was judged by others than the rows that would be kept.
    """
    _check(run, shown)
    before = {row.key: row for row in baseline.rows} if baseline else {}
    now = {row.key: replace(row, sample=None) for row in run.rows}
    missing = [row for key, row in before.items() if key not in now]
    kept = [row for row in missing if not outdated(row.key)]
    if baseline and kept:
        _check_judges(baseline, run, len(kept), shown)
    made = _head(baseline if kept else None, run)
    made = replace(made, rows=tuple(sorted([*now.values(), *kept], key=key_order)))
    same = sum(before.get(key) == row for key, row in now.items())
    added = sum(key not in before for key in now)
    return Updated(
        run=made,
        added=added,
        changed=len(now) - added - same,
        same=same,
        removed=len(missing) - len(kept),
        kept=len(kept),
        written=baseline is None or _what_counts(made) != _what_counts(baseline),
    )


def _check(run: RecordedRun, shown: str) -> None:
    refused = f"The baseline {shown} was not updated: "
    if not run.rows:
        raise BaselineError(f"{refused}this run has scored nothing. Run tests that are marked ragas.")
    lacking = [row for row in run.rows if row.failures or row.outcome in ("error", "not run")]
    if lacking:
        rows = "1 row has" if len(lacking) == 1 else f"{len(lacking)} rows have"
        raise BaselineError(
            f"{refused}{rows} no score.\n{listed([_lacks(row) for row in lacking], 5)}\n"
            "Mend this and run again, or leave these tests out: rows that do not run stay as they are."
        )
    if not run.complete:
        raise BaselineError(f"{refused}the run did not come to its end (-x, Ctrl-C, a crash). Let it run to its end.")


def _lacks(row: RecordedRow) -> str:
    metric, why = next(iter(row.failures.items()), ("", row.outcome))
    named = not metric or why.startswith(metric)  # a failure mostly says itself which metric it is of
    return f"  {row.key}: {'' if named else f'{metric}: '}{cut(why, 120)}"


def _check_judges(baseline: RecordedRun, run: RecordedRun, kept: int, shown: str) -> None:
    if reasons := other_judges(baseline, run):
        rows = "1 row" if kept == 1 else f"{kept} rows"
        raise BaselineError(
            f"The baseline {shown} was not updated: this run is a part of the suite, and {rows} would stay that other "
            f"judges have scored: {'; '.join(reasons)}. Run the whole suite, or delete {shown} first."
        )


def _head(kept: RecordedRun | None, run: RecordedRun) -> RecordedRun:
    models = {(use.role, use.identity): replace(use, usage=Usage(), notes=()) for use in run.models}
    metrics = dict.fromkeys(run.metrics)
    testsets = dict(run.testsets)
    if kept is not None:
        models = {**{(use.role, use.identity): use for use in kept.models}, **models}
        metrics = dict.fromkeys((*kept.metrics, *run.metrics))
        testsets = {**kept.testsets, **testsets}
    return replace(
        run,
        models=tuple(models[key] for key in sorted(models, key=lambda key: (key[0], repr(key[1])))),
        metrics=tuple(sorted(metrics, key=lambda one: (one.metric, one.backend, one.version))),
        testsets=dict(sorted(testsets.items())),
        seconds=0.0,
    )


def _what_counts(run: RecordedRun) -> object:
    """What a diff of the file is wanted for: not the time, the commit and the machine of a run that found the same."""
    return run.rows, run.models, run.metrics, dict(run.testsets)
