"""The keys of a task, one by one: what reaches the wire, what is left aside, what is refused."""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from evalscope_page import api, eval_task_cfg, generate_testset_task_cfg, with_models
from openai_server.author import author
from openai_server.server import OpenAIServer

from pytest_ragas import PytestRagasError, run_task
from pytest_ragas.errors import ConfigurationError, MetricError, PytestRagasWarning, TestsetError, UnknownNameError
from pytest_ragas.models.local.templates import TEMPLATES
from pytest_ragas.settings.load import load_settings
from pytest_ragas.settings.schema import config_schema
from pytest_ragas.settings.task import RETIRED, Task
from pytest_ragas.settings.task_layer import sealed_task, task_layer, task_of
from pytest_ragas.settings.task_models import EVALSCOPE_KEYS, TEMPLATE_TYPES

ROWS = [
    {
        "question": "When was the first super bowl?",
        "answer": "The first super bowl was played in 1967.",
        "contexts": ["The first super bowl was played in 1967 in Los Angeles.", "Green Bay won."],
        "ground_truth": "The first super bowl was played in 1967.",
    },
    {
        "user_input": "Who won the first super bowl?",
        "response": "Kansas City won the first super bowl.",
        "retrieved_contexts": "Green Bay won the first super bowl.",
        "reference": "Green Bay won the first super bowl.",
    },
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "testset.json").write_text(json.dumps(ROWS), encoding="utf-8")
    return tmp_path


def evaluation(critic: Any = "embedded", **keys: Any) -> dict[str, Any]:
    part = {"critic_llm": {"model_name_or_path": critic} if isinstance(critic, str) else critic, **keys}
    return {"eval_backend": "RAGEval", "eval_config": {"tool": "RAGAS", "eval": part}}


def generation(**keys: Any) -> dict[str, Any]:
    part = {"docs": ["README.md"], "generator_llm": api("http://127.0.0.1:9/v1"), **keys}
    return {"eval_backend": "RAGEval", "eval_config": {"tool": "RAGAS", "testset_generation": part}}


def read(task: Mapping[str, Any], **environ: str) -> Task:
    sealed, problem = sealed_task(task, place="the task", beside=Path.cwd(), environ=environ)
    return task_of(sealed, problem, place="the task", environ=environ)


def settings_of(task: Mapping[str, Any], **environ: str) -> Any:
    layer = task_layer(read(task, **environ).together(), origin="the task")
    return load_settings(rootdir=Path.cwd(), environ=environ, task=layer)


# ---- the wire -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        ({"generation_config": {"temperature": 0.7, "top_p": 0.9}}, {"temperature": 0.7, "top_p": 0.9}),
        ({"temperature": 0.3, "max_tokens": 333, "provider": "openai"}, {"temperature": 0.3, "max_tokens": 333}),
        ({"generation_config": {"max_new_tokens": 99, "do_sample": False}}, {"temperature": 0, "max_tokens": 99}),
    ],
)
def test_what_is_said_of_the_answers_is_on_the_wire(
    openai_server: OpenAIServer, keys: dict[str, Any], sent: dict[str, Any]
) -> None:
    scores = run_task(evaluation(api(openai_server.url, **keys), metrics=["faithfulness"]))
    assert scores["faithfulness"] == 0.5
    for request in openai_server.chats:
        assert {name: request.body.get(name) for name in sent} == sent
        assert not {"max_new_tokens", "do_sample", "provider"} & request.body.keys()


