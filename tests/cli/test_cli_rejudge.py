"""`pytest-ragas rejudge`: recorded answers, today's critic; then a comparison is allowed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.baselines.run_file import read_run
from pytest_ragas.cli.main import main

SCRIPT = Path(sys.executable).with_name("pytest-ragas")

CONFTEST = """
from pytest_ragas import MetricSpec, Score

class Length:
    def __init__(self, context):
        self.name = context.name

    async def score(self, sample):
        return Score(metric=self.name, value=min(1.0, len(sample.response) / 100))

def pytest_ragas_register_metrics(register):
    register(MetricSpec(name="length", backend="free", needs=frozenset({"response"}), uses=frozenset(),
                        factory=Length, version="1", summary="how long it is"))
"""
SUITE = """
import pytest

@pytest.mark.ragas(testset="testset.json", metrics=["length"], thresholds={"faithfulness": 0.6})
def test_rag(ragas_sample):
    pass
"""


@pytest.fixture
def saved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run that the embedded default has judged: `.pytest-ragas/runs/0001_main.json`."""
    monkeypatch.setenv("COLUMNS", "80")
    rows = [
        {
            "id": f"q{number}",
            "user_input": f"Who founded town {number}?",
            "response": f"Ada Norton founded town {number}." if number != 2 else "Purple elephants danced.",
            "retrieved_contexts": [f"The town {number} was founded by Ada Norton."],
        }
        for number in range(4)
    ]
    (pytester.path / "testset.json").write_text(json.dumps(rows))
    pytester.makeini("[pytest]")
    pytester.makepyprojecttoml("[tool.pytest-ragas]\n")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_rag=SUITE)
    result = pytester.runpytest_subprocess("--ragas-save=main", "--ragas-baseline=base.json", "--ragas-update-baseline")
    result.assert_outcomes(passed=3, failed=1)
    return pytester.path


def critic(project: Path, server: OpenAIServer, more: str = "") -> None:
    model = f'[tool.pytest-ragas.critic_llm]\nmodel_name = "judge"\napi_base = "{server.url}"\n'
    (project / "pyproject.toml").write_text(f"[tool.pytest-ragas]\n{more}\n{model}")


def rejudge(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(["rejudge", *arguments]) == status
    said = capsys.readouterr()
    assert max(len(line) for line in said.out.splitlines() if not line.startswith("not scored")) <= 80
    return said.out + said.err


def test_another_critic_is_refused_until_the_answers_are_judged_by_it(
    saved: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer
) -> None:
    critic(saved, openai_server)
    refused = pytester.runpytest_subprocess("--ragas-compare=main")
    refused.stdout.fnmatch_lines(["*critic LLM*"])
    assert "rejudge" in refused.stdout.str()
    lines = rejudge(capsys, "main").splitlines()
    assert lines[0] == "main: 4 rows judged again"
    assert lines[1].startswith("  critic LLM judge at ")
    assert lines[2].split() == ["metric", "rows", "recorded", "today", "moved", "unscored"]
    assert lines[-3:] == [
        "as recorded, since only the tests know them: length",
        "run saved: .pytest-ragas/runs/0002_main.json",
        "compare with it: pytest --ragas-compare=0002_main",
    ]
    before, after = (read_run(saved / ".pytest-ragas" / "runs" / f"000{n}_main.json") for n in (1, 2))
    assert [row.key for row in after.rows] == [row.key for row in before.rows]
    assert [row.answer for row in after.rows] == [row.answer for row in before.rows]
    assert [row.sample for row in after.rows] == [row.sample for row in before.rows]
    assert [use.identity.name for use in after.models] == ["judge"]
    assert {identity.metric: identity.backend for identity in after.metrics} == {
        "faithfulness": "native",
        "length": "free",
    }
    assert [row.score("length") for row in after.rows] == [row.score("length") for row in before.rows]
    assert [row.outcome for row in after.rows] == ["passed", "passed", "failed", "passed"]
    assert after.commit == before.commit
    assert after.testsets == before.testsets
    compared = pytester.runpytest_subprocess("--ragas-compare=0002_main")
    compared.assert_outcomes(passed=3, failed=1)
    assert "rejudge" not in compared.stdout.str()
    compared.stdout.fnmatch_lines(["*comparison passed*"])


def test_what_was_judged_costs_nothing_again(
    saved: Path, capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer
) -> None:
    critic(saved, openai_server)
    rejudge(capsys, "main", "-o", "one.json")
    asked = len(openai_server.requests)
    assert asked >= 4
    assert " calls" not in rejudge(capsys, "latest", "-o", "two.json")
    assert len(openai_server.requests) == asked
    assert read_run(saved / "two.json").rows == read_run(saved / "one.json").rows
    assert "one.json is there already" in rejudge_error(capsys, "main", "-o", "one.json")


def rejudge_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["rejudge", *arguments]) == 1
    return capsys.readouterr().err


