"""`pytest-ragas generate`: as a user types it, with a real server behind it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from openai_server.author import author
from openai_server.server import OpenAIServer

from pytest_ragas.cli.main import main

SCRIPT = Path(sys.executable).with_name("pytest-ragas")

TEXT = """# Handbook

## Opening hours

The office in Lund opens at 08:30 on working days and closes at 18:00 in the evening. On Fridays it closes at 16:00.

## Vacation

Every employee gets 25 days of vacation a year. A request for vacation goes to Anna Berg four weeks before.

## Travel

Trains are booked by Erik Holm in the second class. Flights are allowed where a train takes nine hours.
"""
GENERATE = ["generate", "handbook.md", "--test-size", "4", "--chunk-size", "150", "--output", "out/generated.json"]


@pytest.fixture
def server(openai_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenAIServer:
    openai_server.brain = author
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAGAS_TEST_KEY", "sk-very-secret")
    Path("handbook.md").write_text(TEXT, encoding="utf-8")
    Path("pyproject.toml").write_text(
        f"""
        [tool.pytest-ragas.generator_llm]
        model_name = "author"
        api_base = "{openai_server.url}"
        api_key = "env:RAGAS_TEST_KEY"
        """,
        encoding="utf-8",
    )
    return openai_server


def test_a_testset_and_its_lock_are_written(server: OpenAIServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(GENERATE) == 0
    said = capsys.readouterr().out
    assert "out/generated.json: 4 rows (2 simple, 2 multi_context) from " in said
    assert "generator LLM author: " in said
    rows = json.loads(Path("out/generated.json").read_text(encoding="utf-8"))
    assert len(rows) == 4
    lock = json.loads(Path("out/generated.json.lock").read_text(encoding="utf-8"))
    assert lock["docs"] == ["handbook.md"]
    assert all(b"sk-very-secret" not in file.read_bytes() for file in Path().rglob("*") if file.is_file())


def test_what_is_there_is_not_written_over(server: OpenAIServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(GENERATE) == 0
    before = Path("out/generated.json").read_bytes()
    assert main(GENERATE) == 1
    assert "out/generated.json is there already: bring it up to date with --update" in capsys.readouterr().err
    assert Path("out/generated.json").read_bytes() == before


def test_check_and_update(server: OpenAIServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(GENERATE) == 0
    check, update = ([*GENERATE[:1], flag, "--output", "out/generated.json"] for flag in ("--check", "--update"))
    assert main(check) == 0
    assert "4 rows, up to date" in capsys.readouterr().out
    Path("handbook.md").write_text(TEXT.replace("08:30", "09:15"), encoding="utf-8")
    asked = len(server.requests)
    assert main(check) == 1
    said = capsys.readouterr().out
    assert "changed documents: handbook.md" in said
    assert "handbook.md has changed under 'Opening hours'" in said
    assert len(server.requests) == asked
    assert main(update) == 0
    assert "replaced, 0 added" in capsys.readouterr().out
    assert main(check) == 0
    assert "08:30" not in Path("out/generated.json").read_text(encoding="utf-8")


def test_check_looks_at_the_recipe_of_the_command_line_too(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(GENERATE) == 0
    more = ["generate", "--output", "out/generated.json", "--test-size", "6", "--distribution"]
    assert main([*more, "simple=0.5,multi_context=0.34,unanswerable=0.16", "--check"]) == 1
    assert "0 stale, 1 simple, 1 unanswerable missing" in capsys.readouterr().out
    assert main([*more, "simple=0.5,multi_context=0.34,unanswerable=0.16", "--update"]) == 0
    assert "0 replaced, 2 added, 4 kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate"], "No documents are named. Write for example: pytest-ragas generate docs/*.md"),
        (["generate", "missing.md"], "missing.md"),
        (["generate", "handbook.md", "--test-size", "0"], "test_size=0 must be a whole number of 1 or more"),
        (["generate", "handbook.md", "--distribution", "simpel=1"], "Did you mean 'simple'?"),
        (["generate", "--check", "--output", "none.json"], "none.json has no lock"),
    ],
)
def test_what_cannot_be_done_says_why(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
    assert not server.requests


@pytest.mark.parametrize("shares", ["simple", "simple=high", "simple=0.5;reasoning=0.5"])
def test_shares_that_cannot_be_read_are_status_2(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str], shares: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["generate", "handbook.md", "--distribution", shares])
    assert caught.value.code == 2
    assert "write for example simple=0.5,multi_context=0.4,reasoning=0.1" in capsys.readouterr().err


def test_without_a_generator_llm_it_says_both_ways_out(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text("", encoding="utf-8")
    assert main(GENERATE) == 1
    assert "[tool.pytest-ragas.generator_llm]" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_at_any_moment_pays_for_nothing_twice_and_leaves_no_half_file(server: OpenAIServer) -> None:
    """One generation, interrupted again and again until it is whole."""
    server.latency = 0.03
    moments = random.Random(6)
    command = [str(SCRIPT), *GENERATE, "--respond"]
    interruptions = 0
    while interruptions < 12:
        before = len(server.requests)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wanted = before + moments.randint(1, 9)
        while len(server.requests) < wanted and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        interruptions += 1
        assert process.returncode == 130, said
        assert "what the models answered is stored" in said[1]
        assert not Path("out/generated.json").exists()
        assert not [file.name for file in Path().rglob("*.tmp")]
    assert interruptions >= 2
    assert main([*GENERATE, "--respond"]) == 1  # it is there
    contents = [json.dumps(request.body, sort_keys=True) for request in server.requests]
    assert len(set(contents)) == len(contents), "a request was sent twice"
    assert len(json.loads(Path("out/generated.json").read_text(encoding="utf-8"))) == 4
