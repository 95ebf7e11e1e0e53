"""Ragas' metrics are known without ragas."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from pytest_ragas.errors import UnknownNameError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.ragas import specs
from pytest_ragas.protocols import LLM, JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity


class Silent:
    """A critic LLM that is never asked."""

    identity = ModelIdentity(provider="test", name="silent")

    async def ask(self, messages: list[Message], schema: JSONSchema) -> Answer:
        raise AssertionError("asked")

    async def aclose(self) -> None: ...


CRITIC: LLM = Silent()  # type: ignore[assignment]


def test_resolving_a_metric_of_ragas_imports_no_ragas() -> None:
    code = """
import sys
from pytest_ragas.errors import UnknownNameError
from pytest_ragas.metrics.builtin import registry
class Critic: ...
known = registry()
assert known.canonical("ragas:Faithfulness") == "ragas:faithfulness"
spec = known.resolve("ragas:faithfulness", critic=Critic())
assert spec.needs == {"user_input", "response", "retrieved_contexts"} and spec.uses == {"llm"}
try:
    known.resolve("ragas:faithfullness", critic=Critic())
except UnknownNameError as error:
    assert "'ragas:faithfulness'" in str(error), error
else:
    raise AssertionError("a typo was resolved")
heavy = {"ragas", "langchain_core", "langchain_community", "openai", "instructor", "pydantic", "numpy"}
print(sorted(heavy & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("asked", "class_name"),
    [
        ("ragas:faithfulness", "Faithfulness"),
        ("ragas:Faithfulness", "Faithfulness"),
        ("ragas:SummaryScore", "SummaryScore"),
        ("ragas:summary_score", "SummaryScore"),
        ("ragas:ContextUtilization", "ContextPrecisionWithoutReference"),
        ("ragas:ContextPrecisionWithReference", "ContextPrecision"),
        ("ragas:SemanticSimilarity", "SemanticSimilarity"),
        ("ragas:semantic_similarity", "SemanticSimilarity"),
        ("ragas:ContextRelevance", "ContextRelevance"),
        ("ragas:CHRFScore", "CHRFScore"),
        ("ragas:NonLLMStringSimilarity", "NonLLMStringSimilarity"),
        ("ragas:SQLSemanticEquivalence", "SQLSemanticEquivalence"),
        ("ragas:ToolCallF1", "ToolCallF1"),
    ],
)
def test_every_spelling_finds_its_class(asked: str, class_name: str) -> None:
    spec = registry().resolve(asked, critic=CRITIC)
    assert spec.backend == "ragas"
    assert spec.factory.keywords["class_name"] == class_name  # type: ignore[attr-defined]
    assert spec.summary.startswith(f"ragas' {class_name}: ")


def test_every_native_metric_exists_in_ragas_too() -> None:
    """`metric_backend = "ragas"` leaves no standard metric to another backend."""
    known = registry()
    for spec in known.specs():
        if spec.backend == "native":
            assert known.resolve(spec.name, critic=CRITIC, backend="ragas").backend == "ragas"


def test_only_noise_sensitivity_counts_errors() -> None:
    assert [spec.name for spec in specs.SPECS if not spec.higher_is_better] == ["noise_sensitivity"]


def test_the_version_says_which_ragas() -> None:
    assert {spec.version.rpartition(",")[2] for spec in specs.SPECS} == {" door 1"}
    assert all(spec.version.startswith("ragas 0.") for spec in specs.SPECS)


def test_an_unknown_name_lists_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ragas:summary_score'"):
        registry().resolve("ragas:sumary_score", critic=CRITIC)


def test_answer_correctness_without_similarity_needs_no_embeddings() -> None:
    spec = registry().resolve("ragas:AnswerCorrectness", critic=CRITIC)
    assert spec.uses_with is not None
    assert spec.uses_with({"weights": [1.0, 0.0]}) == {"llm"}
    assert spec.uses_with({"weights": [0.75, 0.25]}) == spec.uses_with({}) == {"llm", "embeddings"}


# with ragas

needs_ragas = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")


@needs_ragas
def test_the_table_says_what_the_installed_ragas_says() -> None:
    from pytest_ragas.metrics.ragas.door import parameters_of, public_classes

    classes = public_classes()
    assert set(classes) == set(specs.TABLE) | set(specs._TWINS)
    for class_name, (needs, models, options, _) in specs.TABLE.items():
        takes = parameters_of(classes[class_name])
        required = {key for key, must in takes.arguments.items() if must}
        # the rubrics would mark a row without a response; we do not
        assert required <= set(needs) <= set(takes.arguments), class_name
        assert models == takes.models, class_name
        assert sorted(options) == sorted(takes.options), class_name
    for twin, class_name in specs._TWINS.items():
        assert parameters_of(classes[twin]).arguments == parameters_of(classes[class_name]).arguments


@needs_ragas
def test_a_class_of_a_later_ragas_is_found_by_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_ragas.metrics.ragas import door

    base = door.public_classes()["Faithfulness"].__mro__[1]

    class ToneOfVoice(base):  # type: ignore[misc, valid-type]
        """Whether the response is polite."""

        def __init__(self, llm: object, style: str = "polite", name: str = "tone", **kwargs: object) -> None:
            self.llm = llm
            super().__init__(name=name, **kwargs)

        async def ascore(self, user_input: str, response: str, reference: str | None = None) -> object: ...

    collections = door.library("test").collections
    monkeypatch.setattr(collections, "ToneOfVoice", ToneOfVoice, raising=False)
    monkeypatch.setattr(collections, "__all__", [*collections.__all__, "ToneOfVoice"])
    assert specs.resolve("tone_of_voice") is None  # the installed ragas is the table's: no look-up
    monkeypatch.setattr(specs, "_installed_version", lambda: "0.4.9")
    spec = specs.resolve("tone_of_voice")
    assert spec is not None
    assert (spec.name, spec.needs, spec.uses, spec.options) == (
        "tone_of_voice",
        {"user_input", "response"},
        {"llm"},
        {"style"},
    )
    assert spec.version == "ragas 0.4.9, door 1"
    assert spec.summary == "ragas' ToneOfVoice: Whether the response is polite."
    assert specs.resolve("tone_of_voic") is None
    assert registry().resolve("ragas:ToneOfVoice", critic=CRITIC).name == "tone_of_voice"


def test_without_ragas_an_unknown_name_is_just_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specs, "_installed_version", lambda: "")
    assert specs.resolve("anything") is None
