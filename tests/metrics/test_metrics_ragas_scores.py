"""Ragas' classes through our seam: values by hand, evidence, options, what is sent."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError, MetricError, MissingFieldError, UnknownNameError
from pytest_ragas.libraries.ragas_structure import prompt_data, structure_of
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import JSONSchema, Metric
from pytest_ragas.values.model import Message
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")

SAMPLE = Sample(
    user_input="How tall is the Eiffel Tower?",
    response="It is 330 m tall. It stands in Lyon.",
    reference="The Eiffel Tower is 330 m tall. It stands in Paris.",
    retrieved_contexts=["The tower is 330 m tall.", "Lyon lies on the Rhône."],
    reference_contexts=["The tower in Paris is 330 m tall."],
    id="row-1",
)


def build(name: str, critic: object, embeddings: object = None, **options: object) -> Metric:
    return registry().build(name, critic=critic, embeddings=embeddings, options=options).metric  # type: ignore[arg-type]


def score(name: str, critic: object, embeddings: object = None, sample: Sample = SAMPLE, **options: object) -> Score:
    return asyncio.run(build(name, critic, embeddings, **options).score(sample))


def judged(*verdicts: int) -> dict[str, Any]:
    return {
        "statements": [
            {"statement": f"statement {number}", "reason": f"because {number}", "verdict": verdict}
            for number, verdict in enumerate(verdicts, 1)
        ]
    }


def statements(count: int, start: int = 1) -> dict[str, Any]:
    return {"statements": [f"statement {number}" for number in range(start, start + count)]}


def test_faithfulness_with_its_evidence() -> None:
    critic = ScriptedCritic({"StatementGeneratorOutput": statements(3), "NLIStatementOutput": judged(1, 0, 1)})
    result = score("ragas:Faithfulness", critic)
    assert result.value == pytest.approx(2 / 3)
    assert result.metric == "ragas:faithfulness"
    assert result.reason == "2 of 3 statements hold"
    assert [(finding.kind, finding.text, finding.value, finding.reason) for finding in result.evidence] == [
        ("statement", "statement 1", 1.0, "because 1"),
        ("statement", "statement 2", 0.0, "because 2"),
        ("statement", "statement 3", 1.0, "because 3"),
    ]
    assert [request.title for request in critic.requests] == ["StatementGeneratorOutput", "NLIStatementOutput"]
    assert critic.unused() == ()


def test_what_is_sent_is_ragas_prompt_and_a_flat_closed_schema() -> None:
    critic = ScriptedCritic({"StatementGeneratorOutput": statements(2), "NLIStatementOutput": judged(1, 1)})
    score("ragas:faithfulness", critic)
    request = critic.requests[1]
    assert [message.role for message in request.messages] == ["user"]
    assert "Your task is to judge the faithfulness" in request.text
    assert prompt_data(request.text)["context"] == "\n".join(SAMPLE.retrieved_contexts or ())
    assert request.schema == {
        "title": "NLIStatementOutput",
        "type": "object",
        "description": "Structured output for NLI statement evaluation.",
        "properties": {
            "statements": {
                "type": "array",
                "description": "Evaluated statements with verdicts",
                "minItems": 2,
                "maxItems": 2,
                "items": {
                    "type": "object",
                    "description": "Individual statement with reason and verdict for NLI evaluation.",
                    "properties": {
                        "statement": {"type": "string", "description": "the original statement, word-by-word"},
                        "reason": {"type": "string", "description": "the reason of the verdict"},
                        "verdict": {
                            "type": "integer",
                            "description": "the verdict(0/1) of the faithfulness",
                            "enum": [0, 1],
                        },
                    },
                    "required": ["statement", "reason", "verdict"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["statements"],
        "additionalProperties": False,
    }


def test_context_precision_is_average_precision() -> None:
    """Useful at ranks 1 and 3: (1/1 + 2/3) / 2."""
    verdicts = iter((1, 0, 1))
    critic = ScriptedCritic({"ContextPrecisionOutput": lambda m, s: {"reason": "r", "verdict": next(verdicts)}})
    sample = SAMPLE.answered(retrieved_contexts=["first", "second", "third"])
    result = score("ragas:context_precision", critic, sample=sample)
    assert result.value == pytest.approx((1 + 2 / 3) / 2, abs=1e-9)
    assert [(finding.kind, finding.text, finding.value) for finding in result.evidence] == [
        ("context", "first", 1.0),
        ("context", "second", 0.0),
        ("context", "third", 1.0),
    ]
    assert result.reason == "2 of 3 contexts useful"
    verdicts = iter((0, 1, 0))
    assert score("ragas:ContextUtilization", critic, sample=sample).value == pytest.approx(0.5, abs=1e-9)


def test_context_recall() -> None:
    said = [{"statement": f"s{n}", "reason": "r", "attributed": n % 2} for n in range(4)]
    result = score("ragas:ContextRecall", ScriptedCritic({"ContextRecallOutput": {"classifications": said}}))
    assert result.value == 0.5
    assert [finding.value for finding in result.evidence] == [0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("name", "title", "highest"),
    [
        ("ragas:ContextRelevance", "ContextRelevanceOutput", 2),
        ("ragas:ResponseGroundedness", "ResponseGroundednessOutput", 2),
        ("ragas:AnswerAccuracy", "AnswerAccuracyOutput", 4),
    ],
)
def test_two_ratings_are_averaged(name: str, title: str, highest: int) -> None:
    critic = ScriptedCritic({title: [{"rating": highest}, {"rating": highest // 2}]})
    result = score(name, critic)
    assert result.value == 0.75
    assert [finding.value for finding in result.evidence] == [1.0, 0.5]
    assert result.reason == f"judge 1: rated {highest} of {highest}, judge 2: rated {highest // 2} of {highest}"
    assert all(finding.text for finding in result.evidence)


VECTORS = {
    SAMPLE.user_input: (1.0, 0.0),
    "q1": (1.0, 0.0),
    "q2": (3.0, 4.0),
    "q3": (0.0, 2.0),
    str(SAMPLE.response): (1.0, 1.0),
    str(SAMPLE.reference): (1.0, 0.0),
}


def test_answer_relevancy_is_the_mean_cosine_of_its_questions() -> None:
    questions = [{"question": f"q{n}", "noncommittal": 0} for n in (1, 2, 3)]
    embeddings = ScriptedEmbeddings(VECTORS)
    result = score("ragas:AnswerRelevancy", ScriptedCritic({"AnswerRelevanceOutput": questions}), embeddings)
    assert result.value == pytest.approx((1 + 0.6 + 0) / 3)
    assert [(finding.kind, finding.text) for finding in result.evidence] == [("question", f"q{n}") for n in (1, 2, 3)]
    assert [finding.value for finding in result.evidence] == pytest.approx([1, 0.6, 0])


def test_an_option_reaches_ragas_constructor() -> None:
    critic = ScriptedCritic({"AnswerRelevanceOutput": [{"question": "q2", "noncommittal": 0}]})
    embeddings = ScriptedEmbeddings(VECTORS)
    assert score("ragas:answer_relevancy", critic, embeddings, strictness=1).value == pytest.approx(0.6)


CLASSIFIED = {
    "TP": [{"statement": "330 m tall", "reason": "both say so"}],
    "FP": [{"statement": "in Lyon", "reason": "in Paris"}],
    "FN": [{"statement": "in Paris", "reason": "missing"}],
}


def test_answer_correctness_weighs_statements_and_similarity() -> None:
    critic = ScriptedCritic({"StatementGeneratorOutput": statements(2), "ClassificationWithReason": CLASSIFIED})
    result = score("ragas:answer_correctness", critic, ScriptedEmbeddings(VECTORS))
    assert result.value == pytest.approx(0.75 * 0.5 + 0.25 * math.sqrt(0.5))
    assert [(finding.text, finding.value, finding.part) for finding in result.evidence] == [
        ("330 m tall", 1.0, "true positive"),
        ("in Lyon", 0.0, "false positive"),
        ("in Paris", 0.0, "false negative"),
    ]
    alone = score("ragas:answer_correctness", critic, weights=[1, 0], beta=1)
    assert alone.value == pytest.approx(0.5)


def test_semantic_similarity_takes_one_request_and_does_not_block_the_loop() -> None:
    """Ragas calls embed_text() inside the loop; the other coroutine must go on meanwhile."""
    inner = ScriptedEmbeddings(VECTORS)
    beats = 0

    class Slow:
        identity = inner.identity

        async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
            for _ in range(5):
                await asyncio.sleep(0)
            return await inner.embed(texts)

        async def aclose(self) -> None: ...

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async def both() -> Score:
        pulse = asyncio.create_task(beat())
        try:
            return await build("ragas:SemanticSimilarity", ScriptedCritic({}), Slow()).score(SAMPLE)
        finally:
            pulse.cancel()

    result = asyncio.run(both())
    assert result.value == pytest.approx(math.sqrt(0.5))
    assert beats >= 4
    assert inner.requests == [(SAMPLE.reference, SAMPLE.response)]
    assert score("ragas:SemanticSimilarity", ScriptedCritic({}), Slow(), threshold=0.7).value == 1.0
    assert score("ragas:SemanticSimilarity", ScriptedCritic({}), Slow(), threshold=0.8).value == 0.0


def test_factual_correctness_says_whose_claims() -> None:
    critic = ScriptedCritic(
        {"ClaimDecompositionOutput": [{"claims": ["a", "b"]}, {"claims": ["c"]}], "NLIStatementOutput": by_count}
    )
    result = score("ragas:factual_correctness", critic)
    assert result.value == pytest.approx(0.67)  # tp 1, fp 1, fn 0, and ragas rounds to two digits
    assert [(finding.text, finding.value, finding.part) for finding in result.evidence] == [
        ("a", 1.0, "response"),
        ("b", 0.0, "response"),
        ("c", 1.0, "reference"),
    ]
    critic = ScriptedCritic({"ClaimDecompositionOutput": {"claims": ["a", "b"]}, "NLIStatementOutput": by_count})
    assert score("ragas:factual_correctness", critic, mode="precision").value == pytest.approx(0.5)


def by_count(messages: Sequence[Message], schema: JSONSchema) -> Mapping[str, Any]:
    """The first statement holds, the others do not."""
    asked = prompt_data(messages[0].content)["statements"]
    return {"statements": [{"statement": text, "reason": "r", "verdict": int(not i)} for i, text in enumerate(asked)]}


def test_noise_sensitivity_counts_errors() -> None:
    """Two statements of the response; the second is wrong, and context 2, which is useful, carries it."""
    reference, response = ["r1"], ["a1", "a2"]
    verdicts = {
        ("The tower is 330 m tall.", "r1"): 0,
        ("Lyon lies on the Rhône.", "r1"): 1,
        ("The tower is 330 m tall.", "a1"): 1,
        ("The tower is 330 m tall.", "a2"): 0,
        ("Lyon lies on the Rhône.", "a1"): 0,
        ("Lyon lies on the Rhône.", "a2"): 1,
        (SAMPLE.reference, "a1"): 1,
        (SAMPLE.reference, "a2"): 0,
    }

    def judge(messages: Sequence[Message], schema: JSONSchema) -> Mapping[str, Any]:
        data = prompt_data(messages[0].content)
        return {
            "statements": [
                {"statement": text, "reason": "r", "verdict": verdicts[data["context"], text]}
                for text in data["statements"]
            ]
        }

    critic = ScriptedCritic(
        {
            "StatementGeneratorOutput": [{"statements": reference}, {"statements": response}],
            "StatementFaithfulnessOutput": judge,
        }
    )
    result = score("ragas:NoiseSensitivity", critic)
    assert result.value == 0.5
    assert not result.higher_is_better
    assert [(finding.text, finding.value, finding.reason) for finding in result.evidence] == [
        ("a1", 1.0, "r; retrieved context 1 carries it"),
        ("a2", 0.0, "r; retrieved context 2 carries it"),
    ]


def test_context_entity_recall() -> None:
    critic = ScriptedCritic({"EntitiesList": [{"entities": ["Paris", "330 m"]}, {"entities": ["Lyon", "330 m"]}]})
    result = score("ragas:context_entity_recall", critic)
    assert result.value == pytest.approx(0.5)
    assert [(finding.kind, finding.text, finding.value) for finding in result.evidence] == [
        ("entity", "Paris", 0.0),
        ("entity", "330 m", 1.0),
    ]


def test_summary_score() -> None:
    critic = ScriptedCritic(
        {
            "ExtractedKeyphrases": {"keyphrases": ["tower", "Paris"]},
            "QuestionsGenerated": {"questions": ["Is it tall?", "Is it in Paris?"]},
            "AnswersGenerated": {"answers": ["1", "0"]},
        }
    )
    result = score("ragas:SummaryScore", critic, length_penalty=False)
    assert result.value == 0.5
    assert [(finding.text, finding.value) for finding in result.evidence] == [
        ("Is it tall?", 1.0),
        ("Is it in Paris?", 0.0),
    ]


@pytest.mark.parametrize(("mark", "value"), [(1, 0.0), (3, 0.5), (5, 1.0)])
def test_a_rubric_of_1_to_5_becomes_a_score_of_0_to_1(mark: int, value: float) -> None:
    """The lowest mark is 1, and 1 is our best score: taken as it is, the worst answer would pass every gate."""
    critic = ScriptedCritic({"RubricScoreOutput": {"feedback": "so so", "score": mark}})
    result = score("ragas:DomainSpecificRubrics", critic, rubrics={"score1_description": "bad"})
    assert (result.value, result.reason) == (value, "so so")
    assert "score1_description" in critic.requests[0].text or "bad" in critic.requests[0].text


def test_rubrics_of_the_row_are_its_metadata() -> None:
    critic = ScriptedCritic({"InstanceRubricScoreOutput": {"feedback": "good", "score": 4}})
    sample = Sample(response="r", metadata={"rubrics": {"score1_description": "bad"}})
    assert score("ragas:InstanceSpecificRubrics", critic, sample=sample).value == 0.75
    with pytest.raises(MissingFieldError, match="needs rubrics, which row 'row-1' does not have"):
        score("ragas:InstanceSpecificRubrics", critic)


def test_metrics_without_a_model() -> None:
    none = ScriptedCritic({})
    assert score("ragas:ExactMatch", none).value == 0.0
    assert score("ragas:StringPresence", none).value == 0.0
    near = Sample(response="abcd", reference="abce")
    assert score("ragas:NonLLMStringSimilarity", none, sample=near).value == 0.75
    assert score("ragas:NonLLMStringSimilarity", none, sample=near, distance_measure="hamming").value == 0.75
    quoted = Sample(response='He said "the tower is tall" twice.', retrieved_contexts=["the tower is tall"])
    result = score("ragas:QuotedSpansAlignment", none, sample=quoted)
    assert (result.value, result.reason) == (1.0, "Matched 1/1 quoted spans")


def test_a_library_that_ragas_misses_is_a_matter_of_configuration() -> None:
    if importlib.util.find_spec("rouge_score"):
        pytest.skip("rouge_score is installed")
    with pytest.raises(ConfigurationError, match="pip install rouge_score"):
        score("ragas:RougeScore", ScriptedCritic({}))


MESSAGES = [
    {"role": "user", "content": "Book a table for two."},
    {"role": "assistant", "content": "", "tool_calls": [{"name": "book", "args": {"people": 2}}]},
    {"role": "tool", "content": "booked"},
    {"type": "ai", "content": "Done."},
]


def test_metrics_of_agents_read_the_conversation_from_metadata() -> None:
    calls = [{"function": {"name": "book", "arguments": '{"people": 2}'}}]
    sample = Sample(reference="a table is booked", metadata={"messages": MESSAGES, "reference_tool_calls": calls})
    none = ScriptedCritic({})
    assert score("ragas:ToolCallAccuracy", none, sample=sample).value == 1.0
    assert score("ragas:ToolCallF1", none, sample=sample).value == 1.0
    critic = ScriptedCritic(
        {
            "WorkflowOutput": {"user_goal": "a table", "end_state": "booked"},
            "CompareOutcomeOutput": {"reason": "same", "verdict": "1"},
        }
    )
    result = score("ragas:AgentGoalAccuracy", critic, sample=sample)
    assert result.value == 1.0
    assert result.evidence[0].reason == "same"
    assert "Human: Book a table for two." in prompt_data(critic.requests[0].text)["workflow"]


@pytest.mark.parametrize("message", [{"role": "system", "content": "x"}, {"content": "x"}])
def test_a_message_of_nobody_is_refused(message: dict[str, str]) -> None:
    sample = Sample(metadata={"messages": [message], "reference_tool_calls": []}, id="r")
    with pytest.raises(MissingFieldError, match=r"A message of row 'r' has the role .*assistant"):
        score("ragas:ToolCallF1", ScriptedCritic({}), sample=sample)


def test_image_metrics_judge_texts_and_fetch_nothing() -> None:
    critic = ScriptedCritic({"MultiModalFaithfulnessOutput": {"faithful": False, "reason": "Lyon is invented"}})
    result = score("ragas:MultiModalFaithfulness", critic)
    assert (result.value, result.reason) == (0.0, "Lyon is invented")
    assert "Context 1: The tower is 330 m tall." in critic.requests[0].text
    for image in ("https://example.com/tower", "tower.PNG", "data:image/png;base64,AAAA"):
        with pytest.raises(MetricError, match="Retrieved context 2 is an image or a link"):
            score("ragas:MultiModalRelevance", critic, sample=SAMPLE.answered(retrieved_contexts=["text", image]))


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("ragas:NoiseSensitivity", "mode", "both", "'relevant' or 'irrelevant'"),
        ("ragas:AnswerRelevancy", "strictness", "three", "valid integer"),
        ("ragas:AnswerRelevancy", "strictness", 0, "at least 1"),
        ("ragas:ContextRelevance", "max_retries", 0, "at least 1"),
        ("ragas:AnswerCorrectness", "weights", [0.0, 0.0], "At least one weight must be non-zero"),
        ("ragas:SummaryScore", "coeff", 2, "between 0.0 and 1.0"),
        ("ragas:NonLLMStringSimilarity", "distance_measure", "cosine", "levenshtein"),
    ],
)
def test_a_bad_option_is_refused_where_the_metric_is_built(name: str, option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        build(name, ScriptedCritic({}), ScriptedEmbeddings({}), **{option: value})
    assert "metric 'ragas:" in str(caught.value)


def test_an_unknown_option_lists_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'strictness'"):
        build("ragas:AnswerRelevancy", ScriptedCritic({}), ScriptedEmbeddings({}), strictnes=2)


def test_missing_embeddings_are_named_where_the_metric_is_built() -> None:
    with pytest.raises(ConfigurationError, match="embeddings, and none are configured"):
        build("ragas:AnswerRelevancy", ScriptedCritic({}))


def test_a_class_that_refers_to_itself_cannot_be_asked_for() -> None:
    class Node:
        @staticmethod
        def model_json_schema() -> dict[str, Any]:
            return {
                "$ref": "#/$defs/Node",
                "$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node"}}, "type": "object"}},
            }

    with pytest.raises(ConfigurationError, match="a Node that holds another Node"):
        structure_of(Node, {})


def test_the_data_of_a_prompt_is_found_whatever_the_texts_hold() -> None:
    assert prompt_data('x\ninput: {"context": "a\\ninput: {}"}\nOutput: ') == {"context": "a\ninput: {}"}
    assert prompt_data("no data") == {}
    assert prompt_data("\ninput: {broken") == {}
    assert prompt_data("\ninput: [1]") == {}
