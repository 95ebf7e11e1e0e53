"""`.jsonl`: one JSON object a line; the format for large testsets, since it is never held whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, iter_lines
from pytest_ragas.testset.formats.raw import RawRow


def read(path: Path) -> Iterator[RawRow]:
    """The rows of the file, one at a time; blank lines are skipped.

    Raises:
        FileProblem: It cannot be opened, is UTF-16, or is a `.json` by another name.
    """
    number = 0
    for line in iter_lines(path):
        if not line.data.strip():
            continue
        number += 1
        try:
            value = parse_json(line.text().strip())
        except FileProblem as error:
            if number == 1 and line.data.strip() in (b"[", b"{"):
                raise FileProblem("it is one JSON value over several lines: name it .json.") from None
            yield RawRow(number, line.number, None, (("", _of_line(error)),))
            continue
        if number == 1 and isinstance(value, list):
            raise FileProblem("its first line is a list, where one object must be: name it .json.")
        yield RawRow(number, line.number, value)


def write(records: Iterable[dict[str, Any]], stream: IO[str]) -> None:
    """Write one record a line."""
    for record in records:
        stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _of_line(error: FileProblem) -> str:
    # the decoder saw one line and calls it line 1
    text = str(error)
    return text.replace("at line 1, column", "at column") + " Each line is one JSON object." if "JSON" in text else text
