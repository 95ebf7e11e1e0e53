"""`pytest-ragas runs` and `pytest-ragas merge`: saved runs listed, shown, removed and put together."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from baselines.comparison_made import metric, model, recorded, row

from pytest_ragas.baselines.run_file import read_run, write_run
from pytest_ragas.baselines.store import RunStore
from pytest_ragas.cli.main import main
from pytest_ragas.values.recorded import Commit, RecordedRun

SCRIPT = Path(sys.executable).with_name("pytest-ragas")
COMMIT = Commit(id="3f2a91c04b7e5d6a8f9b0c1d2e3f405162738495", branch="topic")


def saved(name: str, scores: dict[str, float], **fields: object) -> RecordedRun:
    rows = [
        replace(row(id, {"faithfulness": value}), content="0" * 12, answer="1" * 12) for id, value in scores.items()
    ]
    run = recorded(*rows, name=name, critics=[model("judge", temperature="0")], metrics=[metric("faithfulness")])
    given: dict[str, object] = {"commit": COMMIT, "environment": {"python": "3.11.7"}, "seconds": 2.5, **fields}
    return replace(run, **given)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A project, seen from a folder below, with three saved runs."""
    for name in ("PYTEST_RAGAS_RUNS_DIR", "PYTEST_RAGAS_BASELINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest-ragas]\nruns_dir = "kept"\n')
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    store = RunStore(tmp_path / "kept")
    store.save(saved("main", {"a": 0.5, "b": 1.0}))
    store.save(saved("shard", {"c": 0.5}, commit=replace(COMMIT, dirty=True)))
    store.save(saved("stopped", {"a": 0.25}, complete=False, created="2026-03-01T13:00:00Z"))
    return store


def test_runs_are_listed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert listed.splitlines() == [
        "run           date (UTC)        commit               rows  faithfulness",
        "0001_main     2026-03-01 12:00  3f2a91c0                2          0.75",
        "0002_shard    2026-03-01 12:00  3f2a91c0 dirty          1          0.50",
        "0003_stopped  2026-03-01 13:00  3f2a91c0        1 stopped          0.25",
    ]
    assert main(["runs", "list"]) == 0
    assert capsys.readouterr().out == listed


def test_a_list_is_never_wider_than_the_terminal(
    store: RunStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in (80, 60, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(["runs"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        assert all("rows" in line or "0" in line for line in lines)


def test_an_empty_folder_says_how_to_save_a_run(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--runs-dir", "elsewhere"]) == 0
    assert "Save one with pytest --ragas-save=NAME or --ragas-autosave." in capsys.readouterr().out
    assert main(["runs", "list", "--runs-dir", str(store.folder)]) == 0
    assert "0001_main" in capsys.readouterr().out


def test_a_damaged_run_does_not_hide_the_others(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    (store.folder / "0002_shard.json").write_text("{")
    assert main(["runs"]) == 1
    captured = capsys.readouterr()
    assert [line.split()[0] for line in captured.out.splitlines()] == ["run", "0001_main", "0003_stopped"]
    assert "0002_shard.json cannot be read as a run: no valid JSON" in captured.err


def test_one_run_is_shown(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "main"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0001_main: 2 rows (2 passed)",
        "  saved       2026-03-01 12:00 UTC",
        "  commit      3f2a91c0 on topic",
        "  time        2.50 s",
        "  critic LLM  judge at https://api/v1",
        "  with        python 3.11.7",
        "",
        "metric        scored  unscored  mean   min  backend  version",
        "faithfulness       2         0  0.75  0.50  native   1",
    ]


def test_by_default_the_latest_whole_run_is_shown(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show"]) == 0
    assert capsys.readouterr().out.startswith("0002_shard: 1 row (1 passed)\n")
    assert main(["runs", "show", "3"]) == 0
    assert "saved       2026-03-01 13:00 UTC, stopped before its end" in capsys.readouterr().out


def test_a_file_is_shown_under_the_name_that_was_typed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(saved("x", {"a": 1.0}), Path("baseline.json"), answers=False)
    assert main(["runs", "show", "baseline.json"]) == 0
    assert capsys.readouterr().out.startswith("baseline.json: 1 row (1 passed)\n")


def test_an_unknown_run_names_its_neighbour(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "shrd"]) == 1
    assert "'shrd'. Did you mean 'shard'?" in capsys.readouterr().err


def test_runs_are_removed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "rm", "main", "2", "0001_main"]) == 0
    assert capsys.readouterr().out == f"deleted from {store.folder}: 0001_main, 0002_shard\n"
    assert [stored.number for stored in store.list()] == [3]


def test_all_but_the_last_runs_are_removed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "rm", "--keep", "1"]) == 0
    assert [stored.number for stored in store.list()] == [3]
    assert main(["runs", "rm", "--keep=5"]) == 0
    assert capsys.readouterr().out.endswith(": nothing\n")


def test_only_saved_runs_are_removed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(saved("x", {"a": 1.0}), Path("baseline.json"), answers=False)
    assert main(["runs", "rm", "main", "baseline.json"]) == 1
    assert "baseline.json is no saved run of" in capsys.readouterr().err
    assert Path("baseline.json").exists()
    assert len(store.list()) == 3


def test_shards_are_merged(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "main", str(store.folder / "0002_shard.json"), "-o", "out/ci.json", "--name", "ci"]) == 0
    assert capsys.readouterr().out == "3 rows of 2 runs written to out/ci.json\n"
    merged = read_run(Path("out/ci.json"))
    assert (merged.name, len(merged.rows), merged.commit.dirty) == ("ci", 3, True)


def test_what_several_shards_have_is_said(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "main", "stopped", "-o", "ci.json"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 rows of 2 runs written to ci.json; a part was stopped before its end",
        "1 row is in several of the runs, 1 of them with other scores: the latest score counts",
    ]


def test_shards_become_a_baseline(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "main", "shard", "--baseline", "-o", "baseline.json"]) == 0
    data = json.loads(Path("baseline.json").read_text())
    assert len(data["rows"]) == 3
    assert data["seconds"] == 0
    assert main(["merge", "main", "stopped", "--baseline", "-o", "other.json"]) == 1
    assert "The baseline other.json was not updated: the run did not come to its end" in capsys.readouterr().err
    assert not Path("other.json").exists()


def test_runs_that_do_not_belong_together_are_refused(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.save(saved("other", {"d": 1.0}, commit=Commit(id="f" * 40)))
    assert main(["merge", "main", "other", "-o", "ci.json"]) == 1
    assert "main and other are not parts of one run: their commits are" in capsys.readouterr().err
    assert not Path("ci.json").exists()
    assert main(["merge", "main", "other", "-o", "ci.json", "--anyway"]) == 0


def test_the_script_does_it(store: RunStore) -> None:
    done = subprocess.run([SCRIPT, "runs", "show", "main"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0001_main: 2 rows")
