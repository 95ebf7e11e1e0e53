"""`pytest-ragas cache`: stats, export, import, prune."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from pytest_ragas.cli.main import main
from pytest_ragas.judgements.cassette import Cassette
from pytest_ragas.judgements.judgement import Judgement
from pytest_ragas.judgements.lines import sorted_text
from pytest_ragas.judgements.sqlite_store import SQLiteStore

MODEL = {"provider": "openai", "name": "judge", "endpoint": "http://h/v1", "parameters": {}}


def judgement(kind: str, number: int, **changes: object) -> Judgement:
    content = {
        "score": {"metric": "faithfulness", "value": 0.5, "reason": "", "evidence": [], "higher_is_better": True},
        "answer": {"value": {"größe": number}, "usage": [1, 1_000, 234]},
        "vector": {"float32": "AACAPw=="},
    }[kind]
    given = {"metric": "faithfulness", "sample": f"q{number}", "request": {"model": MODEL}, "content": content}
    return Judgement(kind=kind, key=f"{number:032x}", **{**given, **changes})  # type: ignore[arg-type]


ALL = [
    judgement("score", 1, answers=(f"{2:032x}",)),
    judgement("answer", 2),
    judgement("vector", 3),
    judgement("score", 4, metric="answer_relevancy"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, seen from a folder below, with four judgements in its store."""
    for name in ("PYTEST_RAGAS_CACHE_DIR", "PYTEST_RAGAS_CACHE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest-ragas]\ncache_dir = "build/judged"\n')
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    (tmp_path / "build" / "judged").mkdir(parents=True)
    store = SQLiteStore(tmp_path / "build" / "judged" / "judgements.sqlite3")
    store.write(ALL, run="first")
    store.close()
    return tmp_path


def test_stats(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "stats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{project / 'build' / 'judged' / 'judgements.sqlite3'}, ")
    assert lines[0].endswith(" kB")
    assert lines[1] == "  2 scores, 1 answer, 1 vector, 1,234 tokens"
    assert lines[2].startswith(f"  1 run, the last one at {time.strftime('%Y-')}")
    assert [line.split() for line in lines[3:]] == [
        ["metric", "answer_relevancy", "1", "score"],
        ["metric", "faithfulness", "1", "score"],
        ["model", "judge", "2", "answers"],
    ]


def test_export_is_a_cassette_and_import_reads_it_back(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "export", "out.jsonl"]) == 0
    text = Path("out.jsonl").read_text(encoding="utf-8")
    assert text == sorted_text(ALL)
    assert [json.loads(line)["kind"] for line in text.splitlines()] == ["score", "score", "answer", "vector"]
    assert len(Cassette(Path("out.jsonl"))) == 4
    capsys.readouterr()
    assert main(["cache", "import", "out.jsonl", "--cache-dir", "other"]) == 0
    assert "4 judgements imported to" in (said := capsys.readouterr().out)
    assert "4 new, 0 replaced" in said
    assert main(["cache", "import", "out.jsonl", "out.jsonl", "--cache-dir", "other"]) == 0
    assert "0 new, 4 replaced" in capsys.readouterr().out
    assert main(["cache", "export", "-", "--cache-dir", "other"]) == 0
    assert capsys.readouterr().out == text
    assert Path("other/.gitignore").exists()


def test_export_of_one_kind(project: Path) -> None:
    assert main(["cache", "export", "out.jsonl", "--only", "score"]) == 0
    assert [json.loads(line)["kind"] for line in Path("out.jsonl").read_text().splitlines()] == ["score", "score"]


def test_import_is_all_or_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.jsonl").write_text(sorted_text([judgement("answer", 9)]))
    Path("bad.jsonl").write_text(sorted_text([judgement("answer", 8)]) + "<<<<<<< HEAD\n")
    assert main(["cache", "import", "good.jsonl", "bad.jsonl"]) == 1
    assert "bad.jsonl cannot be read: line 2: a merge was not resolved" in capsys.readouterr().err
    assert main(["cache", "import", "good.jsonl", "nowhere.jsonl"]) == 1
    assert "There is no file nowhere.jsonl" in capsys.readouterr().err
    assert main(["cache", "stats"]) == 0
    assert "1 answer," in capsys.readouterr().out


def test_prune_what_the_last_run_did_not_use(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SQLiteStore(project / "build" / "judged" / "judgements.sqlite3")
    store.used([ALL[0].key], run="second")
    store.close()
    assert main(["cache", "prune", "--unused"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("judgements.sqlite3: 1 score, 0 answers, 1 vector")
    assert lines[1].startswith("left: 1 score, 1 answer, 0 vectors (")


def test_prune_by_age(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "prune", "--older-than", "30"]) == 0
    assert "left: 2 scores, 1 answer, 1 vector" in capsys.readouterr().out
    assert main(["cache", "prune", "--older-than", "0"]) == 0
    assert "left: 0 scores, 0 answers, 0 vectors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune"], "one of the arguments --older-than --unused is required"),
        (["prune", "--older-than", "soon"], "found 'soon'; write a number of days, for example 30"),
        (["prune", "--older-than", "-1"], "found '-1'; write a number of days"),
        (["forget"], "invalid choice: 'forget'"),
        ([], "the following arguments are required: ACTION"),
    ],
)
def test_a_command_line_that_cannot_be_read(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["cache", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_store_that_is_not_there_is_named_and_not_made(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in (["stats"], ["export", "out.jsonl"]):
        assert main(["cache", *action, "--cache-dir", "nowhere"]) == 1
        assert f"error: There is no judgement store {Path('nowhere').absolute()}" in capsys.readouterr().err
    assert not Path("nowhere").exists()
    assert not Path("out.jsonl").exists()


def test_a_file_that_cannot_be_written_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "export", "no-folder/out.jsonl"]) == 1
    assert "error: no-folder/out.jsonl cannot be written: No such file" in capsys.readouterr().err


def test_help_imports_no_stage(capsys: pytest.CaptureFixture[str]) -> None:
    import subprocess

    script = (
        "import sys\nfrom pytest_ragas.cli.main import main\n"
        "try: main(['cache', 'export', '--help'])\nexcept SystemExit: pass\n"
        "assert not [name for name in sys.modules if 'pytest_ragas.judgements' in name or 'sqlite3' in name]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
