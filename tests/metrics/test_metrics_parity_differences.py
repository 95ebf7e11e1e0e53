"""Where we differ from ragas on purpose: each difference with all three values. docs/parity.md lists them."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import ModelError, NothingToJudgeError, RejectedRequestError, StructureError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.values.model import Message
from pytest_ragas.values.sample import Sample

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")

Outcome = float | type[Exception]
NO_ENTITY: Mapping[str, Any] = {"entities": []}
RESPONSE, REFERENCE, QUESTION = "It is 330 m tall.", "It is 330 metres tall.", "How tall is it?"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row of the document."""

    what: str
    """As the document says it."""
    metric: str
    ragas: str
    native: Outcome
    door: Outcome
    raw: Outcome
    """What ragas' class says of itself."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """Title of a structure -> what the critic says, whoever asks."""
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)
    raw_calls: int | None = None
    """What ragas spends on it, where that is remarkable."""


def both(native: str, ragas: str, **answer: Any) -> dict[str, Any]:
    """One answer in two structures."""
    return {native: answer, ragas: answer}


def judged(*verdicts: int) -> dict[str, Any]:
    """The same verdicts in the structures of both."""
    return {
        "Verdicts": {"verdicts": [{"number": n, "reason": "r", "verdict": v} for n, v in enumerate(verdicts, 1)]},
        "NLIStatementOutput": {"statements": [{"statement": "s", "reason": "r", "verdict": v} for v in verdicts]},
    }


def found(*statements: str) -> dict[str, Any]:
    return both("Statements", "StatementGeneratorOutput", statements=list(statements))


def rated(rating: Any) -> dict[str, Any]:
    """The answers of both judges; an exception is raised."""
    ours = rating if isinstance(rating, Exception) else {"reason": "r", "rating": rating}
    theirs = rating if isinstance(rating, Exception) else {"rating": rating}
    return {"Rating": ours, "ContextRelevanceOutput": theirs, "ResponseGroundednessOutput": theirs}


OPPOSITE = {RESPONSE: (1.0, 0.0), REFERENCE: (-1.0, 0.0), "": (0.0, 1.0), "q": (-1.0, 0.0), QUESTION: (1.0, 0.0)}
REFUSED = RejectedRequestError("HTTP 401: no key", status=401)

DIFFERENCES = [
    Difference(
        what="empty response, answer_correctness",
        metric="answer_correctness",
        ragas="AnswerCorrectness",
        sample={"response": ""},
        answers=found(),
        vectors=OPPOSITE,
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=0.75,
    ),
    Difference(
        what="blank response, response_groundedness",
        metric="response_groundedness",
        ragas="ResponseGroundedness",
        sample={"response": "  "},
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=0.0,
    ),
    Difference(
        what="no retrieved contexts, context_entity_recall",
        metric="context_entity_recall",
        ragas="ContextEntityRecall",
        sample={"retrieved_contexts": []},
        answers={"EntitiesList": NO_ENTITY},
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=0.0,
    ),
    Difference(
        what="the critic finds no statement, faithfulness",
        metric="faithfulness",
        ragas="Faithfulness",
        answers=found(),
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=math.nan,
    ),
    Difference(
        what="the critic finds no statement, answer_correctness",
        metric="answer_correctness",
        ragas="AnswerCorrectness",
        answers=found(),
        vectors={RESPONSE: (1.0, 0.0), REFERENCE: (1.0, 0.0)},
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=1.0,
    ),
    Difference(
        what="the critic finds no claim, factual_correctness",
        metric="factual_correctness",
        ragas="FactualCorrectness",
        answers=both("Claims", "ClaimDecompositionOutput", claims=[]),
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=0.0,
    ),
    Difference(
        what="the critic finds no statement, noise_sensitivity",
        metric="noise_sensitivity",
        ragas="NoiseSensitivity",
        answers={**found(), "StatementFaithfulnessOutput": {"statements": []}},
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=ValueError,
    ),
    Difference(
        what="the critic finds no entity in the reference, context_entity_recall",
        metric="context_entity_recall",
        ragas="ContextEntityRecall",
        answers={"Entities": NO_ENTITY, "EntitiesList": NO_ENTITY},
        native=NothingToJudgeError,
        door=NothingToJudgeError,
        raw=0.0,
    ),
    Difference(
        what="verdict 7, context_precision",
        metric="context_precision",
        ragas="ContextPrecision",
        sample={"retrieved_contexts": ["one"]},
        answers=both("Usefulness", "ContextPrecisionOutput", reason="r", verdict=7),
        native=StructureError,
        door=StructureError,
        raw=7.0,
    ),
    Difference(
        what="verdict 7, context_recall",
        metric="context_recall",
        ragas="ContextRecall",
        answers={
            **judged(7),
            "ContextRecallOutput": {"classifications": [{"statement": "s", "reason": "r", "attributed": 7}]},
        },
        native=StructureError,
        door=StructureError,
        raw=7.0,
    ),
    Difference(
        what="verdict 7, faithfulness",
        metric="faithfulness",
        ragas="Faithfulness",
        answers={**found("s"), **judged(7)},
        native=StructureError,
        door=StructureError,
        raw=1.0,
    ),
    Difference(
        what="two statements and one verdict, faithfulness",
        metric="faithfulness",
        ragas="Faithfulness",
        answers={**found("s", "t"), **judged(1)},
        native=StructureError,
        door=StructureError,
        raw=1.0,
    ),
    Difference(
        what="two sentences and one verdict, context_recall",
        metric="context_recall",
        ragas="ContextRecall",
        sample={"reference": "It is tall. It is old."},
        answers={
            **judged(1),
            "ContextRecallOutput": {"classifications": [{"statement": "s", "reason": "r", "attributed": 1}]},
        },
        native=StructureError,
        door=1.0,
        raw=1.0,
    ),
    Difference(
        what="nothing classified, answer_correctness",
        metric="answer_correctness",
        ragas="AnswerCorrectness",
        answers={
            **found("s"),
            "Correctness": {"response_verdicts": [], "reference_verdicts": []},
            "ClassificationWithReason": {"TP": [], "FP": [], "FN": []},
        },
        vectors={RESPONSE: (1.0, 0.0), REFERENCE: (1.0, 0.0)},
        native=StructureError,
        door=StructureError,
        raw=1.0,
    ),
    Difference(
        what="rating 7, context_relevancy",
        metric="context_relevancy",
        ragas="ContextRelevance",
        answers=rated(7),
        native=StructureError,
        door=StructureError,
        raw=math.nan,
        raw_calls=10,
    ),
    Difference(
        what="HTTP 401, response_groundedness",
        metric="response_groundedness",
        ragas="ResponseGroundedness",
        answers=rated(REFUSED),
        native=RejectedRequestError,
        door=RejectedRequestError,
        raw=math.nan,
        raw_calls=10,
    ),
    Difference(
        what="the second judge fails, context_relevancy",
        metric="context_relevancy",
        ragas="ContextRelevance",
        answers={
            "Rating": [{"reason": "r", "rating": 2}, REFUSED],
            "ContextRelevanceOutput": [{"rating": 2}, REFUSED],
        },
        native=RejectedRequestError,
        door=RejectedRequestError,
        raw=1.0,
        raw_calls=6,
    ),
    Difference(
        what="opposite vectors, answer_similarity",
        metric="answer_similarity",
        ragas="SemanticSimilarity",
        vectors=OPPOSITE,
        native=0.0,
        door=0.0,
        raw=-1.0,
    ),
    Difference(
        what="opposite vectors, answer_relevancy",
        metric="answer_relevancy",
        ragas="AnswerRelevancy",
        answers={
            "Questions": {"questions": [{"question": "q", "noncommittal": 0}] * 3},
            "AnswerRelevanceOutput": {"question": "q", "noncommittal": 0},
        },
        vectors=OPPOSITE,
        native=0.0,
        door=0.0,
        raw=-1.0,
    ),
    Difference(
        what="opposite vectors, answer_correctness",
        metric="answer_correctness",
        ragas="AnswerCorrectness",
        answers={
            **found("s"),
            "Correctness": {
                "response_verdicts": [{"number": 1, "reason": "r", "verdict": 1}],
                "reference_verdicts": [{"number": 1, "reason": "r", "verdict": 1}],
            },
            "ClassificationWithReason": {"TP": [{"statement": "s", "reason": "r"}], "FP": [], "FN": []},
        },
        vectors=OPPOSITE,
        native=0.75,
        door=0.5,
        raw=0.5,
    ),
    Difference(
        what="a vector of zeros, answer_correctness",
        metric="answer_correctness",
        ragas="AnswerCorrectness",
        answers={
            **found("s"),
            "Correctness": {
                "response_verdicts": [{"number": 1, "reason": "r", "verdict": 1}],
                "reference_verdicts": [{"number": 1, "reason": "r", "verdict": 1}],
            },
            "ClassificationWithReason": {"TP": [{"statement": "s", "reason": "r"}], "FP": [], "FN": []},
        },
        vectors={RESPONSE: (0.0, 0.0), REFERENCE: (1.0, 0.0)},
        native=ModelError,
        door=ModelError,
        raw=0.75,
    ),
    Difference(
        what="an empty question, answer_relevancy",
        metric="answer_relevancy",
        ragas="AnswerRelevancy",
        answers={
            "Questions": {"questions": [{"question": "", "noncommittal": 0}] * 3},
            "AnswerRelevanceOutput": {"question": "", "noncommittal": 0},
        },
        vectors=OPPOSITE,
        native=StructureError,
        door=StructureError,
        raw=0.0,
    ),
    Difference(
        what="entities in another case, context_entity_recall",
        metric="context_entity_recall",
        ragas="ContextEntityRecall",
        answers={
            "Entities": lambda messages, schema: entities(messages[-1].content),
            "EntitiesList": lambda messages, schema: entities(messages[-1].content.rpartition("input: ")[2]),
        },
        native=1.0,
        door=0.0,
        raw=0.0,
    ),
    Difference(
        what="a blank context, context_precision",
        metric="context_precision",
        ragas="ContextPrecision",
        sample={"retrieved_contexts": ["", "useful"]},
        answers=both("Usefulness", "ContextPrecisionOutput", reason="r", verdict=1),
        native=0.5,
        door=1.0,
        raw=1.0,
    ),
]


def entities(text: str) -> dict[str, list[str]]:
    return {"entities": ["PARIS"] if "context" in text else ["Paris"]}


def sample_of(difference: Difference) -> Sample:
    fields = {
        "user_input": QUESTION,
        "response": RESPONSE,
        "reference": REFERENCE,
        "retrieved_contexts": ["a context"],
    }
    return Sample(**{**fields, **difference.sample})


def ours(difference: Difference, name: str) -> Outcome:
    critic = ScriptedCritic(difference.answers)
    embeddings = ScriptedEmbeddings(difference.vectors)
    metric = registry().build(name, critic=critic, embeddings=embeddings).metric
    try:
        return asyncio.run(metric.score(sample_of(difference))).value
    except Exception as error:
        return type(error)


def theirs(difference: Difference) -> tuple[Outcome, int]:
    """Ragas' class without our door: nothing is checked but what it checks itself."""
    from pytest_ragas.metrics.ragas.door import library, parameters_of

    ragas = library("test")
    calls = 0

    class Judge(ragas.llm.__mro__[2]):  # type: ignore[misc, name-defined]
        def generate(self, prompt: str, response_model: Any) -> Any:
            raise NotImplementedError

        async def agenerate(self, prompt: str, response_model: Any) -> Any:
            nonlocal calls
            calls += 1
            answer = difference.answers[response_model.__name__]
            if isinstance(answer, list):
                answer = answer[min(calls, len(answer)) - 1]
            if callable(answer):
                answer = answer([Message(role="user", content=prompt)], {})
            if isinstance(answer, Exception):
                raise answer
            return response_model.model_validate(answer)

    class Vectors(ragas.embeddings.__mro__[2]):  # type: ignore[misc, name-defined]
        def embed_text(self, text: str, **_: Any) -> list[float]:
            return list(difference.vectors[text])

        async def aembed_text(self, text: str, **_: Any) -> list[float]:
            return list(difference.vectors[text])

    metric = getattr(ragas.collections, difference.ragas)
    takes = parameters_of(metric)
    models = {name: {"llm": Judge, "embeddings": Vectors}[name]() for name in takes.models}
    sample = sample_of(difference)
    inputs = {name: getattr(sample, name) for name in takes.arguments}
    inputs = {name: list(value) if isinstance(value, tuple) else value for name, value in inputs.items()}
    try:
        return float(asyncio.run(metric(**models).ascore(**inputs)).value), calls
    except Exception as error:
        return type(error), calls


