"""Which format a file has, by its suffix."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from pytest_ragas.files.text import FileProblem
from pytest_ragas.testset.formats import csv_file, json_file, jsonl_file, yaml_file

FORMATS: dict[str, ModuleType] = {
    ".json": json_file,
    ".jsonl": jsonl_file,
    ".yaml": yaml_file,
    ".yml": yaml_file,
    ".csv": csv_file,
}
"""Suffix -> a module with `read(path)` and `write(records, stream)`."""


def format_of(path: Path) -> ModuleType:
    """The format of a file.

    Raises:
        FileProblem: A suffix that no format has.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        what = f"the suffix {path.suffix!r} is not known" if path.suffix else "it has no suffix"
        raise FileProblem(f"{what}. A testset is a file that ends in {', '.join(FORMATS)}.") from None
