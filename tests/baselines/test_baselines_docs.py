"""docs/baselines.md leaves no key of a run file out, and names no flag or command that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_ragas.baselines.schema import run_schema
from pytest_ragas.cli.main import COMMANDS

TEXT = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text(encoding="utf-8")
NAMED = {name for line in TEXT.splitlines() if line.startswith("| `") for name in re.findall(r"`([^`]+)`", line)}


def test_every_key_of_a_file_and_of_a_row_is_explained() -> None:
    schema = run_schema()
    assert set(schema["properties"]) | set(schema["$defs"]["row"]["properties"]) <= NAMED


def test_every_flag_exists(pytestconfig: pytest.Config) -> None:
    known = {flag for group in pytestconfig._parser._groups for option in group.options for flag in option.names()}
    named = set(re.findall(r"--ragas-[a-z-]*[a-z]", TEXT))
    assert named
    assert named <= known


def test_every_command_exists() -> None:
    named = set(re.findall(r"pytest-ragas ([a-z]+)", TEXT)) - {"makes", "and"}
    assert {"runs", "merge", "schema"} <= named <= set(COMMANDS)
