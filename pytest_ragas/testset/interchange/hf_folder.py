"""The folder of a HF dataset, as `Dataset.save_to_disk` writes it: the one door to `datasets`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_ragas.errors import MissingExtraError, cut
from pytest_ragas.files.text import FileProblem


def read_folder(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a dataset on disk.

    Raises:
        FileProblem: The folder holds no dataset, or several splits.
        MissingExtraError: `datasets` is not installed.
    """
    datasets = _library()
    try:
        dataset = datasets.load_from_disk(str(path))
    except Exception as error:  # whatever a broken folder makes of the library
        raise FileProblem(f"it holds no HF dataset ({type(error).__name__}: {cut(str(error), 100)}).") from None
    if isinstance(dataset, datasets.DatasetDict):
        raise FileProblem(f"it holds several splits. Name one of their folders: {', '.join(sorted(dataset))}.")
    for row in dataset:
        if isinstance(row.get("metadata"), str):
            row = {**row, "metadata": json.loads(row["metadata"])}
        yield row


def write_folder(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write rows as a dataset on disk. Metadata is a JSON text there, since its entries differ from row to row.

    Raises:
        MissingExtraError: `datasets` is not installed.
    """
    datasets = _library()
    names = list(dict.fromkeys(name for row in rows for name in row))
    flat = [{name: _flat(name, row.get(name)) for name in names} for row in rows]
    bars = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        datasets.Dataset.from_list(flat).save_to_disk(str(path))
    finally:
        if bars:
            datasets.enable_progress_bars()


def _flat(name: str, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if name == "metadata" and value is not None else value


def _library() -> Any:
    try:
        import datasets
    except ImportError:
        raise MissingExtraError("The folder of a HF dataset", "datasets", "ragas") from None
    return datasets
