"""`read_run` and `write_run`: run files and baselines. One row a line, sorted, so that a diff shows what changed."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_ragas.baselines.record import key_order
from pytest_ragas.baselines.schema import run_problem
from pytest_ragas.errors import BaselineError
from pytest_ragas.files.json_text import Doubled, parse_json
from pytest_ragas.files.json_value import json_line
from pytest_ragas.files.text import FileProblem, check_is_file, read_text
from pytest_ragas.files.whole import written_whole
from pytest_ragas.values.recorded import RUN_FORMAT, RecordedRun


def write_run(run: RecordedRun, path: Path, *, answers: bool) -> None:
    """Write a run, whole or not at all.

    Args:
        run: The run.
        path: Replaced if it exists; missing folders are made.
        answers: Whether the file keeps questions and answers, so that they can be judged again; scores alone otherwise.

    Raises:
        BaselineError: It cannot be written.
    """
    rows = tuple(sorted(run.rows, key=key_order))
    kept = rows if answers else tuple(replace(row, sample=None) if row.sample else row for row in rows)
    try:
        with written_whole(path) as stream:
            for line in _lines(replace(run, rows=kept).to_json()):
                stream.write(line + "\n")
    except OSError as error:
        raise BaselineError(f"{path} cannot be written: {error.strerror or error}.") from error


def read_run(path: Path, *, shown: str = "") -> RecordedRun:
    """Read a run file or baseline.

    Args:
        path: The file.
        shown: What messages call it; empty for its path.

    Raises:
        BaselineError: There is no such file, it is of a newer format, or it is damaged; says which and where.
    """
    with _no_collection():
        return _read(path, shown or str(path))


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Python looks through all objects again and again while a file becomes very many of them: half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(path: Path, shown: str) -> RecordedRun:
    try:
        check_is_file(path, [".json"])
        data = parse_json(read_text(path))
    except FileProblem as problem:
        raise BaselineError(f"{shown} cannot be read as a run: {problem}") from None
    _check_format(data, shown)
    try:
        wrong = _unfit(data) or run_problem(data) or _doubled(data)
    except RecursionError:
        wrong = "its JSON is nested too deeply."
    if wrong:
        raise BaselineError(f"{shown} is damaged: {wrong} Save the run again, or restore the file.")
    return RecordedRun.from_json(data)


def _check_format(data: Any, shown: str) -> None:
    form = data.get("format") if isinstance(data, dict) else None
    if isinstance(form, bool) or not isinstance(form, int):
        raise BaselineError(
            f"{shown} is no run file: it has no 'format'. Run files are what --ragas-save, --ragas-autosave, "
            "--ragas-update-baseline and `pytest-ragas merge` write."
        )
    if form > RUN_FORMAT:
        said = data.get("environment")
        maker = said.get("pytest-ragas") if isinstance(said, dict) else None
        by = f" by pytest-ragas {maker}" if isinstance(maker, str) else ""
        raise BaselineError(
            f"{shown} was written{by} in format {form}, and this version reads formats up to {RUN_FORMAT}. "
            "Update pytest-ragas, or save the run again with this version."
        )


def _unfit(value: Any, path: str = "") -> str:
    """What JSON cannot hold and Python's reader lets through; texts that a RAG has cut inside a character may stay."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{path}: found the number {value}, which is not finite."
    if isinstance(value, Doubled):
        return f"{path}: found the key {value.twice!r} twice.".removeprefix(": ")
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        if isinstance(inner, (float, dict, list)):
            step = f"[{key}]" if isinstance(value, list) else f".{key}" if path else key
            if problem := _unfit(inner, f"{path}{step}"):
                return problem
    return ""


def _doubled(data: Mapping[str, Any]) -> str:
    seen: dict[tuple[str, str, int], int] = {}
    for position, row in enumerate(data["rows"]):
        key = (row["test"], row["id"], row.get("number", 1))
        if key in seen:
            return f"rows[{position}] and rows[{seen[key]}] are both the row {row['id']!r} of {row['test']}."
        seen[key] = position
    return ""


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield "{"
    last = list(data)[-1]
    for name, value in data.items():
        comma = "" if name == last else ","
        if isinstance(value, list) and value:
            yield f'  "{name}": ['
            for position, entry in enumerate(value, 1):
                yield f"    {json_line(entry)}{',' if position < len(value) else ''}"
            yield f"  ]{comma}"
        else:
            yield f'  "{name}": {json_line(value)}{comma}'
    yield "}"
