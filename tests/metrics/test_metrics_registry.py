"""Names, backends and options: what `Registry` finds, builds and refuses."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from typing import Any

import pytest
from metrics_judge import SAMPLE, critic, run, same_direction

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.names import ALIASES, snake, standard_name
from pytest_ragas.metrics.registry import Registry
from pytest_ragas.protocols import MetricContext, MetricSpec
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

NATIVE = [
    "faithfulness",
    "answer_relevancy",
    "context_precision",
    "context_precision_without_reference",
    "context_recall",
    "context_relevancy",
    "answer_correctness",
    "factual_correctness",
    "answer_similarity",
    "noise_sensitivity",
    "context_entity_recall",
    "response_groundedness",
]
LLM = critic()
EMBEDDED = EmbeddedCritic()


class Constant:
    def __init__(self, context: MetricContext) -> None:
        self.name = context.name

    async def score(self, sample: Sample) -> Score:
        return Score(metric=self.name, value=0.5)


def spec(name: str = "brevity", **changes: Any) -> MetricSpec:
    values: dict[str, Any] = {
        "name": name,
        "backend": "free",
        "needs": frozenset(),
        "uses": frozenset(),
        "factory": Constant,
        "version": "1",
        "summary": "a constant",
        **changes,
    }
    return MetricSpec(**values)


@pytest.mark.parametrize("name", NATIVE)
def test_every_native_metric_is_built_in(name: str) -> None:
    found = registry().resolve(name, critic=LLM)
    assert (found.name, found.backend) == (name, "native")
    assert found.summary
    assert found.needs <= {field.name for field in dataclasses.fields(Sample)}


def test_one_registry_holds_no_two_specs_of_a_name_and_backend() -> None:
    keys = [(each.backend, each.name) for each in registry().specs()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("answer_relevancy", "answer_relevancy"),
        ("AnswerRelevancy", "answer_relevancy"),
        ("ResponseRelevancy", "answer_relevancy"),
        ("Faithfulness", "faithfulness"),
        (" faithfulness ", "faithfulness"),
        ("answer-relevancy", "answer_relevancy"),
        ("LLMContextRecall", "context_recall"),
        ("ContextUtilization", "context_precision_without_reference"),
        ("context_utilization", "context_precision_without_reference"),
        ("LLMContextPrecisionWithoutReference", "context_precision_without_reference"),
        ("ContextPrecisionWithReference", "context_precision"),
        ("ContextRelevance", "context_relevancy"),
        ("nv_context_relevance", "context_relevancy"),
        ("SemanticSimilarity", "answer_similarity"),
        ("AnswerSimilarity", "answer_similarity"),
        ("FactualCorrectness", "factual_correctness"),
        ("ContextEntityRecall", "context_entity_recall"),
        ("nv_response_groundedness", "response_groundedness"),
        ("native:ResponseRelevancy", "native:answer_relevancy"),
        ("Native:faithfulness", "native:faithfulness"),
    ],
)
def test_both_spellings_and_the_names_of_ragas_mean_one_metric(written: str, meant: str) -> None:
    known = registry()
    assert known.canonical(written) == meant
    assert known.resolve(written, critic=LLM).name == meant.rpartition(":")[2]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("NonLLMStringSimilarity", "non_llm_string_similarity"),
        ("CHRFScore", "chrf_score"),
        ("ToolCallF1", "tool_call_f1"),
        ("SQLSemanticEquivalence", "sql_semantic_equivalence"),
        ("rougeL", "rouge_l"),
        ("MRR", "mrr"),
    ],
)
def test_class_names_become_snake_case(written: str, expected: str) -> None:
    assert snake(written) == expected


def test_an_alias_leads_to_a_metric_in_one_step() -> None:
    assert all(standard_name(target) == target for target in ALIASES.values())
    assert not ALIASES.keys() & {each.name for each in registry().specs()}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("faithfullness", "Unknown metric 'faithfullness' in the marker of t.py::a. Did you mean 'faithfulness'?"),
        ("native:faithfullness", "Did you mean 'native:faithfulness'?"),
        ("nativ:faithfulness", "Unknown metric backend 'nativ' in the marker of t.py::a. Did you mean 'native'?"),
        ("qqq", "Known: "),
    ],
)
def test_an_unknown_name_suggests_its_neighbour(written: str, message: str) -> None:
    known = registry()
    for find in (
        lambda: known.canonical(written, where="the marker of t.py::a"),
        lambda: known.resolve(written, critic=LLM, where="the marker of t.py::a"),
    ):
        with pytest.raises(UnknownNameError, match=re.escape(message)):
            find()


def test_the_critic_decides_the_backend_where_the_name_does_not() -> None:
    known = Registry()
    for backend in ("native", "embedded", "ragas"):
        known.register(spec("faithfulness", backend=backend))
    assert known.resolve("faithfulness", critic=LLM).backend == "native"
    assert known.resolve("faithfulness", critic=LLM, backend="ragas").backend == "ragas"
    assert known.resolve("faithfulness", critic=EMBEDDED).backend == "embedded"
    assert known.resolve("embedded:faithfulness", critic=LLM).backend == "embedded"
    assert known.resolve("ragas:Faithfulness", critic=LLM).backend == "ragas"
    assert known.names() == ("faithfulness", "ragas:faithfulness")


def test_who_asks_for_ragas_does_not_get_a_heuristic() -> None:
    known = Registry()
    known.register(spec("faithfulness", backend="embedded"))
    known.register(spec("faithfulness", backend="ragas", uses=frozenset({"llm"})))
    with pytest.raises(
        ConfigurationError, match='or remove metric_backend = "ragas"; without one there are faithfulness'
    ):
        known.resolve("faithfulness", critic=EMBEDDED, backend="ragas")


def test_scores_carry_the_name_that_was_asked_for() -> None:
    known = Registry()
    known.register(spec("faithfulness", backend="ragas"))
    assert known.build("ragas:Faithfulness", critic=LLM).name == "ragas:faithfulness"
    built = known.build("Faithfulness", critic=LLM, backend="ragas")
    assert built.name == "faithfulness"
    assert run(built.metric.score(SAMPLE)).metric == "faithfulness"


@pytest.mark.parametrize("backend", ["native", "ragas"])
def test_a_free_metric_needs_no_critic_and_stays_what_it_is(backend: Any) -> None:
    known = Registry()
    known.register(spec("exact_match"))
    known.register(spec("exact_match", backend="ragas"))
    assert known.resolve("ExactMatch", critic=LLM, backend=backend).backend == "free"
    assert known.resolve("ExactMatch", critic=EMBEDDED, backend=backend).backend == "free"


def test_an_llm_metric_is_refused_to_the_embedded_critic_with_the_mend() -> None:
    known = Registry()
    known.register(spec("noise_sensitivity", backend="native", uses=frozenset({"llm"})))
    known.register(spec("faithfulness", backend="embedded"))
    for name in ("noise_sensitivity", "native:noise_sensitivity"):
        with pytest.raises(ConfigurationError) as error:
            known.build(name, critic=EMBEDDED)
        message = str(error.value)
        assert message.startswith(f'{name} is judged by an LLM, and the critic is "embedded"')
        assert "[tool.pytest-ragas.critic_llm]" in message
        assert "ragas_critic_llm" in message
        assert message.endswith("without one there are faithfulness.")


def test_a_metric_of_embeddings_alone_works_beside_the_embedded_critic() -> None:
    built = registry().build("native:answer_similarity", critic=EMBEDDED, embeddings=same_direction(0.5))
    assert run(built.metric.score(SAMPLE)).value == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["answer_relevancy", "answer_correctness", "native:answer_similarity"])
def test_missing_embeddings_are_an_error_with_the_mend_not_a_choice_of_ours(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        registry().build(name, critic=LLM)
    message = str(error.value)
    assert message.startswith(f"{name} compares meanings with embeddings, and none are configured.")
    assert 'model_name_or_path = "minilm"' in message
    assert "ragas_embeddings" in message


def test_the_registry_asks_for_the_embeddings_of_a_metric_of_others_too() -> None:
    known = Registry()
    known.register(spec("closeness", uses=frozenset({"embeddings"})))
    with pytest.raises(ConfigurationError, match="closeness compares meanings"):
        known.build("closeness", critic=LLM)


def test_answer_correctness_without_similarity_needs_no_embeddings() -> None:
    assert registry().build("answer_correctness", critic=LLM, options={"weights": [1, 0]}).metric


def test_what_only_ragas_has_says_how_to_ask_for_it() -> None:
    known = Registry()
    known.register(spec("answer_accuracy", backend="ragas"))
    assert known.canonical("AnswerAccuracy") == "answer_accuracy"
    assert known.resolve("answer_accuracy", critic=LLM, backend="ragas").backend == "ragas"
    with pytest.raises(ConfigurationError, match=r"exists only in ragas\. Write 'ragas:answer_accuracy'"):
        known.resolve("AnswerAccuracy", critic=LLM)


def test_a_resolver_finds_what_nobody_registered_and_is_asked_once() -> None:
    asked: list[str] = []

    def resolve(name: str) -> MetricSpec | None:
        asked.append(name)
        return spec(name, backend="ragas") if name == "tool_call_f1" else None

    known = Registry()
    known.register_resolver("ragas", resolve)
    assert known.canonical("ragas:ToolCallF1") == "ragas:tool_call_f1"
    assert known.build("ragas:tool_call_f1", critic=LLM).name == "ragas:tool_call_f1"
    assert asked == ["tool_call_f1"]
    with pytest.raises(UnknownNameError, match=r"Did you mean 'ragas:tool_call_f1'"):
        known.canonical("ragas:ToolCallF2")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (spec(), "The metric 'brevity' of backend 'free' is registered twice."),
        (spec(backend="native"), "registered twice, once as free and once as judged"),
        (spec("Brevity"), "A metric cannot be named 'Brevity'. Names are snake_case: 'brevity'."),
        (spec("my:metric"), "A metric cannot be named 'my:metric'."),
        (spec(""), "A metric cannot be named ''."),
        (spec("semantic_similarity"), "'semantic_similarity' is another spelling of the metric 'answer_similarity'."),
    ],
)
def test_registration_refuses_names_that_would_be_ambiguous(second: MetricSpec, message: str) -> None:
    known = Registry()
    known.register(spec())
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        known.register(second)
    assert known.names() == ("brevity",)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "factual_correctness",
            {"mod": "f1"},
            "Unknown option of the metric factual_correctness 'mod'. Did you mean 'mode'?",
        ),
        ("faithfulness", {"mode": "f1"}, "Unknown option of the metric faithfulness 'mode'. Known: none."),
        ("factual_correctness", {"mode": "f2"}, 'it must be one of "f1", "precision", "recall"'),
        ("factual_correctness", {"atomicity": "medium"}, 'it must be one of "low", "high"'),
        (
            "factual_correctness",
            {"beta": 0},
            "'beta' of metric 'factual_correctness' is 0; it must be a number above 0",
        ),
        ("answer_relevancy", {"strictness": 0}, "it must be a whole number of at least 1"),
        ("answer_relevancy", {"strictness": True}, "it must be a whole number of at least 1"),
        (
            "answer_correctness",
            {"weights": [1]},
            "it must be two numbers of at least 0, not both 0: for example [0.75, 0.25]",
        ),
        ("answer_correctness", {"weights": [0, 0]}, "not both 0"),
        ("answer_correctness", {"weights": [1, float("nan")]}, "two numbers"),
        ("answer_correctness", {"weights": "ab"}, "two numbers"),
        ("answer_correctness", {"beta": "1"}, "it must be a number above 0"),
        ("noise_sensitivity", {"mode": "both"}, 'it must be one of "relevant", "irrelevant"'),
        ("context_relevancy", {"method": "sentence"}, 'it must be one of "ratings", "sentences"'),
    ],
)
def test_options_are_checked_before_any_call(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        registry().build(name, critic=LLM, embeddings=same_direction(), options=options)


def test_a_registry_of_built_ins_imports_no_library_of_models() -> None:
    code = (
        "import sys\n"
        "from pytest_ragas.metrics.builtin import registry\n"
        "registry().canonical('AnswerRelevancy')\n"
        "heavy = {'ragas', 'langchain_core', 'torch', 'transformers', 'sentence_transformers', 'openai', 'aiohttp',\n"
        "         'jsonschema', 'numpy', 'pydantic', 'yaml'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