def same(outcome: Outcome, expected: Outcome) -> bool:
    if isinstance(outcome, float) and isinstance(expected, float):
        return outcome == pytest.approx(expected, abs=1e-8, nan_ok=True)
    return outcome is expected


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.what)
def test_difference(difference: Difference) -> None:
    assert same(ours(difference, difference.metric), difference.native), "native"
    assert same(ours(difference, f"ragas:{difference.ragas}"), difference.door), "through the door"
    raw, calls = theirs(difference)
    assert same(raw, difference.raw), f"ragas itself: {raw}"
    assert difference.raw_calls in (None, calls)


def shown(outcome: Outcome) -> str:
    if isinstance(outcome, float):
        return "NaN" if math.isnan(outcome) else f"{outcome:.2f}"
    return "no score" if issubclass(outcome, Exception) and outcome is not ValueError else "`ValueError`"


def test_the_document_lists_every_difference_with_its_values() -> None:
    text = (Path(__file__).parents[2] / "docs" / "parity.md").read_text(encoding="utf-8")
    for row in DIFFERENCES:
        what, _, metric = row.what.rpartition(", ")
        line = f"| `{metric}` | {what} | {shown(row.native)} | {shown(row.door)} | {shown(row.raw)} |"
        assert line in text
    table = text.partition("## Differences that we want")[2].partition("\n## ")[0]
    assert sum(line.startswith("| `") for line in table.splitlines()) == len(DIFFERENCES)
