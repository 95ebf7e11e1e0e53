from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ragas.errors import ConfigurationError, ModelError, NothingToJudgeError, UnknownNameError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.embedded.note import NOTE
from pytest_ragas.metrics.embedded.specs import SPECS
from pytest_ragas.values.model import EmbeddedCritic, ModelIdentity
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

NAMES = [spec.name for spec in SPECS]

BASE = Sample(
    id="r1",
    source="testset.json row 7",
    user_input="When was the lighthouse built?",
    response="The lighthouse was built in 1874 by Ada Norton.",
    reference="The lighthouse was built in 1874 by Ada Norton.",
    retrieved_contexts=["The lighthouse was built in 1874 by Ada Norton. It is 40 metres high."],
)


class Vectors:
    """Embeddings that look texts up."""

    identity = ModelIdentity(provider="test", name="vectors")

    def __init__(self, **vectors: Sequence[float]) -> None:
        self.vectors = vectors

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [self.vectors[text] for text in texts]

    async def aclose(self) -> None:
        pass


def score(name: str, sample: Sample, embeddings: Any = None) -> Score:
    built = registry().build(name, critic=EmbeddedCritic(), embeddings=embeddings)
    return asyncio.run(built.metric.score(sample))


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_scores_a_good_row_high_with_evidence(name: str) -> None:
    got = score(name, BASE)
    assert got.metric == name
    assert got.value >= 0.99
    assert got.evidence
    assert got.reason


@pytest.mark.parametrize("name", NAMES)
def test_a_name_may_say_the_backend(name: str) -> None:
    built = registry().build(f"embedded:{name}", critic=EmbeddedCritic())
    assert asyncio.run(built.metric.score(BASE)).metric == f"embedded:{name}" == built.name


def test_every_spec_says_what_it_is() -> None:
    for spec in SPECS:
        assert spec.backend == "embedded"
        assert spec.uses == frozenset()
        assert "heuristic on the wording" in spec.summary
        assert spec.version
    assert "heuristic on the wording" in NOTE
    assert "\n" not in NOTE


@pytest.mark.parametrize("name", ["noise_sensitivity", "factual_correctness", "context_entity_recall"])
def test_what_it_cannot_measure_is_an_error_that_says_so(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} is judged by an LLM.*embedded.*measures wording"):
        registry().build(name, critic=EmbeddedCritic())
    with pytest.raises(UnknownNameError):
        registry().build(f"embedded:{name}", critic=EmbeddedCritic())


def test_faithfulness_is_the_mean_of_its_sentences() -> None:
    got = score("faithfulness", replace(BASE, response="The lighthouse was built in 1874. Rockets fly. Yes."))
    assert got.value == pytest.approx(0.5)
    assert [(finding.text, finding.value, finding.bad) for finding in got.evidence] == [
        ("The lighthouse was built in 1874.", 1.0, False),
        ("Rockets fly.", 0.0, True),
    ]
    assert got.reason == "the wording of the contexts carries 1 of 2 sentences of the response"
    assert all(finding.kind == "sentence" and finding.part == "response" for finding in got.evidence)


def test_the_evidence_names_what_is_missing_and_the_nearest_passage() -> None:
    got = score("faithfulness", replace(BASE, response="The lighthouse was not built in 1921 by Ada Norton."))
    [finding] = got.evidence
    assert finding.reason == (
        "not in the nearest passage: 1921; number missing: 1921; one negates, the other does not; "
        "nearest: 'The lighthouse was built in 1874 by Ada Norton. It is 40 metres high.'"
    )
    [nothing] = score("faithfulness", replace(BASE, response="Rockets fly.")).evidence
    assert nothing.reason == "none of its content words occurs"


def test_the_evidence_stays_short() -> None:
    sample = replace(
        BASE,
        response="Lighthouse " + " ".join(f"word{letter}" for letter in "abcdefghij") + ".",
        retrieved_contexts=["The lighthouse " + "is very very " * 40 + "old."],
    )
    [finding] = score("faithfulness", sample).evidence
    assert "worda, wordb, wordc, wordd, worde, wordf and 4 more" in finding.reason
    assert len(finding.reason) < 350
    [context] = score("context_precision_without_reference", sample).evidence
    assert len(context.text) <= 300


def test_response_groundedness_is_the_same_measure() -> None:
    sample = replace(BASE, response="The tower was built in 1900. Ada Norton paid.")
    assert score("response_groundedness", sample).value == score("faithfulness", sample).value


def test_context_recall_asks_for_the_reference() -> None:
    sample = replace(BASE, response="Rockets fly.", reference="It is 40 metres high. Rockets fly.")
    got = score("context_recall", sample)
    assert got.value == pytest.approx(0.5)
    assert [finding.part for finding in got.evidence] == ["reference", "reference"]


@pytest.mark.parametrize(
    ("useful", "expected"),
    [
        ([1, 0, 0], 1.0),
        ([0, 1, 0], 1 / 2),
        ([0, 0, 1], 1 / 3),
        ([1, 0, 1], (1 + 2 / 3) / 2),
        ([0, 1, 1], (1 / 2 + 2 / 3) / 2),
        ([0, 0, 0], 0.0),
    ],
)
@pytest.mark.parametrize("name", ["context_precision", "context_precision_without_reference"])
def test_context_precision_is_the_average_over_the_useful_ranks(name: str, useful: list[int], expected: float) -> None:
    contexts = ["The lighthouse was built in 1874 by Ada Norton." if hit else "Rockets fly." for hit in useful]
    sample = replace(BASE, retrieved_contexts=contexts)
    other = "response" if name == "context_precision" else "reference"
    got = score(name, replace(sample, **{other: "Something else entirely"}))
    assert got.value == pytest.approx(expected)
    assert [finding.value for finding in got.evidence] == useful
    assert all(finding.kind == "context" for finding in got.evidence)


