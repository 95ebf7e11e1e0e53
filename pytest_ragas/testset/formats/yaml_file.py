"""`.yaml`, `.yml`: a list of records, or a mapping with one list per column; for testsets written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pytest_ragas.files.text import read_text
from pytest_ragas.files.yaml_text import dump_yaml, parse_yaml
from pytest_ragas.testset.formats.columns import rows_of
from pytest_ragas.testset.formats.raw import RawRow


def read(path: Path) -> Iterator[RawRow]:
    """The rows of the file.

    Raises:
        FileProblem: It cannot be read as a testset at all.
    """
    document = parse_yaml(read_text(path))
    return iter(()) if document.value is None else rows_of(document.value, document.item_lines)


def write(records: Iterable[dict[str, Any]], stream: IO[str]) -> None:
    """Write records as a list of mappings."""
    dump_yaml(list(records), stream)
