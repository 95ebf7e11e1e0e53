"""`pytest-ragas calibrate`: labels in, agreement out, from files as people have them."""

from __future__ import annotations

import csv
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

from pytest_ragas.cli.main import main

SCRIPT = Path(sys.executable).with_name("pytest-ragas")
PLACES = ["harbour", "windmill", "orchard", "quarry", "chapel", "granary", "tannery", "ferry", "bakery", "smithy"]


def rows(n: int = 30, *, wrong_label: int = -1) -> list[dict[str, Any]]:
    """Every other answer is right; one may be labelled wrongly."""
    made = []
    for number in range(n):
        place = PLACES[number % len(PLACES)]
        good = number % 2 == 0
        made.append(
            {
                "id": f"r{number}",
                "user_input": f"Who founded the {place}?",
                "retrieved_contexts": [f"The {place} was founded by Ada Norton in {1800 + number}."],
                "response": f"Ada Norton founded the {place}." if good else "Purple elephants danced in Berlin.",
                "faithful": int(good != (number == wrong_label)),
            }
        )
    return made


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("pyproject.toml").write_text("[tool.pytest-ragas]\n")
    return tmp_path


def write(name: str, content: list[dict[str, Any]]) -> str:
    path = Path(name)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in content))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(content[0]))
            writer.writeheader()
            for row in content:
                writer.writerow({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()})
    else:
        path.write_text(json.dumps(content))
    return name


def calibrate(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["calibrate", *arguments]) == status
    said = capsys.readouterr()
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= 80
    return said.out


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    assert main(["calibrate", "--format=json", *arguments]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_a_critic_that_agrees(capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    lines = calibrate(capsys, write(f"labelled{suffix}", rows(60))).splitlines()
    assert lines[:6] == [
        f"labelled{suffix}: 60 rows",
        "  labels of faithfulness: column 'faithful'",
        "  critic LLM embedded",
        "",
        "faithfulness: 60 rows, 30 good, 30 bad",
        "  AUROC               1.000 [0.93, 1.00]",
    ]
    assert lines[6] == "  threshold >= 0.38, recommended (Youden's J), 95 % interval 0.00 to 0.75"
    assert "    balanced accuracy 1.000" in lines[7]
    assert "    passes            30 of 30 good rows, and 0 of 30 bad ones" in lines


def test_a_disagreement_is_shown_with_row_label_response_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    lines = calibrate(capsys, write("labelled.jsonl", rows(30, wrong_label=4))).splitlines()
    place = lines.index("  worst disagreements")
    assert lines[place + 1 : place + 4] == [
        "    score 0.75, people bad  r4 (labelled.jsonl row 5)",
        "      response  Ada Norton founded the chapel.",
        "      critic    the wording of the contexts carries 1 of 1 sentence of the res..",
    ]
    assert any("few labels" in line for line in lines)


def test_the_threshold_of_the_settings_is_measured_and_gates_look_at_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.pytest-ragas.thresholds]\nFaithfulness = 0.0\n")
    file = write("labelled.jsonl", rows(40))
    out = calibrate(capsys, file, "--fail-under=faithfulness: balanced_accuracy >= 0.8", status=1)
    assert "  threshold >= 0.00, of the settings" in out
    assert "gate failed: faithfulness: balanced_accuracy 0.50 < 0.80" in out
    out = calibrate(capsys, file, "--fail-under=auroc >= 0.9", "--fail-under=faithfulness:auroc.low>0.5")
    assert "gate passed: faithfulness: auroc 1.00 >= 0.90" in out
    assert "gate passed: faithfulness: auroc.low 0.90 > 0.50" in out
    assert "[0.90, 1.00]" in out


def test_labels_of_several_metrics_and_grades(capsys: pytest.CaptureFixture[str]) -> None:
    content = rows(24)
    for number, row in enumerate(content):
        row["labels"] = {"faithfulness": row.pop("faithful"), "context_relevancy": [0.1, 0.9, 0.4][number % 3]}
        row["human_answer_relevancy"] = "yes" if number % 2 == 0 else "no"
        row["answer_relevancy"] = 0.123  # a score that somebody kept; people come first
        row["reviewer"] = "somebody"
    content[0]["human_answer_relevancy"] = ""
    data = as_json(capsys, write("labelled.json", content))
    found = {metric["metric"]: metric for metric in data["metrics"]}
    assert {name: metric["rows"] for name, metric in found.items()} == {
        "faithfulness": 24,
        "context_relevancy": 24,
        "answer_relevancy": 23,
    }
    assert (found["context_relevancy"]["good"], found["context_relevancy"]["graded"]) == (8, True)
    assert found["faithfulness"]["correlation"] is None
    assert as_json(capsys, "labelled.json", "--good-from=0.3", "--metric=context_relevancy")["metrics"][0]["good"] == 16
    text = calibrate(capsys, "labelled.json")
    assert "context_relevancy: 24 rows, 8 good (labels from 0.5 on), 16 bad" in text


def test_several_answers_to_one_question_and_rows_without_a_label(capsys: pytest.CaptureFixture[str]) -> None:
    content = rows(10)
    for row in content:
        del row["id"]
        row["user_input"] = "Who?"
    content[3]["faithful"] = None
    out = calibrate(capsys, write("labelled.jsonl", content))
    assert out.startswith("labelled.jsonl: 10 rows, 1 without a label left out\n")
    assert "faithfulness: 9 rows, 5 good, 4 bad" in out


def test_a_column_of_any_name(capsys: pytest.CaptureFixture[str]) -> None:
    content = [{**row, "ok": row["faithful"]} for row in rows(10)]
    for row in content:
        del row["faithful"]
    file = write("labelled.jsonl", content)
    assert main(["calibrate", file]) == 1
    assert capsys.readouterr().err == (
        "error: Cannot calibrate with labelled.jsonl: no column holds labels of a metric (columns beside those of a "
        "testset: 'ok'). Say which one does, --label faithfulness=COLUMN, or name it after the metric: faithfulness, "
        "or human_faithfulness beside scores.\n"
    )
    assert "faithfulness: 10 rows" in calibrate(capsys, file, "--label=Faithfulness=ok")
    assert main(["calibrate", file, "--label=faithfulness=okk"]) == 1
    assert "Unknown column 'okk' in labelled.jsonl, for the labels of faithfulness. Did you mean 'ok'?" in (
        capsys.readouterr().err
    )


def test_labels_that_cannot_be_used_are_all_named(capsys: pytest.CaptureFixture[str]) -> None:
    content = rows(6)
    content[1]["faithful"] = 4
    content[3]["faithful"] = "maybe"
    content[4]["faithful"] = [1]
    assert main(["calibrate", write("labelled.json", content)]) == 1
    said = capsys.readouterr().err
    assert "error: Cannot use 3 labels of labelled.json:\n" in said
    assert "labelled.json row 2, faithful: found the number 4 where a label must be: 1 for good" in said
    assert "(grade - 1) / 4 for 1 to 5" in said
    assert "labelled.json row 4, faithful: found the text 'maybe'" in said
    assert "labelled.json row 5, faithful: found a list" in said


def test_one_kind_of_label_measures_nothing_and_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    content = [{**row, "faithful": 1} for row in rows(10)]
    out = calibrate(capsys, write("labelled.json", content), "--fail-under=auroc >= 0.1", status=1)
    assert "  nothing can be measured: no row is bad. Label some of that kind, too." in out
    assert "gate incomplete: faithfulness: auroc >= 0.1: all 10 rows are good" in out


def test_rows_without_a_score_make_a_gate_incomplete(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = rows(20)
    content[0]["response"] = "Yes."
    file = write("labelled.json", content)
    out = calibrate(capsys, file, "--fail-under=auroc >= 0.5", status=1)
    assert "1 labelled row could not be scored: r0: the response of row 'r0'" in out
    assert "19 of 20 labelled rows have a" in out
    monkeypatch.setenv("PYTEST_RAGAS_MIN_COVERAGE", "0.9")
    assert "gate passed" in calibrate(capsys, file, "--fail-under=auroc >= 0.5")


def test_rows_that_lack_a_field_are_named_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    content = rows(4)
    del content[2]["retrieved_contexts"]
    assert main(["calibrate", write("labelled.json", content)]) == 1
    assert "1 row lacks what a metric needs, and nothing was scored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("faithfulness >= 0.8", "'faithfulness' is no measure of agreement. Known: auroc, balanced_accuracy, kappa"),
        ("auroc => 0.8", "expected METRIC: MEASURE OPERATOR NUMBER. Write for example: faithfulness: auroc >= 0.8"),
        ("auroc >= 80", "auroc lies in [0, 1]"),
        ("kappa >= -2", "kappa lies in [-1, 1]"),
        ("faithfullness: auroc >= 0.8", "Did you mean 'faithfulness'?"),
    ],
)
def test_a_gate_that_cannot_be_read(capsys: pytest.CaptureFixture[str], gate: str, message: str) -> None:
    assert main(["calibrate", write("labelled.json", rows(4)), f"--fail-under={gate}"]) == 1
    assert message in capsys.readouterr().err


