"""The console script: its commands, its exit statuses, and how little it needs to start."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_ragas.cli.main import COMMANDS, main

SCRIPT = Path(sys.executable).with_name("pytest-ragas")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"pytest-ragas {version('pytest-ragas')}\n"


@pytest.mark.parametrize("arguments", [[], ["chekc", "x"], ["check"], ["schema", "nothing"]])
def test_a_command_line_that_cannot_be_read_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_names_everything(capsys: pytest.CaptureFixture[str], command: str | None) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"] if command is None else [command, "--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS) if command is None else f"pytest-ragas {command}" in said


@pytest.mark.parametrize(
    ("what", "title"),
    [
        ("testset", "Testset of pytest-ragas"),
        ("config", "Settings of pytest-ragas"),
        ("run", "A run file or baseline of pytest-ragas"),
        ("report", "A report of pytest-ragas"),
    ],
)
def test_schema_prints_what_the_package_publishes(capsys: pytest.CaptureFixture[str], what: str, title: str) -> None:
    assert main(["schema", what]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == title


@pytest.fixture
def testset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    rows = [{"question": f"q{n}", "answer": None if n == 3 else "a", "contexts": ["c"]} for n in range(1, 6)]
    rows[0].update(tags="x, y", level="easy")
    rows[1].update(ground_truth="g", tags=["x"])
    Path("testset.json").write_text(json.dumps(rows))
    return "testset.json"


def test_check_says_what_is_in_a_testset(capsys: pytest.CaptureFixture[str], testset: str) -> None:
    assert main(["check", testset]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("testset.json: 5 rows, fingerprint ")
    assert rest == [
        "  user_input            every row",
        "  response              4 of 5, not in row 3",
        "  retrieved_contexts    every row",
        "  reference             1 of 5, not in row 1, 3-5",
        "  tags                  x, y",
        "  metadata              level",
    ]


def test_check_lists_every_bad_file_and_is_status_1(capsys: pytest.CaptureFixture[str], testset: str) -> None:
    Path("bad.jsonl").write_text('{"question": 3}\n{"question": "q"}\n{"question": "q"}\n')
    assert main(["check", "bad.jsonl", testset, "none.json"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("testset.json: 5 rows")
    assert "Cannot load the testset bad.jsonl: 2 bad rows.\n  row 1 (line 1), question: found the number 3" in said.err
    assert "row 3 (line 3), id: it asks the same as row 2 (line 2)" in said.err
    assert "Cannot load the testset none.json: there is no such file" in said.err
    assert "Traceback" not in said.err


def test_an_error_of_ours_is_one_line_and_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_ragas.cli import schema
    from pytest_ragas.errors import ConfigurationError

    def fail(_: object) -> int:
        raise ConfigurationError("this and that")

    monkeypatch.setattr(schema, "run", fail)
    assert main(["schema", "config"]) == 1
    assert capsys.readouterr().err == "error: this and that\n"


def test_an_interruption_is_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_ragas.cli import schema

    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "run", interrupt)
    assert main(["schema", "config"]) == 130


@pytest.mark.skipif(not SCRIPT.exists(), reason="the package is not installed beside this Python")
def test_the_installed_script_runs() -> None:
    result = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=True)
    assert result.stdout == f"pytest-ragas {version('pytest-ragas')}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_reader_that_goes_away_is_no_traceback() -> None:
    call = "import sys; from pytest_ragas.cli.main import main; sys.exit(main(['schema', 'config']))"
    with subprocess.Popen(
        [sys.executable, "-c", call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_starting_imports_nothing_but_the_command_line(pytester: pytest.Pytester) -> None:
    script = pytester.makepyfile(
        """
        import sys
        from pytest_ragas.cli.main import main
        assert main(["schema", "config"]) == 0
        heavy = {"pytest", "jsonschema", "yaml", "aiohttp", "ragas", "asyncio", "pytest_ragas.plugin", "csv"}
        assert not heavy & set(sys.modules), sorted(heavy & set(sys.modules))
        """
    )
    assert pytester.runpython(script).ret == 0
