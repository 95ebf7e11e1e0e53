"""`benchmarks/scale.py` says what it measures: runs that judge begin without a store, runs that replay with one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "scale.py"


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("scale", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "scale", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("critic", ["instant", "scripted"])
def test_each_run_that_judges_is_cold(
    scale: ModuleType, critic: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored: list[tuple[str, bool]] = []

    def run(folder: Path, samples: int, *arguments: str) -> object:
        suite = next(argument for argument in arguments if argument.startswith("test_"))
        stored.append((suite, (folder / scale.STORE).exists()))
        if suite == "test_ours.py":
            (folder / scale.STORE).mkdir(exist_ok=True)
        return scale.Measured(seconds=1.0, cpu=1.0, megabytes=1.0, output="")

    monkeypatch.setattr(scale, "run", run)
    monkeypatch.setattr(sys, "argv", ["scale.py", "--samples=3", "--repeat=2", f"--critic={critic}"])
    scale.main()
    judged, replayed = [("test_ours.py", False)] * 2, [("test_ours.py", True)] * 2
    assert stored == [("test_empty.py", False)] * 2 + judged + (replayed if critic == "instant" else [])
    assert ("ours, replayed" in capsys.readouterr().out) == (critic == "instant")


def test_what_it_stores_lies_where_it_looks(scale: ModuleType, tmp_path: Path) -> None:
    scale.write_suites(tmp_path, 2, "instant")
    scale.run(tmp_path, 2, "-m", "pytest", "-q", "test_ours.py")
    assert (tmp_path / scale.STORE / "judgements.sqlite3").is_file()
