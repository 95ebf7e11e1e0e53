"""What ragas makes a number of, and we do not: errors it swallows, verdicts it does not check, empty texts."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ragas.errors import (
    InvalidScoreError,
    MetricError,
    ModelError,
    NothingToJudgeError,
    RejectedRequestError,
    StructureError,
)
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import JSONSchema, Metric
from pytest_ragas.values.model import Answer, Message, ModelIdentity
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")

SAMPLE = Sample(user_input="q", response="an answer", reference="the answer", retrieved_contexts=["one", "two"], id="7")


def build(name: str, critic: object, embeddings: object = None) -> Metric:
    return registry().build(name, critic=critic, embeddings=embeddings).metric  # type: ignore[arg-type]


def score(name: str, critic: object, embeddings: object = None, sample: Sample = SAMPLE) -> Score:
    return asyncio.run(build(name, critic, embeddings).score(sample))


class Unchecked:
    """A critic LLM whose client does not validate: the answer comes as it is."""

    identity = ModelIdentity(provider="test", name="unchecked")

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Answer(value=answer, raw=repr(answer))

    async def aclose(self) -> None: ...


RETRYING = ["ragas:ContextRelevance", "ragas:ResponseGroundedness", "ragas:AnswerAccuracy"]


@pytest.mark.parametrize("name", RETRYING)
@pytest.mark.parametrize(
    "error",
    [RejectedRequestError("HTTP 401: no key", status=401), StructureError("prose"), RuntimeError("a client's own")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_ragas_swallows_is_raised_after_one_call(name: str, error: Exception) -> None:
    """Ragas itself asks ten times and gives NaN."""
    critic = Unchecked(error)
    with pytest.raises(type(error)) as caught:
        score(name, critic)
    assert caught.value is error
    assert critic.calls == 1


@pytest.mark.parametrize("name", RETRYING)
def test_the_second_judges_error_is_not_replaced_by_the_first_judges_rating(name: str) -> None:
    """Ragas itself gives 1.0: the rating of the one judge that answered."""
    critic = Unchecked({"rating": 2}, RejectedRequestError("HTTP 403", status=403))
    with pytest.raises(RejectedRequestError, match="HTTP 403"):
        score(name, critic)
    assert critic.calls == 2


def test_the_schema_refuses_a_rating_that_ragas_would_ask_for_five_times() -> None:
    critic = ScriptedCritic({"ContextRelevanceOutput": {"rating": 7}})
    with pytest.raises(StructureError):
        score("ragas:ContextRelevance", critic)
    assert len(critic.requests) == 1


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("ragas:ContextPrecision", {"ContextPrecisionOutput": {"reason": "r", "verdict": 7}}),
        (
            "ragas:ContextRecall",
            {"ContextRecallOutput": {"classifications": [{"statement": "s", "reason": "r", "attributed": 2}]}},
        ),
        (
            "ragas:Faithfulness",
            {
                "StatementGeneratorOutput": {"statements": ["s"]},
                "NLIStatementOutput": {"statements": [{"statement": "s", "reason": "r", "verdict": 5}]},
            },
        ),
        (
            "ragas:Faithfulness",  # two statements, one verdict
            {
                "StatementGeneratorOutput": {"statements": ["s", "t"]},
                "NLIStatementOutput": {"statements": [{"statement": "s", "reason": "r", "verdict": 1}]},
            },
        ),
    ],
    ids=["precision 7", "recall 2", "faithfulness 5", "a verdict is missing"],
)
def test_the_schema_refuses_what_ragas_does_not_check(name: str, script: dict[str, Any]) -> None:
    with pytest.raises(StructureError):
        score(name, ScriptedCritic(script))


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [
        ("ragas:ContextPrecision", {"reason": "r", "verdict": 7}, "6.99"),
        ("ragas:ContextRecall", {"classifications": [{"statement": "s", "reason": "r", "attributed": 7}]}, "7.0"),
        ("ragas:ContextRelevance", {"rating": 7}, "nan"),
        ("ragas:DomainSpecificRubrics", {"feedback": "f", "score": 0}, "0.0"),
        ("ragas:DomainSpecificRubrics", {"feedback": "f", "score": 6}, "6.0"),
    ],
)
def test_a_value_outside_its_range_is_no_score_even_where_nobody_validates(name: str, answer: Any, value: str) -> None:
    with pytest.raises(InvalidScoreError, match=rf"gave {value}.*, which is no score: ragas'"):
        score(name, Unchecked(answer))


def test_a_negative_cosine_counts_as_zero() -> None:
    """Unrelated texts have one with ordinary embeddings: that is a bad answer, and not a failure to score it."""
    embeddings = ScriptedEmbeddings({"an answer": (1.0, 0.0), "the answer": (-1.0, 0.2)})
    result = score("ragas:SemanticSimilarity", ScriptedCritic({}), embeddings)
    assert (result.value, result.reason) == (0.0, "the cosine is -0.98, and below 0 it counts as 0")


@pytest.mark.parametrize("vector", [(0.0, 0.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_a_vector_without_a_direction_is_the_embeddings_fault(vector: tuple[float, float]) -> None:
    class Broken:
        identity = ModelIdentity(provider="test", name="broken")

        async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
            return [vector for _ in texts]

        async def aclose(self) -> None: ...

    with pytest.raises(ModelError, match=r"gave 'the answer' a vector without a direction.*(0\.0|nan|inf)") as caught:
        score("ragas:SemanticSimilarity", ScriptedCritic({}), Broken())
    assert caught.value.role == "embeddings"


def test_an_error_of_the_embeddings_comes_through() -> None:
    critic = ScriptedCritic({"AnswerRelevanceOutput": {"question": "q1", "noncommittal": 0}})
    embeddings = ScriptedEmbeddings({"q": RejectedRequestError("HTTP 404: no such model", status=404)})
    with pytest.raises(RejectedRequestError, match="HTTP 404"):
        score("ragas:AnswerRelevancy", critic, embeddings)


@pytest.mark.parametrize(
    ("name", "script", "what"),
    [
        ("ragas:Faithfulness", {"StatementGeneratorOutput": {"statements": []}}, "no statement in the response"),
        ("ragas:AnswerCorrectness", {"StatementGeneratorOutput": {"statements": []}}, "no statement in the response"),
        ("ragas:FactualCorrectness", {"ClaimDecompositionOutput": {"claims": []}}, "no claim in the response"),
        ("ragas:ContextRecall", {"ContextRecallOutput": {"classifications": []}}, "no statement in the reference"),
        ("ragas:NoiseSensitivity", {"StatementGeneratorOutput": {"statements": []}}, "no statement in the reference"),
        ("ragas:ContextEntityRecall", {"EntitiesList": {"entities": []}}, "no entity in the reference"),
    ],
)
def test_a_critic_that_finds_nothing_leaves_nothing_to_judge(name: str, script: dict[str, Any], what: str) -> None:
    """Ragas gives NaN, 0.0, 1.0 for the statements, or an error of numpy."""
    critic = ScriptedCritic(script)
    with pytest.raises(NothingToJudgeError, match=what):
        score(name, critic, ScriptedEmbeddings({}))
    assert len(critic.requests) == 1


def test_no_entity_in_the_contexts_is_a_recall_of_zero() -> None:
    critic = ScriptedCritic({"EntitiesList": [{"entities": ["Paris"]}, {"entities": []}]})
    assert score("ragas:ContextEntityRecall", critic).value == 0.0


def test_a_classification_of_nothing_is_no_perfect_answer() -> None:
    """Ragas gives 1.0 for it."""
    critic = ScriptedCritic(
        {
            "StatementGeneratorOutput": {"statements": ["s"]},
            "ClassificationWithReason": {"TP": [], "FP": [], "FN": []},
        }
    )
    with pytest.raises(StructureError, match="classified none of the statements"):
        score("ragas:AnswerCorrectness", critic, ScriptedEmbeddings({}))


def test_a_blank_question_is_no_question() -> None:
    critic = ScriptedCritic({"AnswerRelevanceOutput": {"question": " ", "noncommittal": 0}})
    with pytest.raises(StructureError, match="no question"):
        score("ragas:AnswerRelevancy", critic, ScriptedEmbeddings({}))


LLM_METRICS = [
    ("ragas:Faithfulness", "response"),
    ("ragas:AnswerCorrectness", "response"),
    ("ragas:AnswerCorrectness", "reference"),
    ("ragas:SemanticSimilarity", "response"),
    ("ragas:ContextEntityRecall", "reference"),
    ("ragas:ContextEntityRecall", "retrieved_contexts"),
    ("ragas:ContextRecall", "retrieved_contexts"),
    ("ragas:DomainSpecificRubrics", "response"),
]


@pytest.mark.parametrize(("name", "field"), LLM_METRICS)
@pytest.mark.parametrize("blank", ["", "  \n"])
def test_an_empty_field_is_nothing_to_judge_and_costs_no_call(name: str, field: str, blank: str) -> None:
    """Ragas' AnswerCorrectness gives an empty response 0.75."""
    critic = ScriptedCritic({})
    row = {**SAMPLE.to_json(), field: [blank] if field.endswith("contexts") else blank}
    with pytest.raises(NothingToJudgeError, match=f"the {field} of row '7' (is|are) empty"):
        score(name, critic, ScriptedEmbeddings({}), Sample.from_json(row))
    assert critic.requests == []


