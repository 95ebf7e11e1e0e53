"""The published JSON Schema of testsets, and one row held against it."""

from __future__ import annotations

import difflib
import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_ragas.files.found import found
from pytest_ragas.files.schema_check import Check, compile_check
from pytest_ragas.testset.aliases import CANONICAL, Kind, kind

SCHEMA_FILE = Path(__file__).with_name("testset.schema.json")

_EXPECTED: dict[Kind, str] = {
    "text": "one text",
    "texts": "a list of texts",
    "name": "a text or whole number",
    "names": "a list of texts or whole numbers",
    "metadata": "an object",
}
_EXAMPLE: dict[Kind, str] = {
    "text": '"{0}": "…"',
    "texts": '"{0}": ["first passage", "second passage"]',
    "name": '"{0}": "refund-policy-1"',
    "names": '"{0}": ["a", "b"]',
    "metadata": '"{0}": {{"author": "…"}}',
}


@functools.cache
def published_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a whole testset file; `#/$defs/row` is that of one row."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


@functools.cache
def row_schema() -> dict[str, Any]:
    """JSON Schema of one row, with the definitions that it refers to."""
    whole = published_schema()
    return {**whole["$defs"]["row"], "$defs": whole["$defs"]}


@functools.cache
def row_check() -> Check:
    """Whether a value is a row; in microseconds, and in agreement with `row_schema`."""
    return compile_check(row_schema())


def row_problems(row: object) -> list[tuple[str, str]]:
    """What the schema finds wrong with a row: (field, what was found and the mend), in the order of the fields."""
    from pytest_ragas.files.schema_explain import dotted, violations

    broken = violations(row_schema(), row)
    mistyped = {violation.path[0] for violation in broken if violation.path}
    problems = []
    for violation in broken:
        if violation.path:
            column = str(violation.path[0])
            problems.append(
                (dotted(violation.path), _mistyped(column, violation.found, inside=len(violation.path) > 1))
            )
        elif violation.keyword == "anyOf":
            if not mistyped & {"user_input", "question"}:
                problems.append(("user_input", _no_question(violation.found)))
        else:
            problems.append(("", f"found {found(row)} where a row must be an object of columns."))
    return problems


def _mistyped(column: str, value: object, *, inside: bool) -> str:
    holds = kind(column)
    if isinstance(value, float) and not math.isfinite(value):
        return f"found {found(value)}, which is not finite. Write null for what is not given."
    if inside:
        if value is None:
            return f"found null inside the list. Leave it out, or give the whole field as null. {_example(column)}"
        expected = "a text" if holds == "texts" else "a text or whole number"
        return f"found {found(value)}; each entry must be {expected}. {_example(column)}"
    if holds == "text" and isinstance(value, (bool, int, float)):
        return f"found {found(value)}; it must be one text. Put it in quotes."
    if CANONICAL[column] == "reference" and isinstance(value, (list, tuple)):
        return f"found {found(value)}; a row has one reference. Join them to one text. {_example(column)}"
    return f"found {found(value)}; it must be {_EXPECTED[holds]}. {_example(column)}"


def _example(column: str) -> str:
    return f"Write for example {_EXAMPLE[kind(column)].format(column)}."


def _no_question(row: Mapping[str, Any]) -> str:
    given = [name for name in ("user_input", "question") if name in row]
    what = f"found null as {given[0]}" if given else "missing"
    others = [str(name) for name in row if name not in CANONICAL]
    for wanted in ("user_input", "question"):
        # lower case: a spreadsheet's "Question" is the commonest slip
        close = difflib.get_close_matches(wanted, [name.lower() for name in others], n=1, cutoff=0.7)
        if close:
            slip = next(name for name in others if name.lower() == close[0])
            return f"{what}. Did you mean {wanted!r} by the column {slip!r}? Rename it."
    columns = ", ".join(repr(name) for name in row) or "none"
    return f"{what}. Every row needs its question as 'user_input' (or 'question'); its columns are: {columns}."
