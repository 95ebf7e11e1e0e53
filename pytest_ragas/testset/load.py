"""A testset file to a `Testset`: every row read, every bad row named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_ragas.errors import TestsetError, cut
from pytest_ragas.files.text import FileProblem, check_is_file
from pytest_ragas.testset.bad_rows import BadRows
from pytest_ragas.testset.formats.raw import RawRow
from pytest_ragas.testset.formats.table import FORMATS, format_of
from pytest_ragas.testset.rows import read_row
from pytest_ragas.testset.schema import row_check
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset


def load_testset(path: str | Path, *, shown_as: str | None = None) -> Testset:
    """Load a testset from a `.json`, `.jsonl`, `.yaml`, `.yml` or `.csv` file.

    Args:
        path: The file. UTF-8, with or without a byte order mark.
        shown_as: How messages and `Sample.source` name it; by default as `path` was given.

    Returns:
        At least one sample, in the order of the file, with unique ids.

    Raises:
        TestsetError: The file cannot be read, holds no row, or holds bad rows or rows of one id. The message lists
            all of them, with what was found and the mend.
    """
    path = Path(path)
    return testset_of(_rows(path), path, shown=shown_as or str(path))


def testset_of(rows: Iterable[RawRow], path: Path, *, shown: str) -> Testset:
    """The testset of rows in our columns. Result and errors as `load_testset`.

    Args:
        rows: Read while they are asked for; may raise `FileProblem`.
        path: Where they come from.
        shown: How messages and `Sample.source` name it.
    """
    reader = _Reader(shown)
    try:
        for row in rows:
            reader.add(row)
    except FileProblem as error:
        raise TestsetError(f"Cannot load the testset {shown}: {error}") from None
    if reader.bad:
        raise TestsetError(f"Cannot load the testset {shown}: {reader.bad}")
    if not reader.samples:
        what = "the file is empty" if path.is_file() and not path.stat().st_size else "it holds no rows"
        raise TestsetError(
            f"Cannot load the testset {shown}: {what}. Add at least one row with a user_input, or remove the testset."
        )
    return Testset(samples=tuple(reader.samples), path=shown)


def _rows(path: Path) -> Iterator[RawRow]:
    check_is_file(path, FORMATS)
    yield from format_of(path).read(path)


class _Reader:
    """Takes the rows of one file; keeps samples, bad rows and which ids are taken."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.samples: list[Sample] = []
        self.bad = BadRows()
        self._taken: dict[str, tuple[int, int]] = {}
        """id -> (row, line) that has it."""

    def add(self, row: RawRow) -> None:
        if row.problems:
            self.bad.add(row, list(row.problems))
            return
        if self.bad.only_counts and not row_check()(row.values):
            self.bad.add(row, [])  # finding words for very many rows would take minutes
            return
        sample, problems = read_row(row.values, source=f"{self.shown} row {row.number}")
        if sample is None:
            self.bad.add(row, problems)
        elif sample.id in self._taken:
            self.bad.add(row, [("id", _same_id(sample, row, self._taken[sample.id]))])
        else:
            self._taken[sample.id] = (row.number, row.line)
            self.samples.append(sample)


def _same_id(sample: Sample, row: RawRow, first: tuple[int, int]) -> str:
    other = f"row {first[0]}" + (f" (line {first[1]})" if first[1] else "")
    given = row.values.get("id")
    if given is None or given == "":
        return (
            f"it asks the same as {other} ({cut(sample.user_input, 60)!r}, with the same reference), so that both get "
            f"the id {sample.id!r}. Remove one of them, or give each an 'id' of its own."
        )
    return f"{other} has the id {sample.id!r} too. Give each row an id of its own."
