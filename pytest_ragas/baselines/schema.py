"""The published JSON Schema of run files, and a file held against it."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from pytest_ragas.files.found import found
from pytest_ragas.files.schema_check import Check, compile_check

SCHEMA_FILE = Path(__file__).with_name("run.schema.json")

_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


@functools.cache
def run_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a run file or baseline."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


@functools.cache
def run_check() -> Check:
    """Whether a value satisfies `run_schema`, without importing jsonschema."""
    return compile_check(run_schema())


def run_problem(data: Any) -> str:
    """The first thing that is wrong with the value of a run file; empty for a good one."""
    if run_check()(data):
        return ""
    from pytest_ragas.files.schema_explain import dotted, violations

    first = violations(run_schema(), data)[0]
    place = f"{dotted(first.path)}: " if first.path else ""
    if first.keyword == "additionalProperties":
        return f"{place}the key {first.unknown_keys[0]!r} is none of a run file."
    if first.keyword == "required":
        missing = [name for name in first.schema["required"] if name not in first.found]
        return f"{place}the key {missing[0]!r} is missing."
    return f"{place}found {found(first.found)}; it must be {_expected(first.schema)}."


def _expected(schema: dict[str, Any] | Any) -> str:
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    kind = _KINDS[schema["type"]]
    if "pattern" in schema:
        return f"{kind} like {schema['examples'][0]!r}"
    if "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    if "minimum" in schema:
        return f"{kind} of {schema['minimum']} or more"
    return "a text that is not empty" if "minLength" in schema else kind