def test_a_key_is_sent_and_lies_in_no_file(
    project: Path, openai_server: OpenAIServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """EvalScope writes it in clear to two files of its outputs folder."""
    openai_server.brain, key = author, "sk-very-secret-4711"
    openai_server.api_key = key
    (project / "README.md").write_text("# Tool\n\nThe tool reads files. It writes a report of every run.\n")
    model = api(openai_server.url, api_key=key)
    task = with_models(generate_testset_task_cfg, generator_llm=model, critic_llm=model, embeddings=model)
    task["eval_config"]["testset_generation"].update(
        test_size=1, distribution={"simple": 1}, output_file="outputs/made.json"
    )
    task["eval_config"]["eval"] = with_models(eval_task_cfg, critic_llm=model, embeddings=model)["eval_config"]["eval"]
    scores = run_task(task)
    assert {request.headers["authorization"] for request in openai_server.requests} == {f"Bearer {key}"}
    files = [path for path in project.rglob("*") if path.is_file()]
    assert {"made.json", "made.json.lock", "testset_score.json"} <= {path.name for path in files}
    assert any(path.suffix == ".sqlite" or path.parent.name == ".pytest-ragas" for path in files)
    assert [path for path in files if key.encode() in path.read_bytes()] == []
    assert key not in repr(scores) + "".join(capfd.readouterr())


def test_a_key_shows_in_no_message_or_traceback_with_locals() -> None:
    import traceback

    key = "sk-very-secret-4711"
    task = evaluation(api("http://127.0.0.1:9/v1", api_key=key, temprature=1), metrcs=[])
    with pytest.raises(PytestRagasError) as caught:
        run_task(task)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "pytest_ragas" in frame.filename]
    assert ours
    assert key not in str(caught.value) + "".join(str(frame.locals) for frame in ours)


def test_batch_size_bounds_the_calls_in_flight(openai_server: OpenAIServer) -> None:
    openai_server.latency = 0.02
    run_task(evaluation(api(openai_server.url), metrics=["faithfulness", "context_precision"], batch_size=2))
    assert openai_server.peak == 2


# ---- models -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "model_name", "options"),
    [
        ({"model_name": "e5", "api_base": "http://x/v1", "dimensions": 64}, "e5", {"dimensions": 64}),
        ({"model_name_or_path": "e5", "api_base": "http://x/v1", "provider": "openai"}, "e5", {}),
        ({"model_name": "e5", "api_base": "http://x/v1", "dimension": 64}, "e5", {"dimensions": 64}),
        ({"model_name": "e5", "api_base": "http://x/v1", "check_embedding_ctx_length": False}, "e5", {}),
    ],
)
def test_api_embeddings_in_every_spelling(given: dict[str, Any], model_name: str, options: dict[str, Any]) -> None:
    embeddings = settings_of(evaluation(embeddings=given)).embeddings
    assert (embeddings.model_name, embeddings.api_base, embeddings.model_name_or_path) == (
        model_name,
        "http://x/v1",
        "",
    )
    assert embeddings.options == options


def test_local_embeddings_keep_what_is_said_of_them(project: Path) -> None:
    given = {
        "model_name_or_path": "AI-ModelScope/m3e-base",
        "is_cross_encoder": False,
        "revision": "master",
        "pooling_mode": "mean",
        "max_seq_length": 512,
        "prompt": "q: ",
        "model_kwargs": {"a": 1},
        "config_kwargs": {"b": 2},
        "encode_kwargs": {"c": 3},
    }
    embeddings = settings_of(evaluation(embeddings=given)).embeddings
    assert embeddings.model_name_or_path == "AI-ModelScope/m3e-base"
    assert embeddings.options == {
        name: value for name, value in {**given, "hub": "modelscope"}.items() if name not in _NAMED
    }
    (project / "AI-ModelScope" / "m3e-base").mkdir(parents=True)
    assert "hub" not in settings_of(evaluation(embeddings=given)).embeddings.options  # a path that is there is no id
    given["hub"] = "huggingface"
    assert settings_of(evaluation(embeddings=given)).embeddings.options["hub"] == "huggingface"


_NAMED = ("model_name_or_path", "is_cross_encoder")