def test_what_ragas_raises_itself_is_named() -> None:
    critic = Unchecked({"keyphrases": ["k"]}, {"questions": ["x"]}, {"answers": []})
    sample = Sample(response="r", reference_contexts=["c"])
    with pytest.raises(MetricError, match="ragas' SummaryScore raised ZeroDivisionError: division by zero"):
        score("ragas:SummaryScore", critic, sample=sample)


def test_an_answer_that_ragas_class_refuses_is_a_matter_of_structure() -> None:
    with pytest.raises(StructureError, match="is no ContextPrecisionOutput") as caught:
        score("ragas:ContextPrecision", Unchecked({"verdict": "maybe", "reason": "r"}))
    assert "maybe" in caught.value.raw


def test_samples_scored_at_once_do_not_share_errors() -> None:
    """One metric, forty samples, every third refused: the others are scored."""

    class Picky:
        identity = ModelIdentity(provider="test", name="picky")

        async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
            await asyncio.sleep(0)
            if "refuse" in messages[0].content.rpartition("input: ")[2]:
                raise RejectedRequestError("HTTP 400", status=400)
            return Answer(value={"rating": 1})

        async def aclose(self) -> None: ...

    async def all_of_them() -> list[Any]:
        metric = build("ragas:ContextRelevance", Picky())
        rows = [
            Sample(user_input="refuse" if n % 3 == 0 else f"q{n}", retrieved_contexts=["some context"])
            for n in range(40)
        ]
        return await asyncio.gather(*(metric.score(row) for row in rows), return_exceptions=True)

    for number, result in enumerate(asyncio.run(all_of_them())):
        if number % 3 == 0:
            assert isinstance(result, RejectedRequestError)
        else:
            assert result.value == 0.5


