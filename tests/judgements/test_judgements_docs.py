"""docs/judgements.md promises what exists."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from judgements_made import Judged, samples, settings
from openai_server.server import OpenAIServer

from pytest_ragas.cli.main import _parser
from pytest_ragas.settings.options import OPTIONS

TEXT = (Path(__file__).parents[2] / "docs" / "judgements.md").read_text(encoding="utf-8")


def test_every_option_exists() -> None:
    flags = set(re.findall(r"--ragas-[a-z-]+", TEXT))
    assert flags <= {option.flag for option in OPTIONS}
    assert {"--ragas-cache", "--ragas-cache-url", "--ragas-cassette"} <= flags


@pytest.mark.parametrize("line", re.findall(r"^\$ pytest-ragas ([^#\n]+)", TEXT, re.MULTILINE))
def test_every_command_can_be_typed(line: str) -> None:
    assert _parser().parse_args(line.split()).command == "cache"


def test_the_message_is_the_one_that_is_shown(tmp_path: Path) -> None:
    tape = tmp_path / "judgements.jsonl"
    with OpenAIServer() as server:
        given = settings(server, tmp_path, cassette=str(tape))
        Judged(given, samples(1))
        row = dataclasses.replace(samples(1)[0], response="Other.")
        (failure,) = Judged(dataclasses.replace(given, cache="replay"), [row]).failures
    said = failure.error.partition(": ")[2]
    said = said.replace(str(tape), "judgements.jsonl").replace(server.url, "https://api.openai.com/v1")
    shown = re.search(r"```text\n.*could not be scored: (.*?)```", TEXT, re.DOTALL)
    assert shown is not None
    assert " ".join(shown[1].split()) == said.replace("to judge at", "to gpt-4o-mini at")
