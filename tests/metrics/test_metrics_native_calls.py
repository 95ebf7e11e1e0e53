"""How native metrics call: how often, how many at once, in what chain, and what becomes of the rest on failure."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from metrics_judge import SAMPLE, Obliging, critic, data_of, run, same_direction, score, statements_by_text, verdicts

from pytest_ragas.errors import ModelError, StructureError, TransientModelError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.native.together import together
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"

CALLS = {
    # metric, options: (LLM calls, embedding requests, waves: requests at once in each link of the longest chain)
    "faithfulness": ("2", 0, [1, 1]),
    "answer_relevancy": ("1", 1, [1, 1]),
    "context_precision": ("c", 0, [3]),
    "context_precision_without_reference": ("c", 0, [3]),
    "context_recall": ("1", 0, [1]),
    "context_relevancy": ("2", 0, [2]),
    "answer_correctness": ("3", 1, [3, 1]),
    "factual_correctness": ("4", 0, [2, 2]),
    "answer_similarity": ("0", 1, [1]),
    "noise_sensitivity": ("c + 3", 0, [2, 4]),
    "context_entity_recall": ("2", 0, [2]),
    "response_groundedness": ("2", 0, [2]),
}
CONTEXTS = len(SAMPLE.retrieved_contexts or ())


def count(formula: str) -> int:
    return sum(CONTEXTS if term == "c" else int(term) for term in formula.split(" + "))


@pytest.mark.parametrize("metric", CALLS)
def test_calls_of_a_sample_and_how_many_of_them_wait_for_others(metric: str) -> None:
    """Not a clock but the order proves it: whoever can ask has asked before anything is answered."""
    calls, embedded, waves = CALLS[metric]
    model = Obliging()
    score(metric, model, embeddings=model)
    assert (len(model.asked), len(model.embedded)) == (count(calls), embedded)
    assert model.waves == waves


def test_the_docs_count_the_same_calls() -> None:
    rows = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 6 and cells[0].strip("`") in CALLS:
            rows[cells[0].strip("`")] = (cells[3], int(cells[4]), int(cells[5]))
    assert rows == {metric: (calls, embedded, len(waves)) for metric, (calls, embedded, waves) in CALLS.items()}


def test_precision_of_factual_correctness_asks_one_direction() -> None:
    model = Obliging()
    score("factual_correctness", model, mode="precision")
    assert model.waves == [1, 1]


def test_answer_correctness_without_similarity_embeds_nothing() -> None:
    model = Obliging()
    score("answer_correctness", model, embeddings=model, weights=[1, 0])
    assert (model.waves, model.embedded) == ([2, 1], [])


def test_the_response_is_decomposed_by_one_request_whatever_the_metric() -> None:
    """So that metrics of one sample share it: in flight, and in the store of answers."""
    asked = []
    for metric in ("faithfulness", "answer_correctness", "noise_sensitivity"):
        model = Obliging()
        score(metric, model, embeddings=model)
        asked.append({messages for messages, _ in model.asked if data_of(messages).get("text") == SAMPLE.response})
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 1


class Stuck:
    """Answers nothing, but fails the request number `failing` once `at_once` of them are in flight."""

    identity = ModelIdentity(provider="test", name="stuck")

    def __init__(self, *, at_once: int, failing: int) -> None:
        self.at_once, self.failing = at_once, failing
        self.asked = self.cancelled = 0

    async def ask(self, messages: list[Message], schema: JSONSchema) -> Answer:
        self.asked += 1
        number = self.asked
        try:
            while number != self.failing or self.asked < self.at_once:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise TransientModelError("the server is down")

    async def aclose(self) -> None: ...


@pytest.mark.parametrize(
    ("metric", "at_once"),
    [
        ("context_precision", 3),
        ("factual_correctness", 2),
        ("context_relevancy", 2),
        ("response_groundedness", 2),
        ("answer_correctness", 2),
        ("noise_sensitivity", 2),
        ("context_entity_recall", 2),
    ],
)
@pytest.mark.parametrize("failing", [1, 2])
def test_a_failed_call_cancels_those_beside_it_and_leaves_nothing_behind(
    metric: str, at_once: int, failing: int
) -> None:
    llm = Stuck(at_once=at_once, failing=failing)

    async def scenario() -> None:
        before = asyncio.all_tasks()
        built = registry().build(metric, critic=llm, embeddings=same_direction())
        with pytest.raises(TransientModelError, match="the server is down"):
            await built.metric.score(SAMPLE)
        assert asyncio.all_tasks() == before

    run(scenario())
    assert (llm.asked, llm.cancelled) == (at_once, at_once - 1)


def test_cancelling_a_score_cancels_its_calls() -> None:
    llm = Stuck(at_once=99, failing=99)

    async def scenario() -> None:
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(registry().build("context_precision", critic=llm).metric.score(SAMPLE))
        while llm.asked < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before

    run(scenario())
    assert llm.cancelled == 3


def test_together_keeps_the_order_of_its_work() -> None:
    async def late(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert run(together(late(5), late(0), late(3))) == [5, 0, 3]


# ---- structures that do not match ----------------------------------------------------------------------------


class Unchecked:
    """An LLM that nobody validates: what a user's own fixture may be."""

    identity = ModelIdentity(provider="test", name="unchecked")

    def __init__(self, **values: object) -> None:
        self.values = values

    async def ask(self, messages: list[Message], schema: JSONSchema) -> Answer:
        return Answer(value=self.values[schema["title"]], raw="what it said")

    async def aclose(self) -> None: ...