def test_a_local_llm_keeps_the_names_of_transformers() -> None:
    config = {"do_sample": True, "max_new_tokens": 99, "repetition_penalty": 1.1}
    critic = settings_of(evaluation({"model_name_or_path": "smollm2", "generation_config": config})).critic_llm
    assert (critic.generation_config, critic.options) == (config, {})


def test_chat_templates_that_are_known_here_and_others() -> None:
    assert set(TEMPLATE_TYPES) == {"", *TEMPLATES}
    assert (
        settings_of(evaluation({"model_name_or_path": "m", "template_type": "qwen"})).critic_llm.template_type == "qwen"
    )
    task = evaluation({"model_name_or_path": "m", "template_type": "default-generation"})
    assert read(task).notes[0].startswith("eval_config.eval.critic_llm.template_type 'default-generation' is not known")
    assert settings_of(task).critic_llm.template_type == ""


def test_openai_itself_needs_no_address() -> None:
    task = evaluation({"model_name": "gpt-4o-mini", "provider": "openai"})
    critic = settings_of(task, OPENAI_API_KEY="sk-1").critic_llm
    assert (critic.api_base, critic.api_key.reveal()) == ("https://api.openai.com/v1", "sk-1")


def test_a_generator_judges_its_own_rows_where_nobody_else_is_named() -> None:
    settings = settings_of(generation())
    assert settings.generator_llm == settings.critic_llm
    assert settings.generator_llm.model_name == "test"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"model_name": "m", "provider": "anthropic"}, "provider is 'anthropic'"),
        ({"model_name": "m"}, "critic_llm in the task has no api_base"),
        ({}, ""),
        (3, "eval_config.eval.critic_llm in the task: found the number 3"),
    ],
)
def test_models_that_cannot_be(model: Any, message: str) -> None:
    task = evaluation(model)
    if not message:
        assert settings_of(task).critic_llm.model_name_or_path == "embedded"
        return
    with pytest.raises(ConfigurationError, match=message):
        settings_of(task)


# ---- what is unknown, retired or wrong -----------------------------------------------------------


def test_retired_keys_warn_once_each() -> None:
    task = evaluation(metrics=["faithfulness"])
    task.update(work_dir="x", use_cache=True, debug=False)
    with pytest.warns(PytestRagasWarning) as caught:
        run_task(task)
    said = [str(warning.message) for warning in caught]
    assert [text.split(" in ")[0] for text in said] == ["work_dir", "use_cache", "debug"]
    assert Path(caught[0].filename) == Path(__file__)
    assert [note.split(" in ")[0] for note in read(generation(knowledge_graph="kg.json", personas=[])).notes] == [
        "eval_config.testset_generation.knowledge_graph",
        "eval_config.testset_generation.personas",
    ]
    assert "chat template" in read(evaluation(api("http://x/v1", template_type="qwen"))).notes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.task.update(eval_confg={}), "Unknown key 'eval_confg' in the task. Did you mean 'eval_config'?"),
        (
            lambda it: it.config.update(testset_genration={}),
            "Unknown key 'eval_config.testset_genration' in the task. Did you mean 'eval_config.testset_generation'?",
        ),
        (
            lambda it: it.part.update(metric=["faithfulness"]),
            "Unknown key 'eval_config.eval.metric' in the task. Did you mean 'eval_config.eval.metrics'?",
        ),
        (
            lambda it: it.part["critic_llm"].update(model_nam="x"),
            "Unknown key 'eval_config.eval.critic_llm.model_nam' in the task. "
            "Did you mean 'eval_config.eval.critic_llm.model_name'?",
        ),
    ],
)
def test_an_unknown_key_names_its_neighbour(change: Any, message: str) -> None:
    task = evaluation()
    config = task["eval_config"]
    change(SimpleNamespace(task=task, config=config, part=config["eval"]))
    with pytest.raises(UnknownNameError) as caught:
        run_task(task)
    assert str(caught.value) == message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    task = generation(docs=[], test_sise=3, output_file=7)
    task["eval_backend"] = "OpenCompass"
    task["eval_config"].update(tool="MTEB", eval={"batch_size": 0, "raise_exceptions": "no", "metrics": [1]})
    with pytest.raises(ConfigurationError) as caught:
        run_task(task)
    assert str(caught.value).splitlines() == [
        "8 things in the task cannot be used:",
        "  eval_backend in the task: found the text 'OpenCompass'; "
        'it must be "RAGEval", the only one that there is here.',
        "  eval_config.tool in the task: found the text 'MTEB'; it must be \"RAGAS\", the only one that there is here.",
        "  Unknown key 'eval_config.testset_generation.test_sise' in the task. "
        "Did you mean 'eval_config.testset_generation.test_size'?",
        "  eval_config.testset_generation.docs in the task: found an empty list; "
        'it must be a list of files, folders or globs, for example ["README.md"].',
        "  eval_config.testset_generation.output_file in the task: found the number 7; it must be the path of a file.",
        "  eval_config.eval.metrics in the task: found a list of 1; "
        'it must be a list of names, for example ["faithfulness"].',
        "  eval_config.eval.batch_size in the task: found the number 0; it must be a whole number of 1 or more.",
        "  eval_config.eval.raise_exceptions in the task: found the text 'no'; it must be true or false.",
    ]


