"""The folder of saved runs: counted, found again, safe for two processes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from baselines.comparison_made import recorded

from pytest_ragas.baselines.store import RunStore
from pytest_ragas.errors import BaselineError, UnknownNameError


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / ".pytest-ragas" / "runs")


def test_runs_are_counted_and_listed(store: RunStore) -> None:
    assert store.list() == ()
    first = store.save(recorded(name="main"))
    second = store.save(recorded(name="reranker"))
    third = store.save(recorded(name="main"))
    assert [stored.path.name for stored in store.list()] == ["0001_main.json", "0002_reranker.json", "0003_main.json"]
    assert store.list() == (first, second, third)
    assert first.read() == recorded(name="main")
    second.path.unlink()
    assert store.save(recorded(name="next")).number == 4


def test_runs_are_found(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("main", "reranker", "main"):
        store.save(recorded(name=name))
    assert store.find("latest").number == 3
    assert store.find("main").number == 3
    assert store.find("reranker").number == 2
    assert store.find("1").number == store.find("0001").number == 1
    assert store.find("0001_main").number == 1
    assert store.find(str(store.folder / "0002_reranker.json")).number == 2
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.json").write_bytes(store.find("1").path.read_bytes())
    elsewhere = store.find("other.json")
    assert (elsewhere.number, elsewhere.name, elsewhere.read().name) == (0, "other", "main")


def test_the_latest_run_is_one_that_came_to_its_end(store: RunStore) -> None:
    store.save(recorded(name="whole"))
    store.save(recorded(name="stopped", complete=False))
    assert store.find("latest").name == "whole"
    assert store.find("stopped").number == 2


def test_where_no_run_came_to_its_end_the_last_one_is_meant(store: RunStore) -> None:
    store.save(recorded(name="stopped", complete=False))
    assert store.find("latest").name == "stopped"


def test_an_unknown_name_lists_what_there_is(store: RunStore) -> None:
    with pytest.raises(BaselineError, match=r"^No run is saved in .* yet\. Save one with --ragas-save=NAME"):
        store.find("latest")
    with pytest.raises(BaselineError, match=r"No run is called 'main': no run is saved in"):
        store.find("main")
    store.save(recorded(name="reranker"))
    with pytest.raises(UnknownNameError, match=r"'rerankr' in --ragas-compare\. Did you mean 'reranker'\?"):
        store.find("rerankr", where="--ragas-compare")
    with pytest.raises(UnknownNameError, match=r"Unknown run of .* '7'\. Known: 0001_reranker, latest, reranker"):
        store.find("7")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a/b", "it holds '/'"),
        ("a\nb", "it holds"),
        ("", "it is empty"),
        (" a", "spaces around it"),
        ("latest", "means the last run, a number or a file"),
        ("12", "means the last run, a number or a file"),
        ("x.json", "means the last run, a number or a file"),
        ("x" * 101, "more than 100 bytes"),
    ],
)
def test_names_that_could_not_be_found_again_are_refused(store: RunStore, name: str, why: str) -> None:
    with pytest.raises(BaselineError, match=rf"A run cannot be called .*{why}.* Write for example --ragas-save="):
        store.save(recorded(name=name))
    assert not store.folder.exists()


def test_a_folder_that_is_made_is_no_business_of_git(store: RunStore, tmp_path: Path) -> None:
    store.save(recorded())
    assert (tmp_path / ".pytest-ragas" / ".gitignore").read_text() == "# made by pytest-ragas\n*\n"
    own = RunStore(tmp_path / "results" / "runs")
    own.save(recorded())
    assert not (tmp_path / "results" / ".gitignore").exists()
    assert (own.folder / ".gitignore").exists()


def test_files_of_others_are_left_alone(store: RunStore) -> None:
    store.save(recorded())
    (store.folder / "notes.txt").write_text("x")
    (store.folder / "0002_dir.json").mkdir()
    assert [stored.number for stored in store.list()] == [1]


def test_a_damaged_latest_run_is_not_passed_over_in_silence(store: RunStore) -> None:
    store.save(recorded(name="whole"))
    store.save(recorded(name="damaged")).path.write_text("{")
    with pytest.raises(BaselineError, match=r"0002_damaged.json cannot be read"):
        store.find("latest")


def test_where_nothing_can_be_written_the_mend_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="Name another folder with --ragas-runs-dir"):
        RunStore(tmp_path / "file" / "runs").save(recorded())


def test_two_processes_save_at_once(store: RunStore) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pytest_ragas.baselines.store import RunStore\n"
        "from pytest_ragas.values.recorded import RecordedRun\n"
        "store = RunStore(Path(sys.argv[1]))\n"
        "for _ in range(20):\n"
        "    store.save(RecordedRun(name='same', created='2026-03-01T12:00:00Z', rows=()))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(store.folder)]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert [stored.number for stored in store.list()] == list(range(1, 41))
    assert not [path for path in store.folder.iterdir() if path.suffix == ".tmp"]


def test_a_run_of_ten_thousand_keeps_its_place(store: RunStore) -> None:
    store.save(recorded(name="a")).path.rename(store.folder / "9999_a.json")
    store.save(replace(recorded(), name="b"))
    assert [str(stored) for stored in store.list()] == ["9999_a", "10000_b"]