def test_cancelling_ends_the_scoring() -> None:
    class Endless:
        identity = ModelIdentity(provider="test", name="endless")

        async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

        async def aclose(self) -> None: ...

    async def cancelled() -> bool:
        task = asyncio.create_task(build("ragas:ContextRelevance", Endless()).score(SAMPLE))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        return isinstance(result, asyncio.CancelledError)

    assert asyncio.run(cancelled())


def test_scoring_posts_no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def post(*arguments: object, **_: object) -> None:
        raise AssertionError(f"posted {arguments}")

    build("ragas:ContextRelevance", ScriptedCritic({}))  # imports ragas
    from ragas import _analytics

    # an event that is only made, and not sent, still reads and writes an id in the home directory
    monkeypatch.setattr(_analytics.BaseEvent, "__init__", post)
    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr(requests.Session, "send", post)
    critic = ScriptedCritic({"ContextRelevanceOutput": {"rating": 2}})
    assert score("ragas:ContextRelevance", critic).value == 1.0
    embeddings = ScriptedEmbeddings({"an answer": (1.0, 0.0), "the answer": (1.0, 0.0)})
    assert score("ragas:SemanticSimilarity", critic, embeddings).value == 1.0


def test_a_class_that_embeds_ever_new_texts_ends() -> None:
    from pytest_ragas.metrics.ragas.metric import RagasMetric

    metric = build("ragas:SemanticSimilarity", ScriptedCritic({}), ScriptedEmbeddings(lambda text: (1.0, 0.0)))
    assert isinstance(metric, RagasMetric)
    count = iter(range(10**6))

    class Restless(metric._class):  # type: ignore[misc, name-defined]
        async def ascore(self, **_: object) -> object:
            return self.embeddings.embed_text(f"text {next(count)}")

    metric._class = Restless
    with pytest.raises(MetricError, match="ever new texts"):
        asyncio.run(metric.score(SAMPLE))
    assert next(count) == 20


def test_what_the_critic_said_is_replayed_when_a_text_must_be_embedded() -> None:
    """No call is made twice, and the same question asked twice keeps its two answers."""
    from pytest_ragas.metrics.ragas.metric import RagasMetric

    critic = ScriptedCritic({"AnswerRelevanceOutput": [{"question": f"q{n}", "noncommittal": 0} for n in (1, 2)]})
    metric = build("ragas:AnswerRelevancy", critic, ScriptedEmbeddings(lambda text: (1.0, float(len(text)))))
    assert isinstance(metric, RagasMetric)
    runs: list[list[str]] = []

    class Synchronous(metric._class):  # type: ignore[misc, name-defined]
        async def ascore(self, user_input: str, response: str) -> object:
            from ragas.metrics.collections.answer_relevancy.util import AnswerRelevanceOutput
            from ragas.metrics.result import MetricResult

            said = [(await self.llm.agenerate("prompt", AnswerRelevanceOutput)).question for _ in range(2)]
            runs.append(said)
            self.embeddings.embed_texts(said)
            return MetricResult(value=1.0)

    metric._class = Synchronous
    assert asyncio.run(metric.score(SAMPLE)).value == 1.0
    assert runs == [["q1", "q2"]] * 3
    assert len(critic.requests) == 2