def test_a_context_that_holds_one_sentence_of_the_reference_is_useful() -> None:
    sample = replace(BASE, reference="It is 40 metres high. Rockets fly. Cats sleep. Dogs bark. Birds sing.")
    assert score("context_precision", sample).value == 1.0


def test_context_precision_does_not_fail_on_a_blank_context() -> None:
    sample = replace(BASE, retrieved_contexts=["", *(BASE.retrieved_contexts or ())])
    assert score("context_precision", sample).value == pytest.approx(1 / 2)


def test_answer_correctness_is_the_f1_of_both_directions() -> None:
    got = score("answer_correctness", replace(BASE, response="Cats sleep.", reference="Cats sleep. Dogs bark."))
    # all of the response is in the reference, one of two sentences of the reference in the response
    assert got.value == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert [(finding.part, finding.value) for finding in got.evidence] == [
        ("response", 1.0),
        ("reference", 1.0),
        ("reference", 0.0),
    ]
    assert score("answer_correctness", replace(BASE, response="Rockets fly.")).value == 0.0


def test_answer_relevancy_is_the_share_of_the_question_that_is_taken_up() -> None:
    sample = Sample(
        user_input="What is the refund period for opened software?", response="The refund period is 30 days."
    )
    got = score("answer_relevancy", sample)
    assert got.value == pytest.approx(2 / 4)
    [finding] = got.evidence
    assert (finding.kind, finding.text) == ("question", sample.user_input)
    assert finding.reason == "taken up: refund, period; not: opened, software"


def test_a_short_answer_takes_up_what_its_passage_does() -> None:
    short = replace(BASE, response="Ada Norton", retrieved_contexts=None)
    assert score("answer_relevancy", short).value == 0.0
    assert score("answer_relevancy", replace(short, retrieved_contexts=BASE.retrieved_contexts)).value == 1.0
    assert score("answer_relevancy", replace(short, retrieved_contexts=[])).value == 0.0
    elsewhere = ["The lighthouse was built long ago.", "It rained.", "Ada Norton was a painter."]
    assert score("answer_relevancy", replace(short, retrieved_contexts=elsewhere)).value == 0.0


def test_answer_relevancy_takes_embeddings_only_where_they_are_given() -> None:
    sample = Sample(user_input="u", response="r")
    assert score("answer_relevancy", sample, Vectors(u=(1, 0), r=(3, 4))).value == pytest.approx(0.6)
    assert score("answer_relevancy", sample, Vectors(u=(1, 0), r=(-3, 4))).value == 0.0
    assert "wording" in score("answer_relevancy", sample).reason
    with pytest.raises(ModelError):
        score("answer_relevancy", sample, Vectors(u=(1, 0), r=(0, 0)))


def test_answer_similarity_needs_embeddings_under_this_critic_too() -> None:
    sample = Sample(user_input="u", response="u", reference="r")
    assert score("answer_similarity", sample, Vectors(u=(1, 0), r=(3, 4))).value == pytest.approx(0.6)
    with pytest.raises(ConfigurationError, match="embeddings"):
        score("answer_similarity", sample)


def test_context_relevancy_is_that_of_the_best_context() -> None:
    sample = replace(BASE, retrieved_contexts=["Rockets fly.", "A lighthouse.", "They built it."])
    got = score("context_relevancy", sample)
    assert got.value == pytest.approx(1 / 2)
    assert [finding.value for finding in got.evidence] == [0.0, 1 / 2, 1 / 2]


@pytest.mark.parametrize(("name", "field"), [(spec.name, field) for spec in SPECS for field in sorted(spec.needs)])
@pytest.mark.parametrize("text", ["", " \n ", "Yes, it is."])
def test_nothing_to_judge_is_an_error_that_names_the_row(name: str, field: str, text: str) -> None:
    value: Any = text
    if field == "retrieved_contexts":
        value = [] if text else [" \n "]  # contexts may have no content words: then they carry nothing
    with pytest.raises(NothingToJudgeError) as caught:
        score(name, replace(BASE, **{field: value}))
    message = str(caught.value)
    assert name in message
    assert field in message
    assert "row 'r1' (testset.json row 7)" in message


def test_contexts_without_words_are_nothing_to_judge_by() -> None:
    with pytest.raises(NothingToJudgeError, match="hold no words"):
        score("faithfulness", replace(BASE, retrieved_contexts=["…", "!!"]))


TEXT = st.text(max_size=60)


@given(
    st.sampled_from(NAMES),
    st.builds(
        Sample,
        user_input=TEXT,
        response=TEXT | st.none(),
        reference=TEXT | st.none(),
        retrieved_contexts=st.lists(TEXT, max_size=3),
        id=st.just("x"),
    ),
)
@settings(deadline=None, max_examples=200)
def test_any_row_gives_a_score_or_says_that_there_is_nothing_to_judge(name: str, sample: Sample) -> None:
    try:
        got = score(name, sample)
    except NothingToJudgeError:
        return
    assert math.isfinite(got.value)
    assert 0.0 <= got.value <= 1.0
    assert all(0.0 <= finding.value <= 1.0 for finding in got.evidence)
    assert Score.from_json(got.to_json()) == got