@pytest.mark.parametrize("task", [[], None, 7, {}, {"eval_config": {}}, {"eval_config": {"tool": "RAGAS"}}])
def test_what_is_no_task_is_said(task: Any) -> None:
    with pytest.raises(ConfigurationError):
        run_task(task)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"distribution": {"simple": 0.5}}, "sum to 0.5, not to 1"),
        ({"test_size": 0}, "test_size=0 must be a whole number of 1 or more"),
    ],
)
def test_a_recipe_that_cannot_be_is_said_before_any_call(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run_task(generation(**recipe))


def test_a_missing_document_is_named(openai_server: OpenAIServer) -> None:
    with pytest.raises(PytestRagasError, match=r"Cannot read 1 document:\n  READM\.md: there is no such file"):
        run_task(generation(docs=["READM.md"], generator_llm=api(openai_server.url), output_file="new.json"))
    assert not openai_server.requests


def test_seed_chunk_size_and_language_reach_the_recipe() -> None:
    task = generation(language="german", chunk_size=400)
    task["seed"] = 7
    part = read(task).generation
    assert part is not None
    assert part.recipe == {"language": "german", "chunk_size": 400, "seed": 7}


# ---- forms of a task ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dict", "json", "yaml", "path", "config-file", "config-json"])
def test_every_form_of_a_task_gives_the_same(project: Path, form: str) -> None:
    task = evaluation(metrics=["Faithfulness"])
    given: Any = task
    if form == "json":
        (project / "task.json").write_text(json.dumps(task))
        given = "task.json"
    elif form in ("yaml", "path"):
        (project / "task.yaml").write_text(yaml.safe_dump(task))
        given = "task.yaml" if form == "yaml" else project / "task.yaml"
    elif form == "config-file":
        (project / "eval.yml").write_text(yaml.safe_dump(task["eval_config"]))
        given = {**task, "eval_config": "eval.yml"}
    elif form == "config-json":
        given = {**task, "eval_config": json.dumps(task["eval_config"])}
    assert dict(run_task(given)) == dict(run_task(task))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("task.toml", "", "the suffix '.toml' is not known. A task ends in .yaml, .yml, .json"),
        ("task.json", "{", "no valid JSON at line 1"),
        ("task.yaml", "metrics: [faithfulness]", "holds no task: it has neither eval_backend nor eval_config"),
    ],
)
def test_files_that_hold_no_task(project: Path, name: str, text: str, message: str) -> None:
    (project / name).write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        run_task(name)
    with pytest.raises(ConfigurationError, match="there is no such file"):
        run_task(f"other-{name}")


