"""`Collected`: what a suite holds today, to say which rows of a baseline are no longer there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ragas.baselines.row_key import test_of
from pytest_ragas.values.recorded import RecordedRun, RowKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """What was collected for a run, whether it was selected or not."""

    root: Path
    """The rootdir, where nodeids begin."""
    rows: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Test function, as a nodeid without brackets -> the ids of its testset."""
    functions: frozenset[str] = frozenset()
    """Test functions of which pytest has collected tests, also those that use no testset."""
    whole: bool = True
    """Whether pytest was asked for whole files; with `file.py::test` or --lf, it passes over the others of a file."""


def outdated(collected: Collected, run: RecordedRun) -> Callable[[RowKey], bool]:
    """Says of a row that a run does not have whether the suite has it no longer, or it was only left out of the run.

    Args:
        collected: What the suite holds today.
        run: The run.

    Returns:
        To be asked about keys of an earlier run that are not in this one.
    """
    tests = {row.key.test for row in run.rows}
    scored = {(row.key.test, row.key.sample_id) for row in run.rows}
    files = {_file(function) for function in collected.functions}

    def is_outdated(key: RowKey) -> bool:
        function = _function(key.test)
        ids = collected.rows.get(function)
        if not (collected.root / _file(function)).exists():
            return True
        if ids is not None and not _made_by_a_row(key, ids):
            # the testset has it no longer, or the test gave fewer results for it
            return key.sample_id not in ids or (key.test, key.sample_id) in scored
        if function not in collected.functions:
            # other tests of the file were collected: this one is gone, or has another name
            return collected.whole and _file(function) in files
        return key.test in tests

    return is_outdated


def _made_by_a_row(key: RowKey, ids: Collection[str]) -> bool:
    """Whether the row is a sample that a test made itself, while it ran for a row of its testset."""
    return "[" in key.test and key.sample_id not in ids and any(test_of(key.test, id) != key.test for id in ids)


def _function(test: str) -> str:
    file, colons, name = test.partition("::")
    return f"{file}{colons}{name.partition('[')[0]}"


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
