"""Both task dicts of EvalScope's RAGAS page, run as they stand, with models that this machine has."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from evalscope_page import api, eval_task_cfg, generate_testset_task_cfg, with_models
from openai_server.author import author
from openai_server.server import OpenAIServer

from pytest_ragas import run_task
from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.local.hub_options import HubOptions
from pytest_ragas.models.local.weights import find_weights
from pytest_ragas.settings.task import Task
from pytest_ragas.settings.task_layer import sealed_task, task_of
from pytest_ragas.testset.load import load_testset

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
METRICS = ["faithfulness", "answer_relevancy", "context_precision", "answer_correctness"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the README that the page generates from."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(README, tmp_path)
    return tmp_path


@pytest.fixture
def models(openai_server: OpenAIServer) -> dict[str, Any]:
    openai_server.brain = author
    return {role: api(openai_server.url) for role in ("generator_llm", "critic_llm", "embeddings")}


def test_both_dicts_are_understood_to_the_letter(tmp_path: Path) -> None:
    """Nothing in them is unknown, retired or changed."""
    qwen = {"model_name_or_path": "qwen/Qwen2-7B-Instruct", "template_type": "qwen", "hub": "modelscope"}
    m3e = {"model_name_or_path": "AI-ModelScope/m3e-base", "hub": "modelscope"}
    task = _read(generate_testset_task_cfg, tmp_path)
    assert (task.notes, task.evaluation) == ((), None)
    assert task.generation is not None
    assert (task.generation.docs, task.generation.output_file) == (("README.md",), "outputs/testset.json")
    assert task.generation.recipe == {
        "test_size": 5,
        "distribution": {"simple": 0.5, "multi_context": 0.4, "reasoning": 0.1},
    }
    critic = {**qwen, "model_name_or_path": "QwenCollection/Ragas-critic-llm-Qwen1.5-GPTQ"}
    assert task.generation.settings == {"generator_llm": qwen, "critic_llm": critic, "embeddings": m3e}
    task = _read(eval_task_cfg, tmp_path)
    assert (task.notes, task.generation) == ((), None)
    assert task.evaluation is not None
    assert task.evaluation.testset_file == "outputs/testset.json"
    assert task.evaluation.settings == {"critic_llm": qwen, "embeddings": m3e, "metrics": METRICS}


def _read(task: dict[str, Any], folder: Path) -> Task:
    sealed, problem = sealed_task(task, place="the task", beside=folder, environ={})
    return task_of(sealed, problem, place="the task", environ={})


def test_generation_then_evaluation(project: Path, models: dict[str, Any], openai_server: OpenAIServer) -> None:
    """The file that the first dict writes is scored by the second without an edit."""
    generate, evaluate = with_models(generate_testset_task_cfg, **models), with_models(eval_task_cfg, **models)
    before = copy.deepcopy((generate, evaluate))
    generated = run_task(task_cfg=generate)
    assert dict(generated) == {}
    rows = list(generated.testset)
    assert [row.tags for row in rows] == [("simple",)] * 3 + [("multi_context",)] * 2
    text = README.read_text(encoding="utf-8")
    assert all(context in text for row in rows for context in row.reference_contexts or ())
    assert all(row.response and row.retrieved_contexts and row.reference for row in rows)

    scores = run_task(task_cfg=evaluate)
    assert list(scores) == METRICS
    assert all(value is not None and 0 <= value <= 1 for value in scores.values())
    assert scores["faithfulness"] == 1.0
    assert scores.passed
    assert scores.score_file == Path("outputs/testset_score.json")
    records = json.loads((project / "outputs/testset_score.json").read_text(encoding="utf-8"))
    assert [record["user_input"] for record in records] == [row.user_input for row in rows]
    assert all(set(METRICS) <= record.keys() and "errors" not in record for record in records)
    for metric in METRICS:
        assert scores[metric] == pytest.approx(sum(record[metric] for record in records) / 5)
    assert (generate, evaluate) == before

    asked = len(openai_server.requests)
    assert run_task(evaluate).run.results[0].scores == scores.run.results[0].scores
    assert run_task(generate).testset == generated.testset
    assert len(openai_server.requests) == asked


def test_both_in_one_dict(models: dict[str, Any]) -> None:
    task = with_models(generate_testset_task_cfg, **models)
    task["eval_config"]["eval"] = with_models(eval_task_cfg, **models)["eval_config"]["eval"]
    scores = run_task(task)
    assert list(scores) == METRICS
    assert len(scores.testset) == len(scores.run.results) == 5


def test_the_dataset_of_the_page_is_scored(project: Path, models: dict[str, Any]) -> None:
    """EvalScope's own loader takes its one dict of lists for a single row."""
    (project / "outputs").mkdir()
    shutil.copy(HERE / "page_dataset.json", project / "outputs" / "testset.json")
    scores = run_task(with_models(eval_task_cfg, **models))
    assert len(load_testset("outputs/testset.json")) == len(scores.run.results) == 2
    assert None not in scores.values()


def test_a_testset_that_was_made_otherwise_is_never_overwritten(project: Path, models: dict[str, Any]) -> None:
    task = with_models(generate_testset_task_cfg, **models)
    (project / "outputs").mkdir()
    shutil.copy(HERE / "page_dataset.json", project / "outputs" / "testset.json")
    with pytest.raises(Exception, match="is there already: it was not generated, or remove it first"):
        run_task(task)
    (project / "outputs" / "testset.json").unlink()
    run_task(task)
    task["eval_config"]["testset_generation"]["test_size"] = 6
    with pytest.raises(Exception, match="is there already, and was made by another recipe"):
        run_task(task)


def test_the_embedded_critic_and_local_embeddings_need_no_server(project: Path) -> None:
    """No server at all: a local critic and local embeddings in the keys of the page."""
    pytest.importorskip("sentence_transformers", reason="the extra [local] is not installed")
    (project / "outputs").mkdir()
    shutil.copy(HERE / "page_dataset.json", project / "outputs" / "testset.json")
    task = with_models(
        eval_task_cfg, critic_llm={"model_name_or_path": "embedded"}, embeddings={"model_name_or_path": "minilm"}
    )
    scores = run_task(task)
    assert list(scores) == METRICS
    assert None not in scores.values()


def test_a_local_critic_and_local_embeddings_judge_without_a_server(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of the page as they stand, with the small models that are to be had without a hub."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)  # where it is refused: a model for each worker
    for library in ("torch", "transformers", "llguidance", "sentence_transformers"):
        pytest.importorskip(library, reason=f"the extra [local] is not installed: no {library}")
    try:
        find_weights("smollm2", options=HubOptions(local_files_only=True))
    except ConfigurationError as error:
        pytest.skip(f"pytest-ragas models pull smollm2 was not run: {error}")
    (project / "outputs").mkdir()
    shutil.copy(HERE / "page_dataset.json", project / "outputs" / "testset.json")
    task = with_models(
        eval_task_cfg,
        critic_llm={"model_name_or_path": "smollm2", "template_type": "qwen"},
        embeddings={"model_name_or_path": "minilm"},
    )
    # of the four, the one that a model of 135 million parameters judges in seconds; and one for the embeddings
    task["eval_config"]["eval"]["metrics"] = ["context_precision", "AnswerSimilarity"]
    scores = run_task(task)
    assert list(scores) == ["context_precision", "answer_similarity"]
    assert None not in scores.values()
    assert [(use.role, use.identity.name) for use in scores.run.models] == [
        ("critic LLM", "smollm2"),
        ("embeddings", "minilm"),
    ]