def test_tool_and_backend_are_read_in_any_case_and_the_dict_is_not_changed() -> None:
    task = evaluation(metrics=["faithfulness"])
    task["eval_backend"], task["eval_config"]["tool"] = "rageval", "ragas"
    before = copy.deepcopy(task)
    run_task(task)
    assert task == before


# ---- metrics and scores -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["answercorrectness", "answer_correctness", "AnswerCorrectness", "ANSWER_CORRECTNESS", "answer correctness"]
)
def test_metrics_in_every_spelling(name: str) -> None:
    assert list(run_task(evaluation(metrics=[name]))) == ["answer_correctness"]


def test_an_unknown_metric_names_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'faithfulness'"):
        run_task(evaluation(metrics=["faithfullness"]))


def test_without_metrics_it_is_the_two_of_evalscope() -> None:
    assert list(run_task(evaluation())) == ["faithfulness", "answer_relevancy"]


def test_a_metric_of_ones_own_by_its_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "brief_metrics.py").write_text(
        "from pytest_ragas import MetricSpec, Score\n\n\n"
        "class Brevity:\n"
        "    def __init__(self, most):\n"
        "        self.most = most\n\n"
        "    async def score(self, sample):\n"
        "        return Score(metric='brevity', value=float(len(sample.response.split()) <= self.most))\n\n\n"
        "BREVITY = MetricSpec(name='brevity', backend='free', needs=frozenset({'response'}), uses=frozenset(),\n"
        "    factory=lambda context: Brevity(context.options.get('most', 7)), version='1', summary='short',\n"
        "    options={'most': int})\n"
    )
    monkeypatch.syspath_prepend(project)
    task = evaluation(metrics=["brief_metrics.BREVITY"])
    assert dict(run_task(task)) == {"brevity": 0.5}
    assert dict(run_task({**task, "metric_options": {"brevity": {"most": 8}}})) == {"brevity": 1.0}
    with pytest.raises(ConfigurationError, match=r"brief_metrics\.Brevity' is a type, and must be a MetricSpec"):
        run_task(evaluation(metrics=["brief_metrics.Brevity"]))
    with pytest.raises(ConfigurationError, match=r"The metric 'brief_metric\.X' cannot be imported"):
        run_task(evaluation(metrics=["brief_metric.X"]))


def test_rows_that_lack_a_field_are_named_before_any_call(project: Path, openai_server: OpenAIServer) -> None:
    """EvalScope reads them as empty texts, and gives scores."""
    rows = [ROWS[0], {"question": "q", "answer": "a", "contexts": ["c"]}, {"question": "p", "answer": "a"}]
    (project / "outputs" / "testset.json").write_text(json.dumps(rows))
    with pytest.raises(TestsetError) as caught:
        run_task(evaluation(api(openai_server.url), metrics=["faithfulness", "context_recall"]))
    head, first, second = str(caught.value).splitlines()
    assert head == "2 rows lack what a metric needs, and nothing was scored:"
    assert "context_recall needs reference" in first
    assert "testset.json row 2" in first
    assert "faithfulness needs retrieved_contexts" in second
    assert "testset.json row 3" in second
    assert not openai_server.requests
    assert not (project / "outputs" / "testset_score.json").exists()


def test_a_score_that_cannot_be_computed_is_null_with_its_reason(project: Path, openai_server: OpenAIServer) -> None:
    """EvalScope leaves it out of the mean."""
    openai_server.brain = _fails_on_kansas
    task = evaluation(api(openai_server.url, structure="text"), metrics=["faithfulness"])
    scores = run_task(task)
    assert scores["faithfulness"] is None
    assert not scores.passed
    first, second = json.loads((project / "outputs" / "testset_score.json").read_text())
    assert (first["faithfulness"], second["faithfulness"]) == (1.0, None)
    assert "errors" not in first
    assert "faithfulness" in second["errors"]
    task["eval_config"]["eval"]["raise_exceptions"] = True
    with pytest.raises(MetricError, match="faithfulness of row"):
        run_task(task)


