"""Shards of CI: their runs, merged, are the run of the whole suite."""

from __future__ import annotations

from pathlib import Path

from pytest_ragas.baselines.run_file import read_run
from pytest_ragas.cli.main import main


def test_merged_shards_are_the_baseline_of_the_whole_suite(kept, monkeypatch):
    monkeypatch.chdir(kept.folder)
    kept.project.testset("0.9", "0.3", "0.7")
    kept.project.run("--ragas-baseline=whole.json", "--ragas-update-baseline")
    for number, rows in ((1, "q1 or q2"), (2, "q2 or q3")):
        kept.project.run(f"--ragas-save=shard-{number}", "-k", rows)
    assert main(["merge", "shard-1", "shard-2", "--baseline", "-o", "merged.json"]) == 0
    whole, merged = read_run(Path("whole.json")), read_run(Path("merged.json"))
    for part in ("rows", "metrics", "models", "testsets", "commit", "environment", "complete"):
        assert getattr(merged, part) == getattr(whole, part)