def test_a_critic_llm_is_asked_concurrently_once_and_never_again(
    capsys: pytest.CaptureFixture[str], openai_server: OpenAIServer, project: Path
) -> None:
    settings = f'[tool.pytest-ragas.critic_llm]\nmodel_name = "judge"\napi_base = "{openai_server.url}"\n'
    Path("pyproject.toml").write_text(settings)
    file = write("labelled.jsonl", rows(20))
    first = calibrate(capsys, file, "--fail-under=faithfulness: kappa >= 0.9")
    asked = len(openai_server.requests)
    assert asked >= 20
    assert "critic LLM judge" in first
    assert "faithfulness: 20 rows, 10 good, 10 bad" in first
    second = calibrate(capsys, file)
    assert len(openai_server.requests) == asked
    assert "critic LLM judge" in second


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_says_that_nothing_is_lost(openai_server: OpenAIServer, project: Path) -> None:
    openai_server.latency = 0.3
    settings = (
        f'concurrency = 1\n[tool.pytest-ragas.critic_llm]\nmodel_name = "judge"\napi_base = "{openai_server.url}"\n'
    )
    Path("pyproject.toml").write_text("[tool.pytest-ragas]\n" + settings)
    file = write("labelled.jsonl", rows(20))
    process = subprocess.Popen(
        [SCRIPT, "calibrate", file], cwd=project, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while len(openai_server.chats) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert b"interrupted: what the critic answered is stored; run it again to go on" in err
    assert b"Traceback" not in err
