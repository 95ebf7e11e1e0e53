"""CSV files of other tools: commas, cells as they stand, and nothing where a cell is empty.

Our own reader (`testset/formats/csv_file.py`) knows what our columns hold; here each tool says it itself.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pytest_ragas.files.text import FileProblem, read_text


def read_cells(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file; a column whose cell is empty holds None.

    Raises:
        FileProblem: It cannot be read.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restkey="")
    try:
        for row in reader:
            if "" in row:
                raise FileProblem(f"line {reader.line_num} has more cells than the first line names columns.")
            yield {name: cell or None for name, cell in row.items()}
    except csv.Error as error:
        raise FileProblem(f"no valid CSV at line {reader.line_num}: {error}.") from None


def write_cells(rows: Sequence[dict[str, Any]], stream: IO[str]) -> None:
    """Write rows; objects and lists become JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
