"""`pytest-ragas run FILE` and `--ragas-config FILE` with task dicts, as users type them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from evalscope_page import api, eval_task_cfg, generate_testset_task_cfg, with_models
from openai_server.author import author
from openai_server.server import OpenAIServer

SCRIPT = Path(sys.executable).with_name("pytest-ragas")
README = Path(__file__).parents[2] / "README.md"


def run(project: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environ, "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(SCRIPT), "run", *arguments]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120)


def task_of(server: OpenAIServer) -> dict[str, Any]:
    """Both dicts of the page in one."""
    server.brain = author
    models = {role: api(server.url, api_key="env:MY_KEY") for role in ("generator_llm", "critic_llm", "embeddings")}
    task = with_models(generate_testset_task_cfg, **models)
    task["eval_config"]["eval"] = with_models(eval_task_cfg, **models)["eval_config"]["eval"]
    return task


def test_the_dicts_of_the_page_from_a_yaml_file(tmp_path: Path, openai_server: OpenAIServer) -> None:
    (tmp_path / "README.md").write_bytes(README.read_bytes())
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(task_of(openai_server), sort_keys=False))
    done = run(tmp_path, "task.yaml", MY_KEY="sk-secret-4711")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "outputs/testset.json: 5 rows"
    assert [line.split()[0] for line in lines[2:6]] == [
        "faithfulness",
        "answer_relevancy",
        "context_precision",
        "answer_correctness",
    ]
    assert lines[-1] == "5 rows of outputs/testset.json, scores written to outputs/testset_score.json"
    assert len(json.loads((tmp_path / "outputs/testset_score.json").read_text())) == 5
    assert {request.headers["authorization"] for request in openai_server.requests} == {"Bearer sk-secret-4711"}


def test_exit_status_and_messages(tmp_path: Path) -> None:
    row = {"question": "q", "answer": "The sky is blue.", "contexts": ["Grass is green."], "ground_truth": "x"}
    (tmp_path / "testset.json").write_text(json.dumps([row]))
    task: dict[str, Any] = {
        "eval_backend": "RAGEval",
        "work_dir": "x",
        "eval_config": {"tool": "RAGAS", "eval": {"testset_file": "testset.json", "metrics": ["faithfulness"]}},
        "thresholds": {"faithfulness": 0.9},
    }
    (tmp_path / "task.json").write_text(json.dumps(task))
    done = run(tmp_path, "task.json")
    assert done.returncode == 1  # the threshold does not hold
    assert done.stderr == "warning: work_dir in task.json is left aside: it says nothing to the evaluation of a RAG.\n"
    assert "faithfulness" in done.stdout
    del task["thresholds"]
    (tmp_path / "task.json").write_text(json.dumps(task))
    assert run(tmp_path, "task.json").returncode == 0
    task["eval_config"]["evl"] = {}
    (tmp_path / "task.json").write_text(json.dumps(task))
    done = run(tmp_path, "task.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Unknown key 'eval_config.evl' in task.json. Did you mean 'eval_config.eval'?" in done.stderr
    assert "error: Cannot read the task other.yaml: there is no such file" in run(tmp_path, "other.yaml").stderr


def test_scores_that_are_missing_say_why(tmp_path: Path, openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=404)
    row = {"question": "q", "answer": "a b", "contexts": ["c"]}
    (tmp_path / "testset.json").write_text(json.dumps([row]))
    part = {"testset_file": "testset.json", "critic_llm": api(openai_server.url), "metrics": ["faithfulness"]}
    (tmp_path / "task.json").write_text(json.dumps({"eval_config": {"eval": part}}))
    done = run(tmp_path, "task.json")
    assert done.returncode == 1
    assert "not scored: faithfulness of row" in done.stdout
    assert json.loads((tmp_path / "testset_score.json").read_text())[0]["faithfulness"] is None


def test_the_name_of_run_task_costs_nothing() -> None:
    """The name alone imports no stage."""
    code = "import json, sys, pytest_ragas; pytest_ragas.run_task; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(json.loads(done.stdout))
    assert "pytest_ragas.evalscope" in loaded
    stages = ("session", "models", "metrics", "scoring", "testset")
    assert not {name for name in loaded if name.startswith(tuple(f"pytest_ragas.{stage}" for stage in stages))}
    assert not {"aiohttp", "pytest"} & loaded


SUITE = """
import pytest

@pytest.mark.ragas(testset="outputs/testset.json")
def test_rag(ragas_sample):
    pass
"""


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "n2"])
def test_ragas_config_takes_the_models_and_metrics_of_a_task(
    pytester: pytest.Pytester, openai_server: OpenAIServer, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if workers:
        pytest.importorskip("xdist")
    monkeypatch.setenv("MY_KEY", "sk-secret-4711")
    rows = [{"question": f"q{n}", "answer": "a b", "contexts": ["a b"], "ground_truth": "a b"} for n in range(2)]
    (pytester.mkdir("outputs") / "testset.json").write_text(json.dumps(rows))
    pytester.makepyfile(SUITE)
    task = {**task_of(openai_server), "use_cache": True}
    (pytester.path / "task.yaml").write_text(yaml.safe_dump(task))
    result = pytester.runpytest_subprocess("--ragas-config=task.yaml", *workers)
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*use_cache in task.yaml is left aside*",
            "faithfulness *",
            "answer_relevancy *",
            "context_precision *",
            "answer_correctness *",
        ]
    )
    assert openai_server.chats
    assert {request.headers["authorization"] for request in openai_server.requests} == {"Bearer sk-secret-4711"}
    assert "sk-secret" not in result.stdout.str() + result.stderr.str()


def test_ragas_config_names_what_is_wrong_with_a_task(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    pytester.mkdir("outputs").joinpath("testset.json").write_text(
        '[{"question": "q", "answer": "a", "contexts": ["c"]}]'
    )
    task = {"eval_backend": "RAGEval", "eval_config": {"tool": "RAGAS", "eval": {"metric": ["faithfulness"]}}}
    (pytester.path / "task.json").write_text(json.dumps(task))
    result = pytester.runpytest("--ragas-config=task.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Unknown key 'eval_config.eval.metric' in task.json. Did you mean*metrics'?*"])
