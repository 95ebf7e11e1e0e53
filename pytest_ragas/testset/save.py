"""A `Testset` to a file that `load_testset` reads back equal; whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_ragas.errors import TestsetError
from pytest_ragas.files.found import not_json
from pytest_ragas.files.text import FileProblem
from pytest_ragas.files.whole import written_whole
from pytest_ragas.testset.aliases import KINDS
from pytest_ragas.testset.formats.table import format_of
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset


def save_testset(testset: Testset, path: str | Path) -> None:
    """Write a testset as `.json`, `.jsonl`, `.yaml`, `.yml` or `.csv`, by the suffix of `path`.

    Atomic: a reader sees the old file or the new one, and an interruption leaves the old one. Missing directories
    are made; a symbolic link stays one; the permissions of an existing file are kept. Every id is written, so that
    a row keeps its own when its reference is mended later.

    Raises:
        TestsetError: An unknown suffix, no rows, an id twice, or a value that no JSON file can hold (NaN, a date).
        OSError: The file cannot be written.
    """
    path = Path(path)
    records = [_record(sample, path) for sample in testset.samples]
    _check_ids(testset, path)
    try:
        file_format = format_of(path)
    except FileProblem as error:
        raise TestsetError(f"Cannot save a testset as {path}: {error}") from None
    with written_whole(path) as stream:
        file_format.write(records, stream)


def _record(sample: Sample, path: Path) -> dict[str, Any]:
    data = sample.to_json()
    record = {name: data[name] for name in KINDS if name in data}
    where, problem = not_json(record)
    if problem:
        raise TestsetError(f"Cannot save the row {sample.id!r} in {path}, field {where.lstrip('.')}: it has {problem}.")
    return record


def _check_ids(testset: Testset, path: Path) -> None:
    ids = [sample.id for sample in testset.samples]
    if not ids:
        raise TestsetError(f"Cannot save a testset without rows as {path}: it could not be loaded again.")
    if len(set(ids)) < len(ids):
        twice = next(identifier for identifier in ids if ids.count(identifier) > 1)
        raise TestsetError(f"Cannot save {path}: two rows have the id {twice!r}. Give each an id of its own.")