def renumbered(*numbers: object) -> list[dict[str, object]]:
    return [{"number": number, "reason": "", "verdict": 1} for number in numbers]


MISMATCHES = [
    (renumbered(1, 2), "one verdict on each of 3 statements, numbered from 1, and gave 2, numbered 1, 2."),
    (renumbered(1, 2, 3, 4), "and gave 4, numbered 1, 2, 3, 4."),
    (renumbered(1, 1, 2), "and gave 3, numbered 1, 1, 2."),
    (renumbered(1, 2, 3, 3), "and gave 4, numbered 1, 2, 3, 3."),
    (renumbered(0, 1, 2), "and gave 3, numbered 0, 1, 2."),
    ([], "and gave 0, numbered none."),
    ([1, 0, 1], "and gave 3, numbered 1, 0, 1."),
    ("yes", "The critic LLM's answer has no list 'verdicts'."),
    ([*renumbered(1, 2), {"number": 3, "reason": "", "verdict": 7}], "verdict must be one of 0, 1; it gave"),
    ([*renumbered(1, 2), {"number": 3, "reason": "", "verdict": 0.5}], "verdict must be one of 0, 1; it gave"),
    ([*renumbered(1, 2), {"number": 3, "reason": ""}], "verdict must be one of 0, 1; it gave"),
]
# a client of ours reads these as what the schema wants: "2" as 2, true as 1
MISSPELLINGS = [
    (renumbered(1, "2", 3), "and gave 3, numbered 1, 2, 3."),
    ([*renumbered(1, 2), {"number": 3, "reason": "", "verdict": True}], "verdict must be one of 0, 1; it gave"),
]
THREE = {"statements": ["One.", "Two.", "Three."]}


@pytest.mark.parametrize(("said", "message"), [*MISMATCHES, *MISSPELLINGS])
def test_verdicts_that_do_not_match_the_statements_are_never_guessed(said: object, message: str) -> None:
    with pytest.raises(StructureError) as error:
        score("faithfulness", Unchecked(Statements=THREE, Verdicts={"verdicts": said}))
    assert message in str(error.value)
    assert error.value.raw == "what it said"


