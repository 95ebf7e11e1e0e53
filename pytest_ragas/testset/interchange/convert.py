"""A testset file of any known tool to a `Testset`, and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ragas.errors import TestsetError, UnknownNameError
from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, check_is_file, read_text
from pytest_ragas.files.whole import written_whole
from pytest_ragas.files.yaml_text import parse_yaml
from pytest_ragas.testset.formats.raw import RawRow
from pytest_ragas.testset.formats.table import FORMATS, format_of
from pytest_ragas.testset.interchange.cells import read_cells, write_cells
from pytest_ragas.testset.interchange.deepeval_rows import DEEPEVAL
from pytest_ragas.testset.interchange.exchange import Exchange, RowProblem
from pytest_ragas.testset.interchange.hf_folder import read_folder, write_folder
from pytest_ragas.testset.interchange.langsmith_rows import LANGSMITH
from pytest_ragas.testset.interchange.promptfoo_rows import PROMPTFOO
from pytest_ragas.testset.interchange.ragas_rows import RAGAS
from pytest_ragas.testset.load import load_testset, testset_of
from pytest_ragas.testset.save import save_testset
from pytest_ragas.values.testset import Testset

OURS = "pytest-ragas"
"""Names our own format."""

EXCHANGES = {exchange.name: exchange for exchange in (RAGAS, DEEPEVAL, LANGSMITH, PROMPTFOO)}

NAMES = (OURS, *EXCHANGES)

_LISTS = ("tests", "examples", "goldens")
"""Keys under which a document holds its rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A testset, and whose format it was in."""

    testset: Testset
    tool: str


def read_any(path: Path, *, shown: str, tool: str = "") -> Read:
    """Read a testset of any known tool.

    Args:
        path: A file, or the folder of a HF dataset.
        shown: How messages name it.
        tool: Whose format it is in, of `NAMES`; empty to find out from the first row.

    Raises:
        UnknownNameError: There is no such tool.
        TestsetError: It cannot be read, or holds bad rows; lists all of them.
        MissingExtraError: It is a HF dataset, and `datasets` is not installed.
    """
    _check(tool)
    if path.is_dir():
        inside = (RawRow(number, 0, row) for number, row in enumerate(read_folder(path), 1))
        return Read(testset=testset_of(_mapped(inside, RAGAS), path, shown=shown), tool=RAGAS.name)
    try:
        raw = iter(_rows(path, tool))
        start = list(itertools.islice(raw, 1))
    except FileProblem as error:
        raise TestsetError(f"Cannot load the testset {shown}: {error}") from None
    tool = tool or _recognised(start)
    if tool == OURS:
        return Read(testset=load_testset(path, shown_as=shown), tool=tool)
    rows_of_tool = _mapped(itertools.chain(start, raw), EXCHANGES[tool])
    return Read(testset=testset_of(rows_of_tool, path, shown=shown), tool=tool)


def write_any(testset: Testset, path: Path, *, shown: str, tool: str = OURS) -> None:
    """Write a testset in the format of a tool, whole or not at all.

    Args:
        testset: Any.
        path: A file of a suffix that the tool reads; for ragas a name without suffix is the folder of a HF dataset.
        shown: How messages name it.
        tool: Of `NAMES`.

    Raises:
        UnknownNameError: There is no such tool.
        TestsetError: The tool does not read such a file, or has no way to write a row.
        MissingExtraError: It is to be a HF dataset, and `datasets` is not installed.
        OSError: It cannot be written.
    """
    _check(tool)
    if tool == OURS:
        save_testset(testset, path)
        return
    exchange, suffix = EXCHANGES[tool], path.suffix.lower()
    if suffix not in exchange.suffixes:
        known = " or ".join(known or "a folder" for known in exchange.suffixes)
        raise TestsetError(f"Cannot write {shown}: {tool} reads {known}.")
    rows = []
    for number, sample in enumerate(testset, 1):
        try:
            rows.append(exchange.write(sample, suffix))
        except RowProblem as problem:
            raise TestsetError(f"Cannot write row {number} ({sample.id!r}) for {tool}: {problem}") from None
    if not suffix:
        write_folder(rows, path)
        return
    with written_whole(path) as stream:
        if suffix == ".csv":
            write_cells(rows, stream)
        else:
            format_of(path).write(rows, stream)


def _check(tool: str) -> None:
    if tool and tool not in NAMES:
        raise UnknownNameError("tool", tool, NAMES)


def _rows(path: Path, tool: str) -> Iterator[RawRow]:
    """The rows of a file in the tool's own columns, also where they stand under a key of a larger document."""
    check_is_file(path, FORMATS)
    file_format = format_of(path)
    if path.suffix.lower() == ".csv" and tool not in (OURS, RAGAS.name):
        rows = list(read_cells(path))
        if tool or (rows and any(exchange.fits(rows[0]) for exchange in (DEEPEVAL, PROMPTFOO))):
            yield from (RawRow(number, 0, row) for number, row in enumerate(rows, 1))
            return
    if path.suffix.lower() in (".json", ".yaml", ".yml"):
        text = read_text(path)
        document = parse_json(text) if path.suffix.lower() == ".json" else parse_yaml(text).value
        inner = next((document[key] for key in _LISTS if key in document), None) if isinstance(document, dict) else None
        if isinstance(inner, str):
            raise FileProblem(f"its tests are in {inner!r}. Name that file.")
        if isinstance(inner, list) and all(isinstance(row, dict) for row in inner):
            yield from (RawRow(number, 0, row) for number, row in enumerate(inner, 1))
            return
    yield from file_format.read(path)


def _recognised(start: list[RawRow]) -> str:
    first: Any = start[0].values if start else None
    if not isinstance(first, dict):
        return OURS
    return next((exchange.name for exchange in EXCHANGES.values() if exchange.fits(first)), OURS)


def _mapped(rows: Iterable[RawRow], exchange: Exchange) -> Iterator[RawRow]:
    for row in rows:
        if row.problems or not isinstance(row.values, dict):
            yield row
            continue
        try:
            yield RawRow(row.number, row.line, exchange.read(row.values))
        except RowProblem as problem:
            yield RawRow(row.number, row.line, row.values, (("", str(problem)),))
