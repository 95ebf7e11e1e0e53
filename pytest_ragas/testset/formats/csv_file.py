"""`.csv`: a header of column names, one row a record; several texts in a cell are a JSON list."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, iter_lines
from pytest_ragas.testset.aliases import CANONICAL, KINDS, kind
from pytest_ragas.testset.formats.raw import RawRow

_DELIMITERS = (",", ";", "\t")
"""Spreadsheets of half of Europe write the second."""

_LONGEST_CELL = 2**31 - 1
"""Characters; the csv module's own 131,072 is less than a long context."""

_LISTED = re.compile(r"\[\s*['\"]")
_TEXT = r"(?:'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\")"
_PYTHON_LIST = re.compile(rf"\[\s*(?:{_TEXT}\s*(?:,\s*{_TEXT}\s*)*,?\s*)?\]")
"""A Python list of texts as pandas and ragas write it into a CSV. The commas are asked for because numpy prints
none, and Python would join its texts to one."""


def read(path: Path) -> Iterator[RawRow]:
    """The rows of the file, one at a time; blank lines are skipped.

    Raises:
        FileProblem: It cannot be opened, is not UTF-8, has no header, or a header with a name twice.
    """
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield from _read(path)
    finally:
        csv.field_size_limit(before)


def _read(path: Path) -> Iterator[RawRow]:
    lines = (line.text() for line in iter_lines(path))
    first = next(lines, "")
    if not first:
        return
    reader = csv.reader(_again(first, lines), delimiter=_delimiter(first), strict=True)
    header: list[str] = []
    number = 0
    begins = 1
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                pass
            elif not header:
                header = _header(cells)
            else:
                number += 1
                yield _row(number, begins, header, cells)
            begins = reader.line_num + 1
    except FileProblem as error:
        if not header:
            raise
        yield RawRow(number + 1, begins, None, (("", f"{error} What follows was not read."),))
    except csv.Error as error:
        problem = (
            f"no valid CSV: {error}. A cell with a comma, quote or line break must stand in double quotes, and a quote "
            'inside it is written twice: "she said ""yes""". What follows was not read.'
        )
        yield RawRow(number + 1, begins, None, (("", problem),))


def _again(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(header: str) -> str:
    def known(delimiter: str) -> int:
        return sum(name.strip().strip('"') in CANONICAL for name in header.split(delimiter))

    return max(_DELIMITERS, key=known)


def _header(cells: Sequence[str]) -> list[str]:
    # pandas leaves the name of its index column empty
    names = [cell.strip() or f"column_{position}" for position, cell in enumerate(cells, 1)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise FileProblem(f"its header names the column {twice[0]!r} twice. Rename or remove one of them.")
    if not any(name in CANONICAL for name in names):
        raise FileProblem(
            f"its first line names no column of a testset: found {', '.join(map(repr, names[:6]))}. "
            "Begin it with a header, for example user_input,response,retrieved_contexts,reference."
        )
    return names


def _row(number: int, line: int, header: Sequence[str], cells: Sequence[str]) -> RawRow:
    if len(cells) != len(header):
        problem = f"found {len(cells)} cells where the header has {len(header)} columns. Quote cells that hold a comma."
        return RawRow(number, line, None, (("", problem),))
    values: dict[str, Any] = {}
    problems = []
    for name, cell in zip(header, cells):  # noqa: B905 - of one length, as checked above
        if cell == "":
            continue  # not given
        try:
            values[name] = _value(name, cell)
        except FileProblem as error:
            problems.append((name, str(error)))
    return RawRow(number, line, values, tuple(problems))


def _value(name: str, cell: str) -> Any:
    holds = kind(name) if name in CANONICAL else "text"
    if holds in ("texts", "names"):
        return _several(cell)
    if holds == "metadata":
        try:
            return parse_json(cell)
        except FileProblem as error:
            raise FileProblem(f"{error} A metadata cell holds a JSON object.") from None
    return _unquoted(cell)


def _several(cell: str) -> Any:
    stripped = cell.strip()
    if not stripped.startswith("["):
        return _unquoted(cell)
    try:
        value = parse_json(stripped)
    except FileProblem:
        pass
    else:
        return value
    if _PYTHON_LIST.fullmatch(stripped):
        return ast.literal_eval(stripped)
    if _LISTED.match(stripped) and stripped.endswith("]"):
        raise FileProblem('it begins like a list but is no JSON list. Write ["first passage", "second passage"].')
    return cell


def _unquoted(cell: str) -> str:
    # an empty cell is "not given", so that an empty text needs a spelling of its own: two quotes
    return cell[2:] if len(cell) >= 2 and not cell.strip('"') else cell


def _quoted(text: str) -> str:
    return '""' + text if not text.strip('"') else text


def write(records: Iterable[dict[str, Any]], stream: IO[str]) -> None:
    """Write records under a header of the columns that are used; lists and metadata as JSON."""
    records = list(records)
    header = [name for name in KINDS if any(name in record for record in records)]
    # "\r\n", as RFC 4180 has it: before Python 3.13 a lone "\r" in a cell is quoted only if it is part of the line end
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(header)
    for record in records:
        writer.writerow([_cell(record[name]) if name in record else "" for name in header])


def _cell(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
