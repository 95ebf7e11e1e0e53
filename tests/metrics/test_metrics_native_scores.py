"""Scores of every native metric, computed by hand, with the evidence and the one line that explains them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from metrics_judge import (
    EXPECTED,
    SAID,
    SAMPLE,
    Obliging,
    critic,
    data_of,
    same_direction,
    score,
    statements_by_text,
    verdicts,
)

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.native.context_precision import average_precision
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

CONTEXTS = list(SAMPLE.retrieved_contexts or ())


def findings(result: Score) -> list[tuple[str, str, float, str, str]]:
    return [(each.kind, each.text, each.value, each.reason, each.part) for each in result.evidence]


def test_faithfulness_is_the_share_of_supported_statements() -> None:
    llm = critic(Statements=statements_by_text, Verdicts={"verdicts": verdicts(1, 0, 1)})
    result = score("faithfulness", llm)
    assert result.value == pytest.approx(2 / 3)
    assert result.reason == "2 of 3 statements supported by the contexts"
    assert findings(result) == [
        ("statement", SAID[0], 1, "because 1", "response"),
        ("statement", SAID[1], 0, "because 2", "response"),
        ("statement", SAID[2], 1, "because 3", "response"),
    ]
    assert [data_of(request.messages) for request in llm.requests] == [
        {"question": SAMPLE.user_input, "text": SAMPLE.response},
        {
            "contexts": CONTEXTS,
            "statements": [{"number": number, "text": text} for number, text in enumerate(SAID, 1)],
        },
    ]


def test_verdicts_are_matched_by_number_not_by_place() -> None:
    shuffled = [verdicts(1, 0, 0)[index] for index in (2, 0, 1)]
    llm = critic(Statements=statements_by_text, Verdicts={"verdicts": shuffled})
    assert [finding.value for finding in score("faithfulness", llm).evidence] == [1, 0, 0]


def test_a_number_without_a_fraction_is_whole_however_it_is_written() -> None:
    said = [{"number": 1.0, "reason": "", "verdict": 1.0}]
    llm = critic(Statements={"statements": ["One."]}, Verdicts={"verdicts": said})
    assert score("faithfulness", llm).value == 1.0


def questions(*flags: int) -> dict[str, Any]:
    return {"questions": [{"question": f"Q{number}?", "noncommittal": flag} for number, flag in enumerate(flags, 1)]}


def test_answer_relevancy_is_the_mean_cosine_of_the_questions() -> None:
    vectors = {SAMPLE.user_input: [2.0, 0.0], "Q1?": [1.0, 0.0], "Q2?": [3.0, 4.0], "Q3?": [0.0, 1.0]}
    embeddings = ScriptedEmbeddings(vectors)
    llm = critic(Questions=questions(0, 1, 0))
    result = score("answer_relevancy", llm, embeddings=embeddings)
    assert result.value == pytest.approx((1.0 + 0.6 + 0.0) / 3)
    assert result.reason == "mean cosine 0.533 between the question asked and 3 that the response answers"
    assert [(f[0], f[1], f[3]) for f in findings(result)] == [
        ("question", "Q1?", "cosine 1.000"),
        ("question", "Q2?", "the response is noncommittal"),
        ("question", "Q3?", "cosine 0.000"),
    ]
    assert embeddings.requests == [(SAMPLE.user_input, "Q1?", "Q2?", "Q3?")]
    assert data_of(llm.requests[0].messages) == {"count": 3, "answer": SAMPLE.response}


def test_answer_relevancy_is_0_where_every_question_says_noncommittal_and_nothing_is_embedded() -> None:
    embeddings = same_direction()
    result = score("answer_relevancy", critic(Questions=questions(1, 1, 1)), embeddings=embeddings)
    assert (result.value, result.reason) == (0.0, "the response is noncommittal")
    assert [finding.value for finding in result.evidence] == [0.0, 0.0, 0.0]
    assert embeddings.requests == []


def test_a_mean_cosine_below_0_counts_as_0() -> None:
    vectors = {SAMPLE.user_input: [1.0, 0.0], "Q1?": [-1.0, 0.0], "Q2?": [0.6, 0.8], "Q3?": [0.0, 1.0]}
    result = score("answer_relevancy", critic(Questions=questions(0, 0, 0)), embeddings=ScriptedEmbeddings(vectors))
    assert result.value == 0.0
    assert [round(finding.value, 9) for finding in result.evidence] == [0.0, 0.6, 0.0]


def test_strictness_is_the_number_of_questions() -> None:
    embeddings = same_direction(0.5)
    result = score("answer_relevancy", critic(Questions=questions(0)), embeddings=embeddings, strictness=1)
    assert result.value == pytest.approx(0.5)


def useful(*contexts: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda data: {"reason": f"on {data['context'][:5]}", "verdict": int(data["context"] in contexts)}


def test_context_precision_is_the_average_precision_of_the_useful_ranks() -> None:
    llm = critic(Usefulness=useful(CONTEXTS[0], CONTEXTS[2]))
    result = score("context_precision", llm)
    assert result.value == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert result.reason == "2 of 3 contexts useful for the reference, at ranks 1, 3"
    assert findings(result)[1] == ("context", CONTEXTS[1], 0, "on The V", "")
    assert {data_of(request.messages)["answer"] for request in llm.requests} == {SAMPLE.reference}


def test_context_precision_without_reference_judges_by_the_response() -> None:
    llm = critic(Usefulness=useful(CONTEXTS[1]))
    result = score("context_utilization", llm)
    assert result.metric == "context_precision_without_reference"
    assert result.value == pytest.approx(1 / 2)
    assert result.reason == "1 of 3 contexts useful for the response, at rank 2"
    assert {data_of(request.messages)["answer"] for request in llm.requests} == {SAMPLE.response}


def test_context_precision_is_0_where_nothing_is_useful() -> None:
    result = score("context_precision", critic(Usefulness=useful()))
    assert (result.value, result.reason) == (0.0, "0 of 3 contexts useful for the reference")


def test_a_blank_context_is_useless_without_a_call() -> None:
    sample = replace(SAMPLE, retrieved_contexts=["  ", CONTEXTS[0]])
    llm = critic(Usefulness=useful(CONTEXTS[0]))
    result = score("context_precision", llm, sample)
    assert result.value == pytest.approx(1 / 2)
    assert result.evidence[0].reason == "The context is empty."
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [([1], 1.0), ([0], 0.0), ([1, 1, 1], 1.0), ([0, 1], 0.5), ([0, 0, 1, 1], (1 / 3 + 2 / 4) / 2), ([1, 0, 0], 1.0)],
)
def test_average_precision(pattern: list[int], expected: float) -> None:
    assert average_precision(pattern) == pytest.approx(expected)


def test_context_recall_is_the_share_of_the_references_sentences() -> None:
    llm = critic(Verdicts={"verdicts": verdicts(1, 0)})
    result = score("context_recall", llm)
    assert result.value == 0.5
    assert result.reason == "1 of 2 sentences of the reference supported by the contexts"
    assert findings(result) == [
        ("sentence", "Marie Curie was born in Warsaw.", 1, "because 1", "reference"),
        ("sentence", "It was the year 1867.", 0, "because 2", "reference"),
    ]
    data = data_of(llm.requests[0].messages)
    assert list(data) == ["contexts", "question", "statements"]
    assert data["question"] == SAMPLE.user_input


def test_context_recall_takes_a_reference_without_full_stop_as_one_sentence() -> None:
    llm = critic(Verdicts={"verdicts": verdicts(1)})
    assert score("context_recall", llm, replace(SAMPLE, reference="Warsaw")).value == 1.0


@pytest.mark.parametrize(("first", "second", "expected"), [(0, 0, 0.0), (1, 2, 0.75), (2, 2, 1.0), (1, 0, 0.25)])
@pytest.mark.parametrize("metric", ["context_relevancy", "response_groundedness"])
def test_two_judges_are_averaged(metric: str, first: int, second: int, expected: float) -> None:
    llm = ScriptedCritic([{"reason": "one", "rating": first}, {"reason": "two", "rating": second}])
    result = score(metric, llm)
    assert result.value == expected
    assert result.reason == f"the two judges give {first} and {second} of 2"
    assert [(each.part, each.value, each.reason) for each in result.evidence] == [
        ("judge 1", first / 2, "one"),
        ("judge 2", second / 2, "two"),
    ]
    instructions = {request.messages[0].content for request in llm.requests}
    assert len(instructions) == 2, "the judges must not be one judge asked twice"


def test_contexts_that_only_repeat_the_question_are_irrelevant_without_a_call() -> None:
    sample = replace(SAMPLE, retrieved_contexts=["Where was Marie Curie born,"])
    result = score("context_relevancy", critic(), sample)
    assert (result.value, result.reason) == (0.0, "the contexts only repeat the question")


def test_context_relevancy_of_the_paper_is_the_share_of_helpful_sentences() -> None:
    sample = replace(SAMPLE, retrieved_contexts=["Curie was born in Warsaw. It lies on the Vistula.", "It rains."])
    llm = critic(RelevantSentences={"reason": "only the first says where", "numbers": [1]})
    result = score("context_relevancy", llm, sample, method="sentences")
    assert result.value == pytest.approx(1 / 3)
    assert result.reason == "1 of 3 sentences of the contexts help to answer the question"
    assert findings(result)[2] == ("sentence", "It rains.", 0.0, "only the first says where", "")
    assert [each["text"] for each in data_of(llm.requests[0].messages)["sentences"]] == [
        "Curie was born in Warsaw.",
        "It lies on the Vistula.",
        "It rains.",
    ]


def correctness(response: list[int], reference: list[int]) -> ScriptedCritic:
    return critic(
        Statements=statements_by_text,
        Correctness={"response_verdicts": verdicts(*response), "reference_verdicts": verdicts(*reference)},
    )


def test_answer_correctness_weighs_f1_and_similarity() -> None:
    # TP 2, FP 1, FN 1: precision 2/3, recall 2/3
    result = score("answer_correctness", correctness([1, 1, 0], [1, 0]), embeddings=same_direction(0.6))
    assert result.value == pytest.approx(0.75 * (2 / 3) + 0.25 * 0.6)
    assert result.reason == "2 of 3 statements right, 1 of 2 of the reference missing; cosine 0.600"
    assert [(each.part, each.value) for each in result.evidence] == [
        ("true positive", 1),
        ("true positive", 1),
        ("false positive", 0),
        ("reference", 1),
        ("false negative", 0),
        ("response", pytest.approx(0.6)),
    ]


def test_answer_correctness_with_weights_of_its_own() -> None:
    # TP 1, FP 2, FN 0: precision 1/3, recall 1
    result = score("answer_correctness", correctness([1, 0, 0], [1, 1]), weights=[1, 0], beta=2)
    assert result.value == pytest.approx(5 * (1 / 3) * 1 / (4 * (1 / 3) + 1))
    assert result.reason == "1 of 3 statements right, 0 of 2 of the reference missing"
    result = score(
        "answer_correctness", correctness([0, 0, 0], [1, 1]), embeddings=same_direction(-0.5), weights=[1, 3]
    )
    assert result.value == 0.0


def test_weights_need_not_add_up_to_1() -> None:
    # TP 1, FP 2, FN 0: F1 1/2
    result = score("answer_correctness", correctness([1, 0, 0], [1, 1]), embeddings=same_direction(0.6), weights=[1, 3])
    assert result.value == pytest.approx((1 * 0.5 + 3 * 0.6) / 4)


def claims(data: dict[str, Any]) -> dict[str, Any]:
    return {"claims": SAID if data["text"] == SAMPLE.response else EXPECTED}


def directions(response: list[int], reference: list[int]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def reply(data: dict[str, Any]) -> dict[str, Any]:
        return {"verdicts": verdicts(*(response if data["contexts"] == [SAMPLE.reference] else reference))}

    return reply


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # TP 2, FP 1, FN 1
        ({}, 0.67),
        ({"mode": "precision"}, 0.67),
        ({"mode": "recall"}, 0.67),
        ({"beta": 2.0}, 0.67),
    ],
)
def test_factual_correctness_rounds_to_two_digits_like_ragas(options: dict[str, Any], expected: float) -> None:
    llm = critic(Claims=claims, Verdicts=directions([1, 1, 0], [0, 1]))
    result = score("factual_correctness", llm, **options)
    assert result.value == expected
    both = options.get("mode") != "precision"
    assert len(llm.requests) == (4 if both else 2)
    assert result.reason == "2 of 3 claims of the response supported by the reference" + (
        ", 1 of 2 of the reference by the response" if both else ""
    )
    assert [each.part for each in result.evidence] == ["response"] * 3 + ["reference"] * 2 * both


def test_factual_correctness_modes_differ_where_the_directions_do() -> None:
    def reply() -> ScriptedCritic:
        return critic(Claims=claims, Verdicts=directions([1, 0, 0], [1, 1]))

    # TP 1, FP 2, FN 0
    assert score("factual_correctness", reply()).value == 0.5
    assert score("factual_correctness", reply(), mode="precision").value == 0.33
    assert score("factual_correctness", reply(), mode="recall").value == 1.0
    assert score("factual_correctness", reply(), beta=2.0).value == pytest.approx(round(5 / 3 / (4 / 3 + 1), 2))
    nothing_right = critic(Claims=claims, Verdicts=directions([0, 0, 0], [0, 0]))
    assert score("factual_correctness", nothing_right).value == 0.0


def test_atomicity_and_coverage_go_into_the_request() -> None:
    llm = critic(Claims=claims, Verdicts=directions([1, 1, 1], [1, 1]))
    score("factual_correctness", llm, atomicity="high", coverage="high")
    assert data_of(llm.requests[0].messages) == {"atomicity": "high", "coverage": "high", "text": SAMPLE.response}


@pytest.mark.parametrize(("cosine", "expected"), [(1.0, 1.0), (0.25, 0.25), (0.0, 0.0), (-0.5, 0.0)])
def test_answer_similarity_is_the_cosine_and_never_below_0(cosine: float, expected: float) -> None:
    result = score("answer_similarity", critic(), embeddings=same_direction(cosine))
    assert result.value == pytest.approx(expected)
    assert result.reason == f"cosine {cosine:.3f} between response and reference"
    assert result.evidence == (
        Finding(kind="similarity", text=SAMPLE.response or "", value=result.value, part="response"),
    )


class Noise:
    """Verdicts for noise_sensitivity: rows are statements (two of the reference, three of the response)."""

    def __init__(self, matrix: list[list[int]], right: list[int]) -> None:
        self.matrix, self.right = matrix, right

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["contexts"] == [SAMPLE.reference]:
            return {"verdicts": verdicts(*self.right)}
        [context] = data["contexts"]
        return {"verdicts": verdicts(*(row[CONTEXTS.index(context)] for row in self.matrix))}


NOISE = Noise(
    matrix=[
        [1, 0, 0],  # reference 1: context 1 is relevant
        [0, 0, 0],  # reference 2
        [1, 0, 0],  # response 1, right
        [1, 1, 0],  # response 2, wrong: from the relevant context 1 (and an irrelevant one)
        [0, 1, 1],  # response 3, wrong: from the irrelevant contexts 2 and 3 alone
    ],
    right=[1, 0, 0],
)


@pytest.mark.parametrize(
    ("options", "blamed", "reason"),
    [
        ({}, 1, "1 of 3 statements wrong, from relevant contexts"),
        ({"mode": "irrelevant"}, 2, "1 of 3 statements wrong, from irrelevant contexts alone"),
    ],
)
def test_noise_sensitivity_is_the_share_of_misled_statements(options: dict[str, Any], blamed: int, reason: str) -> None:
    llm = critic(Statements=statements_by_text, Verdicts=NOISE)
    result = score("noise_sensitivity", llm, **options)
    assert result.value == pytest.approx(1 / 3)
    assert result.reason == reason
    assert not result.higher_is_better
    assert [each.bad for each in result.evidence] == [index == blamed for index in range(3)]
    ranks = "1" if blamed == 1 else "2, 3"
    assert result.evidence[blamed].reason == f"from context {ranks}, not in the reference: because {blamed + 1}"


def test_noise_sensitivity_is_0_where_everything_is_right() -> None:
    llm = critic(Statements=statements_by_text, Verdicts=Noise(NOISE.matrix, [1, 1, 1]))
    assert score("noise_sensitivity", llm).value == 0.0


def test_a_blank_context_misleads_nobody_and_costs_no_call() -> None:
    llm = critic(Statements=statements_by_text, Verdicts=NOISE)
    assert score("noise_sensitivity", llm, replace(SAMPLE, retrieved_contexts=[*CONTEXTS, " "])).value == 1 / 3
    assert len(llm.requests) == 2 + len(CONTEXTS) + 1


def test_context_entity_recall_compares_entities_in_any_case() -> None:
    named = {
        SAMPLE.reference: ["Marie Curie", "Warsaw", "warsaw", "1867"],
        "\n".join(CONTEXTS): ["MARIE  CURIE", "Warsaw"],
    }
    result = score("context_entity_recall", critic(Entities=lambda data: {"entities": named[data["text"]]}))
    assert result.value == pytest.approx(2 / 3)
    assert result.reason == "the contexts name 2 of 3 entities of the reference"
    assert findings(result)[2] == ("entity", "1867", 0.0, "the contexts do not name it", "reference")


def test_context_entity_recall_is_0_where_the_contexts_name_none() -> None:
    named = {SAMPLE.reference: ["Warsaw"], "\n".join(CONTEXTS): []}
    assert score("context_entity_recall", critic(Entities=lambda data: {"entities": named[data["text"]]})).value == 0.0


# ---- nothing to judge ---------------------------------------------------------------------------------------

NEEDS = {
    "faithfulness": "response retrieved_contexts",
    "answer_relevancy": "response",
    "context_precision": "reference retrieved_contexts",
    "context_precision_without_reference": "response retrieved_contexts",
    "context_recall": "reference retrieved_contexts",
    "context_relevancy": "retrieved_contexts",
    "answer_correctness": "response reference",
    "factual_correctness": "response reference",
    "answer_similarity": "response reference",
    "noise_sensitivity": "response reference retrieved_contexts",
    "context_entity_recall": "reference retrieved_contexts",
    "response_groundedness": "response retrieved_contexts",
}


@pytest.mark.parametrize("blank", ["", "  \n"])
@pytest.mark.parametrize(("metric", "field"), [(metric, field) for metric, fs in NEEDS.items() for field in fs.split()])
def test_an_empty_field_is_nothing_to_judge_and_costs_no_call(metric: str, field: str, blank: str) -> None:
    value = ([blank] if blank else []) if field == "retrieved_contexts" else blank
    model = Obliging()
    with pytest.raises(NothingToJudgeError) as error:
        score(metric, model, replace(SAMPLE, **{field: value}), embeddings=model)
    verb = "are" if field == "retrieved_contexts" else "is"
    start = f"{metric} of row 'r1' (testset.json row 1): the {field} {verb} empty. "
    assert str(error.value).startswith(start)
    assert len(str(error.value)) > len(start), "the mend is missing"
    assert model.asked == []
    assert model.embedded == []


@pytest.mark.parametrize(
    ("metric", "title", "what", "field"),
    [
        ("faithfulness", "Statements", "statement", "response"),
        ("answer_correctness", "Statements", "statement", "response"),
        ("noise_sensitivity", "Statements", "statement", "reference"),
        ("factual_correctness", "Claims", "claim", "response"),
        ("context_entity_recall", "Entities", "entity", "reference"),
    ],
)
def test_a_text_in_which_the_critic_finds_nothing_is_nothing_to_judge(
    metric: str, title: str, what: str, field: str
) -> None:
    llm = critic(**{title: {title.lower(): [" "]}})
    with pytest.raises(NothingToJudgeError) as error:
        score(metric, llm, embeddings=same_direction())
    assert str(error.value) == (
        f"{metric} of row 'r1' (testset.json row 1): the critic LLM found no {what} in the {field}, "
        "so there is nothing to judge."
    )


def test_every_score_of_an_obliging_critic_is_finite_and_explained() -> None:
    for metric in NEEDS:
        model = Obliging()
        result = score(metric, model, embeddings=model)
        assert math.isfinite(result.value)
        assert result.metric == metric
        assert result.reason
        assert "\n" not in result.reason
        assert result.evidence


def test_non_latin_text_is_cut_into_sentences_and_sent_as_it_is() -> None:
    sample = Sample(
        user_input="她在哪里出生？",
        reference="她出生于华沙。那是1867年。",
        retrieved_contexts=["玛丽·居里出生于华沙。"],
    )
    llm = critic(Verdicts={"verdicts": verdicts(1, 0)})
    assert score("context_recall", llm, sample).value == 0.5
    assert "她出生于华沙。" in llm.requests[0].messages[-1].content