def test_a_model_that_cannot_be_had_is_an_error_of_the_task(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a testset full of nulls: the mend is outside of it."""
    monkeypatch.delenv("MY_MISSING_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="environment variable MY_MISSING_KEY, which is not set"):
        run_task(evaluation(api("http://127.0.0.1:9/v1", api_key="env:MY_MISSING_KEY"), metrics=["faithfulness"]))
    assert not (project / "outputs" / "testset_score.json").exists()


def _fails_on_kansas(request: dict[str, Any]) -> object:
    return "I cannot say." if "Kansas" in json.dumps(request["data"]) else author(request)


def test_embeddings_are_needed_by_the_metrics_that_need_them_alone(openai_server: OpenAIServer) -> None:
    assert dict(run_task(evaluation(api(openai_server.url), metrics=["context_recall"]))) == {"context_recall": 1.0}
    with pytest.raises(ConfigurationError, match="embeddings"):
        run_task(evaluation(api(openai_server.url), metrics=["answer_relevancy"]))


def test_settings_of_the_project_hold_where_the_task_says_nothing(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.pytest-ragas]\nconcurrency = 3\n[tool.pytest-ragas.thresholds]\nfaithfulness = 0.99\n"
        '[tool.pytest-ragas.gates]\n"mean(faithfulness)" = ">= 0.1"\n"mean(context_recall)" = ">= 0.1"\n'
    )
    scores = run_task(evaluation(metrics=["faithfulness"]))
    assert not scores.passed
    assert [result.outcome for result in scores.run.results] == ["passed", "failed"]
    assert [(verdict.gate.metric, verdict.outcome) for verdict in scores.verdicts] == [("faithfulness", "passed")]
    assert [gate.metric for gate in scores.unasked] == ["context_recall"]


def test_the_golden_score_file(project: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_task(evaluation(metrics=["context_recall", "exact_match"]))
    assert (project / "outputs" / "testset_score.json").read_text(encoding="utf-8") == GOLDEN


GOLDEN = """\
[
    {
        "user_input": "When was the first super bowl?",
        "response": "The first super bowl was played in 1967.",
        "retrieved_contexts": [
            "The first super bowl was played in 1967 in Los Angeles.",
            "Green Bay won."
        ],
        "reference": "The first super bowl was played in 1967.",
        "id": "7c36388c632c",
        "context_recall": 1.0,
        "exact_match": 1.0
    },
    {
        "user_input": "Who won the first super bowl?",
        "response": "Kansas City won the first super bowl.",
        "retrieved_contexts": [
            "Green Bay won the first super bowl."
        ],
        "reference": "Green Bay won the first super bowl.",
        "id": "48ca890a086f",
        "context_recall": 1.0,
        "exact_match": 0.0
    }
]
"""


# ---- the page of the docs ------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "evalscope.md"


def test_the_docs_name_every_key() -> None:
    text = PAGE.read_text(encoding="utf-8")
    ours = {key for kind in ("llm", "embeddings") for key in config_schema()["$defs"][kind]["properties"]}
    of_models = {key for keys in EVALSCOPE_KEYS.values() for key in keys} - ours
    for key in {*of_models, *RETIRED, "test_size", "raise_exceptions", "batch_size", "chunk_size", "seed"}:
        assert f"`{key}`" in text, key


def test_the_example_of_the_docs_runs(openai_server: OpenAIServer) -> None:
    openai_server.brain = author
    example = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert "http://localhost:8000/v1" in example
    example = example.replace("http://localhost:8000/v1", openai_server.url)
    embeddings = '{"model_name_or_path": "AI-ModelScope/m3e-base"}'
    assert embeddings in example
    names: dict[str, Any] = {}
    exec(example.replace(embeddings, json.dumps(api(openai_server.url))), names)
    assert len(names["scores"]) == 4
