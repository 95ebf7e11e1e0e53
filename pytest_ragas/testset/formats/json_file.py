"""`.json`: a list of records, or an object with one list per column."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, read_text
from pytest_ragas.testset.formats.columns import rows_of
from pytest_ragas.testset.formats.raw import RawRow


def read(path: Path) -> Iterator[RawRow]:
    """The rows of the file. It is held whole in memory, unlike a `.jsonl`.

    Raises:
        FileProblem: It cannot be read as a testset at all.
    """
    text = read_text(path)
    if not text.strip():
        return iter(())
    try:
        value = parse_json(text)
    except FileProblem as error:
        raise FileProblem(f"{error}{_if_lines(text)}") from None
    return rows_of(value)


def write(records: Iterable[dict[str, Any]], stream: IO[str]) -> None:
    """Write records as a list, two spaces deep, so that a diff shows the lines that changed."""
    json.dump(list(records), stream, ensure_ascii=False, indent=2, allow_nan=False)
    stream.write("\n")


def _if_lines(text: str) -> str:
    first, _, rest = text.partition("\n")
    try:
        parse_json(first)
    except FileProblem:
        return ""
    return " It looks like one JSON object per line: name it .jsonl." if rest.strip() else ""
