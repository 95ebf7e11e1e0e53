"""`pytest-ragas check`: is this file a testset, and what is in it?"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ragas.values.testset import Testset

SUMMARY = "validate testset files and say what is in them"
DESCRIPTION = (
    "Validate testset files. For a good one: its rows, how many of them have each field, and the fingerprint that runs "
    "are compared by. For a bad one: every bad row, what was found, and the mend. Exit status 1 if any file is bad."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .json, .jsonl, .yaml, .yml or .csv file")


def run(arguments: argparse.Namespace) -> int:
    """Print a description of each file; 0 if all are testsets, else 1."""
    from pytest_ragas.errors import TestsetError
    from pytest_ragas.testset.load import load_testset

    status = 0
    for file in arguments.files:
        try:
            print("\n".join(description(load_testset(file))))
        except TestsetError as error:
            sys.stdout.flush()
            print(error, file=sys.stderr)
            status = 1
    return status


def description(testset: Testset) -> list[str]:
    """What is in a testset, one line a fact."""
    from pytest_ragas.testset.bad_rows import ranges
    from pytest_ragas.values.sample import SCORED_FIELDS

    rows = len(testset)
    lines = [f"{testset.path}: {rows} row{'' if rows == 1 else 's'}, fingerprint {testset.fingerprint}"]
    for field in SCORED_FIELDS:
        absent = [number for number, sample in enumerate(testset, 1) if getattr(sample, field) is None]
        if not absent:
            lines.append(f"  {field:<21} every row")
        elif len(absent) < rows:
            lines.append(f"  {field:<21} {rows - len(absent)} of {rows}, not in row {_cut(ranges(absent))}")
    tags = sorted({tag for sample in testset for tag in sample.tags})
    metadata = sorted({name for sample in testset for name in sample.metadata})
    for name, values in (("tags", tags), ("metadata", metadata)):
        if values:
            lines.append(f"  {name:<21} {_cut(', '.join(values))}")
    return lines


def _cut(text: str, limit: int = 70) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