def test_a_baseline_without_answers_finds_them_among_the_saved_runs(
    saved: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer
) -> None:
    critic(saved, openai_server)
    assert all(row.sample is None for row in read_run(saved / "base.json").rows)
    assert rejudge(capsys, "base.json", "--baseline", "base.json").endswith("baseline updated: base.json\n")
    baseline = read_run(saved / "base.json")
    assert all(row.sample is None for row in baseline.rows)
    assert [use.identity.name for use in baseline.models] == ["judge"]
    result = pytester.runpytest_subprocess("--ragas-baseline=base.json")
    result.stdout.fnmatch_lines(["*comparison passed*"])


def test_where_answers_are_nowhere_the_ways_are_named(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (saved / ".pytest-ragas" / "runs" / "0001_main.json").rename(saved / "elsewhere.json")
    said = rejudge_error(capsys, "base.json")
    assert "base.json cannot be judged again: 4 of 4 rows have no answer" in said
    assert "the first is test_rag.py::test_rag[q0]" in said
    assert "--answers RUN" in said
    assert "--ragas-save=NAME" in said
    assert "4 rows judged again" in rejudge(capsys, "base.json", "--answers", "elsewhere.json", "-o", "out.json")
    assert "No run is called 'nowhere'" in rejudge_error(capsys, "base.json", "--answers", "nowhere")


def test_a_critic_that_does_not_answer_leaves_failures_and_the_baseline_as_it_was(
    saved: Path, capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer
) -> None:
    critic(saved, openai_server)
    openai_server.fault("status", status=404, times=1)
    before = (saved / "base.json").read_bytes()
    said = rejudge(capsys, "main", "--baseline", "base.json", "-o", "out.json", status=1)
    assert "not scored: faithfulness of test_rag.py::test_rag[q" in said
    assert "base.json was left as it was: 1 score is missing" in said
    assert (saved / "base.json").read_bytes() == before
    rows = read_run(saved / "out.json").rows
    assert (
        sorted(row.outcome for row in rows) == ["error", "failed", "passed", "passed"]
        or sum("faithfulness" in row.failures for row in rows) == 1
    )


def test_a_budget_is_respected(saved: Path, capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer) -> None:
    critic(saved, openai_server, "max_calls = 3\nconcurrency = 1")
    said = rejudge(capsys, "main", "-o", "out.json", status=1)
    assert len(openai_server.requests) <= 3
    assert "not scored: faithfulness" in said
    assert not read_run(saved / "out.json").complete


def test_other_metrics_by_name(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "answer_relevancy" in rejudge(capsys, "main", "--metric=AnswerRelevancy", "-o", "out.json")
    rows = read_run(saved / "out.json").rows
    assert [[score.metric for score in row.scores] for row in rows] == [["answer_relevancy"]] * 4
    assert all(row.thresholds == () for row in rows)
    assert "Did you mean 'faithfulness'?" in rejudge_error(capsys, "main", "--metric=faithfullness")


def test_a_metric_that_only_the_tests_know_and_that_asks_a_model_is_named(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved / ".pytest-ragas" / "runs" / "0001_main.json"
    data: dict[str, Any] = json.loads(path.read_text())
    for identity in data["metrics"]:
        identity["backend"] = "native" if identity["metric"] == "length" else identity["backend"]
    path.write_text(json.dumps(data))
    said = rejudge_error(capsys, "main")
    assert "Unknown metric 'length' in the run main: only its own tests know it, so name others with --metric" in said


def test_rows_of_a_baseline_are_never_lost(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads((saved / "base.json").read_text())
    data["rows"].append({**data["rows"][0], "id": "q9"})
    (saved / "base.json").write_text(json.dumps(data))
    said = rejudge_error(capsys, "main", "--baseline", "base.json")
    assert "test_rag.py::test_rag[q9]" in said
    assert "would be lost" in said


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_writes_nothing(saved: Path, openai_server: OpenAIServer) -> None:
    openai_server.latency = 0.5
    critic(saved, openai_server, "concurrency = 1")
    process = subprocess.Popen(
        [SCRIPT, "rejudge", "main", "-o", "out.json"],
        cwd=saved,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while len(openai_server.chats) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert b"interrupted: nothing was written, and what the critic answered is stored; run it again" in err
    assert not (saved / "out.json").exists()
