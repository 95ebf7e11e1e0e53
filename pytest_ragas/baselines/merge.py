"""`merge`: runs of the shards of a CI job become one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from pytest_ragas.baselines.record import key_order
from pytest_ragas.baselines.same_judges import other_judges
from pytest_ragas.errors import BaselineError, listed
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.recorded import Commit, RecordedRow, RecordedRun, RowKey
from pytest_ragas.values.run import ModelUse

Named = tuple[str, RecordedRun]
"""What messages call a run, and the run."""

ANYWAY = "--anyway"


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """Several runs as one."""

    run: RecordedRun
    notes: tuple[str, ...] = ()
    """What the reader should know: rows that several of them had."""


def merge(runs: Sequence[Named], *, name: str = "", anyway: bool = False) -> Merged:
    """Put runs together.

    A row that several of them have, with the same answer, is taken from the latest one that could score it. Models add
    up what they cost; the run took as long as its longest part, and is complete if all of them are.

    Args:
        runs: At least one, with the names that messages call them.
        name: What the merged run is called; empty for the name of the first.
        anyway: Whether runs of other commits, critics, metrics or testsets are merged, too.

    Raises:
        BaselineError: They do not belong together, or have the same row with different answers.
    """
    if not anyway:
        _check(runs)
    rows, notes = _rows(runs)
    parts = [run for _, run in runs]
    dirty = any(run.commit.dirty for run in parts)
    first = parts[0]
    merged = RecordedRun(
        name=name or first.name,
        created=max(run.created for run in parts),
        rows=rows,
        models=_models(parts),
        metrics=tuple(
            sorted(
                dict.fromkeys(identity for run in parts for identity in run.metrics),
                key=lambda one: (one.metric, one.backend, one.version),
            )
        ),
        testsets=dict(sorted({file: print for run in parts for file, print in run.testsets.items()}.items())),
        commit=replace(first.commit, dirty=dirty) if _one_commit(parts) else Commit(dirty=dirty),
        environment=_environment(parts),
        seconds=max(run.seconds for run in parts),
        complete=all(run.complete for run in parts),
    )
    return Merged(run=merged, notes=notes)


def _check(runs: Sequence[Named]) -> None:
    for (name, run), (other_name, other) in combinations(runs, 2):
        reasons = [*_commits(run, other), *other_judges(run, other), *_testsets(run, other)]
        if reasons:
            raise BaselineError(
                f"{name} and {other_name} are not parts of one run: {'; '.join(reasons)}. Merge the files of one CI "
                f"job, leave one of them out, or merge them with {ANYWAY}."
            )


def _commits(one: RecordedRun, other: RecordedRun) -> list[str]:
    if not one.commit.id or not other.commit.id or one.commit.id == other.commit.id:
        return []
    return [f"their commits are {one.commit.id[:12]} and {other.commit.id[:12]}"]


def _testsets(one: RecordedRun, other: RecordedRun) -> list[str]:
    both = sorted(one.testsets.keys() & other.testsets.keys())
    return [f"the testset {file} differs" for file in both if one.testsets[file] != other.testsets[file]]


def _rows(runs: Sequence[Named]) -> tuple[tuple[RecordedRow, ...], tuple[str, ...]]:
    # the earliest first, so that later ones replace it
    ordered = sorted(runs, key=lambda named: named[1].created)
    taken: dict[RowKey, tuple[str, RecordedRow]] = {}
    twice, rejudged = 0, 0
    clashes: list[str] = []
    for name, run in ordered:
        for row in run.rows:
            if row.key not in taken:
                taken[row.key] = (name, row)
                continue
            before_name, before = taken[row.key]
            if (before.content, before.answer) != (row.content, row.answer):
                what = "answers" if before.content == row.content else "questions or references"
                clashes.append(f"  {row.key}: different {what} in {before_name} and {name}")
                continue
            twice += 1
            rejudged += before.scores != row.scores
            if not before.scores or not row.failures or len(row.scores) >= len(before.scores):
                taken[row.key] = (name, row)
    if clashes:
        raise BaselineError(
            "These runs have the same rows, and nobody can say which answer counts:\n"
            f"{listed(clashes, 10)}\nLeave the older file out, or merge runs that share no rows."
        )
    notes = []
    if twice:
        rows = "1 row is" if twice == 1 else f"{twice} rows are"
        differ = f", {rejudged} of them with other scores" if rejudged else ""
        notes.append(f"{rows} in several of the runs{differ}: the latest score counts")
    return tuple(sorted((row for _, row in taken.values()), key=key_order)), tuple(notes)


def _models(parts: Iterable[RecordedRun]) -> tuple[ModelUse, ...]:
    usage: dict[tuple[str, ModelIdentity], Usage] = {}
    notes: dict[tuple[str, ModelIdentity], dict[str, None]] = {}
    for use in (use for run in parts for use in run.models):
        key = (use.role, use.identity)
        usage[key] = usage.get(key, Usage()) + use.usage
        notes.setdefault(key, {}).update(dict.fromkeys(use.notes))
    return tuple(
        ModelUse(role=role, identity=identity, usage=usage[role, identity], notes=tuple(notes[role, identity]))
        for role, identity in sorted(usage, key=lambda key: (key[0], repr(key[1])))
    )


def _one_commit(parts: Iterable[RecordedRun]) -> bool:
    return len({run.commit.id for run in parts}) == 1


def _environment(parts: Iterable[RecordedRun]) -> Mapping[str, str]:
    found: dict[str, dict[str, None]] = {}
    for run in parts:
        for name, version in run.environment.items():
            found.setdefault(name, {}).setdefault(version)
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}
