"""The published JSON Schema of the settings."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from pytest_ragas.files.schema_check import Check, compile_check

SCHEMA_FILE = Path(__file__).with_name("config.schema.json")


@functools.cache
def config_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of `[tool.pytest-ragas]`."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


@functools.cache
def config_check() -> Check:
    """Whether a table satisfies `config_schema`, without importing jsonschema."""
    return compile_check(config_schema())