@pytest.mark.parametrize("said", [said for said, _ in MISMATCHES])
def test_a_client_that_validates_refuses_them_too(said: object) -> None:
    with pytest.raises(StructureError):
        score("faithfulness", critic(Statements=THREE, Verdicts={"verdicts": said}))


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("faithfulness", {"Statements": {"statements": "one"}}),
        ("faithfulness", {"Statements": {"statements": [1]}}),
        ("faithfulness", {"Statements": []}),
        ("answer_relevancy", {"Questions": {"questions": [{"question": "Q?", "noncommittal": 0}]}}),
        ("answer_relevancy", {"Questions": {"questions": [{"question": " ", "noncommittal": 0}] * 3}}),
        ("answer_relevancy", {"Questions": {"questions": [{"question": "Q?", "noncommittal": 2}] * 3}}),
        ("answer_relevancy", {"Questions": {"questions": ["Q?"] * 3}}),
        ("context_precision", {"Usefulness": {"reason": "", "verdict": 7}}),
        ("context_precision", {"Usefulness": {"reason": ""}}),
        ("context_precision", {"Usefulness": [1]}),
        ("context_recall", {"Verdicts": {"verdicts": renumbered(1)}}),
        ("context_relevancy", {"Rating": {"reason": "", "rating": 3}}),
        ("response_groundedness", {"Rating": {"reason": "", "rating": -1}}),
        ("response_groundedness", {"Rating": {"reason": "", "rating": float("nan")}}),
        (
            "answer_correctness",
            {
                "Statements": {"statements": ["One.", "Two."]},
                "Correctness": {"response_verdicts": renumbered(1, 2), "reference_verdicts": renumbered(1)},
            },
        ),
        ("factual_correctness", {"Claims": {"claims": ["One."]}, "Verdicts": {"verdicts": renumbered(2)}}),
        ("noise_sensitivity", {"Statements": {"statements": ["One."]}, "Verdicts": {"verdicts": renumbered(1, 2)}}),
        ("context_entity_recall", {"Entities": {"entities": [["Warsaw"]]}}),
    ],
)
def test_every_structure_is_checked_even_of_an_llm_that_does_not(metric: str, values: dict[str, object]) -> None:
    with pytest.raises(StructureError):
        score(metric, Unchecked(**values), embeddings=same_direction())


@pytest.mark.parametrize("numbers", [[0], [4], [1, 1], ["1"], [None], [1.5], "1"])
def test_sentences_that_do_not_exist_are_never_counted(numbers: object) -> None:
    llm = Unchecked(RelevantSentences={"reason": "", "numbers": numbers})
    with pytest.raises(StructureError):
        score("context_relevancy", llm, method="sentences")


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 0.0]], "gave 1 vectors for 2 texts"),
        ([[1.0, 0.0], [1.0]], "gave vectors of lengths 2 and 1"),
        ([[1.0, 0.0], [0.0, 0.0]], "gave a vector that has no direction"),
        ([[1.0, 0.0], [float("nan"), 0.0]], "gave a vector that has no direction"),
        ([[1.0, 0.0], [float("inf"), 0.0]], "gave a vector that has no direction"),
    ],
)
def test_vectors_that_mean_nothing_are_errors_not_scores(vectors: list[list[float]], message: str) -> None:
    class Broken:
        identity = ModelIdentity(provider="test", name="broken")

        async def embed(self, texts: list[str]) -> list[list[float]]:
            return vectors

        async def aclose(self) -> None: ...

    with pytest.raises(ModelError, match=f"The embeddings broken {message}") as error:
        score("answer_similarity", critic(), embeddings=Broken())
    assert error.value.role == "embeddings"


def test_a_skipped_statement_is_asked_again_by_the_schema() -> None:
    """The client's validation sees the count, so the one retry layer asks again; a schema without it could not."""
    llm = critic(Statements=statements_by_text, Verdicts={"verdicts": verdicts(1, 1)})
    with pytest.raises(StructureError, match="verdicts has 2 items, but at least 3 are wanted"):
        score("faithfulness", llm)
