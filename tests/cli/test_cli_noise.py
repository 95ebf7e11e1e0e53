"""`pytest-ragas noise`: the critic's spread, from repeats that are there or made."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai_server.lexical import lexical_critic
from openai_server.server import OpenAIServer

from pytest_ragas.baselines.run_file import write_run
from pytest_ragas.cli.main import main
from pytest_ragas.values.recorded import RecordedRow, RecordedRun, RecordedScore, RowKey


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("pyproject.toml").write_text("[tool.pytest-ragas]\n")
    return tmp_path


def noise(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["noise", *arguments]) == status
    return capsys.readouterr().out


def saved(file: str, **repeats: list[tuple[float, ...]]) -> str:
    count = max(map(len, repeats.values()))
    rows = tuple(
        RecordedRow(
            key=RowKey(test="test_rag.py::test_rag", sample_id=f"row{number}"),
            content="0" * 12,
            answer="0" * 12,
            outcome="passed",
            scores=tuple(
                RecordedScore(metric=metric, value=sum(given[number]) / len(given[number]), repeats=given[number])
                for metric, given in repeats.items()
            ),
        )
        for number in range(count)
    )
    run = RecordedRun(name="main", created="2026-03-01T12:00:00Z", rows=rows)
    write_run(replace(run, rows=rows), Path(file), answers=False)
    return file


def test_the_repeats_of_a_run_are_pooled(capsys: pytest.CaptureFixture[str]) -> None:
    file = saved("run.json", faithfulness=[(0.4, 0.6), (1.0, 1.0)] * 15, rouge_l=[(0.5,)] * 30)
    lines = noise(capsys, file).splitlines()
    assert [line.split() for line in lines] == [
        "metric answers judgements vary spread one score change of 100 rows".split(),
        "faithfulness 30 60 15 0.100 ± 0.20 ± 0.028".split(),
    ]
    assert max(map(len, lines)) <= 80


def test_several_runs_and_few_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    files = [saved(f"run{number}.json", judged=[(0.4, 0.6)]) for number in range(3)]
    assert noise(capsys, *files).splitlines()[-1] == "roughly known, from few repeats: judged (3 degrees of freedom)"
    found = json.loads(noise(capsys, "--format=json", *files))
    assert found["metrics"] == [
        {"metric": "judged", "answers": 3, "judgements": 6, "varying": 3, "spread": pytest.approx(0.1414, abs=1e-4),
         "degrees": 3},
    ]  # fmt: skip


def test_without_repeats_it_says_how_to_get_some(capsys: pytest.CaptureFixture[str]) -> None:
    out = noise(capsys, saved("run.json", faithfulness=[(0.4,)]), status=1)
    assert "--ragas-repeats=3 --ragas-save=NAME" in out
    assert "pytest-ragas noise --judge TESTSET" in out


def test_a_run_and_a_testset_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["noise", "run.json", "--judge", "rows.json"]) == 1
    assert "name one of them" in capsys.readouterr().err


def test_recorded_answers_are_judged_so_many_times_and_once_only(
    capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer
) -> None:
    r = random.Random(1)

    def unsure(request: dict[str, Any]) -> Any:
        return flipped(lexical_critic(request), r)

    openai_server.brain = unsure
    Path("pyproject.toml").write_text(
        '[tool.pytest-ragas]\nmetrics = ["faithfulness"]\n'
        "[tool.pytest-ragas.thresholds]\nfaithfulness = 0.0\n"
        f'[tool.pytest-ragas.critic_llm]\nmodel_name = "judge"\napi_base = "{openai_server.url}"\n'
    )
    rows = [
        {
            "id": f"r{number}",
            "user_input": "Who founded the mill?",
            "retrieved_contexts": [f"The mill was founded by Ada Norton in {1800 + number}."],
            "response": "Ada Norton founded the mill.",
        }
        for number in range(8)
    ]
    Path("rows.json").write_text(json.dumps(rows))
    (measured,) = json.loads(noise(capsys, "--judge=rows.json", "--times=4", "--format=json"))["metrics"]
    assert (measured["metric"], measured["answers"], measured["judgements"]) == ("faithfulness", 8, 32)
    assert 0.2 < measured["spread"] < 0.7
    asked = len(openai_server.requests)
    assert json.loads(noise(capsys, "--judge=rows.json", "--times=4", "--format=json"))["metrics"] == [measured]
    assert len(openai_server.requests) == asked


def flipped(value: Any, r: random.Random) -> Any:
    """An answer of the critic with some of its verdicts turned round."""
    if isinstance(value, dict):
        return {
            name: (not inner if isinstance(inner, bool) else 1 - inner)
            if name in ("verdict", "supported") and r.random() < 0.4
            else flipped(inner, r)
            for name, inner in value.items()
        }
    return [flipped(inner, r) for inner in value] if isinstance(value, list) else value
