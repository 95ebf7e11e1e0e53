"""`Collected`: what a suite holds today, to say which rows of a baseline are no longer there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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

    def outdated(self, key: RowKey, run: RecordedRun) -> bool:
        """Whether a row that a run does not have is none of the suite any more, and not only left out of the run.

        Args:
            key: Of a row of an earlier run that is not in this one.
            run: This one.
        """
        file, _, _ = key.test.partition("::")
        function = _function(key.test)
        if not (self.root / file).exists():
            return True
        ids = self.rows.get(function)
        if ids is not None and not self._made_by_a_row(key, ids):
            return key.sample_id not in ids or _again(key, run)
        if function not in self.functions:
            # other tests of the file were collected: this one is gone, or has another name
            files = {function.partition("::")[0] for function in self.functions}
            return self.whole and file in files
        return any(row.key.test == key.test for row in run.rows)

    def _made_by_a_row(self, key: RowKey, ids: Collection[str]) -> bool:
        """Whether the row is a sample that a test made itself, while it ran for a row of its testset."""
        return key.sample_id not in ids and any(test_of(key.test, id) != key.test for id in ids)


def _function(test: str) -> str:
    file, colons, name = test.partition("::")
    return f"{file}{colons}{name.partition('[')[0]}"


def _again(key: RowKey, run: RecordedRun) -> bool:
    """Whether the test was run for this row, and gave fewer results than before."""
    return any((row.key.test, row.key.sample_id) == (key.test, key.sample_id) for row in run.rows)
