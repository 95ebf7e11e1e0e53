"""`pytest-ragas compare`: two runs and the gate between them, many runs in one table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_ragas.baselines.record import record
from pytest_ragas.baselines.run_file import write_run
from pytest_ragas.baselines.store import RunStore
from pytest_ragas.cli.main import main
from pytest_ragas.values.recorded import MetricIdentity, RecordedRun
from pytest_ragas.values.run import Run, SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score


def run_of(name: str, *values: float, version: str = "1") -> RecordedRun:
    results = tuple(
        SampleResult(
            sample=Sample(id=f"q{number}", user_input=f"Question {number}?", response=f"{name} says {value}"),
            scores=(Score(metric="quality", value=value),),
            failures=(),
            thresholds=(),
            outcome="passed",
            nodeid=f"test_rag.py::test_rag[q{number}]",
        )
        for number, value in enumerate(values, 1)
    )
    metrics = [MetricIdentity(metric="quality", backend="free", version=version)]
    return record(Run(results=results), name=name, metrics=metrics)


GOOD = [0.9, 0.8, 1.0, 0.7, 0.9, 0.85, 0.95, 0.9, 0.8, 1.0]
WORSE = [value - 0.2 for value in GOOD]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A project with three saved runs."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    runs = RunStore(tmp_path / ".pytest-ragas" / "runs")
    for name, values in (("main", GOOD), ("same", GOOD), ("worse", WORSE)):
        runs.save(run_of(name, *values))
    return runs


def test_a_second_run_that_got_worse_is_a_failure(store, capsys):
    assert main(["compare", "main", "latest"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["metric", "n", "before", "now", "change", "95", "%", "interval", "p"]
    assert lines[1].split() == ["quality", "10", "0.88", "0.68", "-0.20", "-0.20", "to", "-0.20", "<0.001", "worse"]
    assert lines[-1] == "comparison failed: quality -0.20 (against 0001_main)"


def test_a_second_run_that_is_as_good_is_none(store, capsys):
    assert main(["compare", "1", "0002_same"]) == 0
    assert capsys.readouterr().out.endswith("comparison passed: nothing got worse than 0001_main (10 rows)\n")


def test_what_passes_can_be_said(store):
    assert main(["compare", "main", "worse", "--no-fail"]) == 0
    assert main(["compare", "main", "worse", "--fail", "quality:0.3"]) == 0
    assert main(["compare", "main", "worse", "--fail", "quality:0.1", "--fail", "style:0.5"]) == 1
    assert main(["compare", "main", "worse", "--fall", "0.1", "--fail", "1"]) == 1


def test_settings_of_the_project_count(store, tmp_path):
    table = "[tool.pytest-ragas]\ncompare_fail = { quality = 0.3 }\n"
    (tmp_path / "pyproject.toml").write_text(table, encoding="utf-8")
    assert main(["compare", "main", "worse"]) == 0


def test_files_are_called_as_they_were_typed(store, tmp_path, capsys):
    write_run(run_of("accepted", *GOOD), tmp_path / "baseline.json", answers=False)
    assert main(["compare", "baseline.json", "worse"]) == 1
    assert "comparison failed: quality -0.20 (against baseline.json)\n" in capsys.readouterr().out


def test_markdown_and_json_are_for_ci(store, capsys):
    assert main(["compare", "main", "worse", "--format=markdown"]) == 1
    assert capsys.readouterr().out.startswith("### ragas: comparison with `0001_main` failed\n")
    assert main(["compare", "main", "worse", "--format=json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["outcome"], data["baseline"], data["run"]) == ("failed", "0001_main", "0003_worse")
    assert data["metrics"][0]["failed"]


def test_more_runs_are_a_table_and_no_gate(store, capsys):
    assert main(["compare", "main", "same", "worse"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("quality")
    assert [row.split()[0] for row in rows] == ["0001_main", "0002_same", "0003_worse"]
    assert rows[1].endswith("unchanged")
    assert rows[2].endswith("worse")
    assert main(["compare", "main", "same", "worse", "--format=markdown"]) == 0
    assert capsys.readouterr().out.startswith("### ragas: 3 runs, each against `0001_main`\n")
    assert main(["compare", "main", "same", "worse", "--format=json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [entry["run"] for entry in data["runs"]] == ["0001_main", "0002_same", "0003_worse"]
    assert data["runs"][0]["against"] is None


def test_another_version_of_a_metric_is_refused_with_the_mend(store, capsys):
    store.save(run_of("new-metric", *GOOD, version="2"))
    assert main(["compare", "main", "new-metric"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("comparison impossible: quality: version 1 in the baseline, 2 now\n")
    assert "pytest-ragas rejudge main" in said
    assert "--anyway" in said
    assert main(["compare", "main", "new-metric", "--anyway"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["main"], "error: One run cannot be compared. Name two: "),
        (["main", "wurse"], "error: Unknown run of "),
        (["main", "gone.json"], "error: gone.json"),
        (["main", "worse", "--alpha", "many"], "error: --ragas-compare-alpha"),
    ],
)
def test_what_cannot_be_is_an_error(store, capsys, arguments, message):
    assert main(["compare", *arguments]) == 1
    assert message.split("error: ")[1] in capsys.readouterr().err
