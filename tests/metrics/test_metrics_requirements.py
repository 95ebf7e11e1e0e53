"""A sample that lacks a field is refused by name, row and file before any call."""

from __future__ import annotations

import pytest
from metrics_judge import SAMPLE, critic

from pytest_ragas.errors import MissingFieldError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.requirements import check_fields, missing_fields
from pytest_ragas.protocols import MetricSpec
from pytest_ragas.values.sample import Sample


def spec(name: str) -> MetricSpec:
    return registry().resolve(name, critic=critic())


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("faithfulness", ("user_input", "response", "retrieved_contexts")),
        ("answer_relevancy", ("user_input", "response")),
        ("context_precision", ("user_input", "retrieved_contexts", "reference")),
        ("context_precision_without_reference", ("user_input", "response", "retrieved_contexts")),
        ("context_recall", ("user_input", "retrieved_contexts", "reference")),
        ("context_relevancy", ("user_input", "retrieved_contexts")),
        ("answer_correctness", ("user_input", "response", "reference")),
        ("factual_correctness", ("response", "reference")),
        ("answer_similarity", ("response", "reference")),
        ("noise_sensitivity", ("user_input", "response", "retrieved_contexts", "reference")),
        ("context_entity_recall", ("retrieved_contexts", "reference")),
        ("response_groundedness", ("response", "retrieved_contexts")),
    ],
)
def test_each_metric_declares_the_fields_it_needs(name: str, missing: tuple[str, ...]) -> None:
    assert missing_fields(Sample(), spec(name)) == missing
    assert missing_fields(SAMPLE, spec(name)) == ()
    check_fields(SAMPLE, spec(name))


def test_given_but_empty_is_not_missing() -> None:
    sample = Sample(user_input="Where?", response="", retrieved_contexts=[])
    assert missing_fields(sample, spec("faithfulness")) == ()


@pytest.mark.parametrize("user_input", ["", "  \n"])
def test_a_blank_question_is_missing(user_input: str) -> None:
    sample = Sample(user_input=user_input, response="x", retrieved_contexts=["x"])
    assert missing_fields(sample, spec("faithfulness")) == ("user_input",)


def test_a_need_that_is_no_field_is_looked_up_in_the_metadata() -> None:
    custom = MetricSpec(
        name="rubric",
        backend="native",
        needs=frozenset({"response", "rubrics"}),
        uses=frozenset(),
        factory=lambda context: pytest.fail("not built here"),
        version="1",
        summary="",
    )
    assert missing_fields(Sample(response="x"), custom) == ("rubrics",)
    assert missing_fields(Sample(response="x", metadata={"rubrics": {"1": "bad"}}), custom) == ()


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (
            Sample(id="r7", source="testset.json row 7", user_input="Where?", response="Here."),
            "faithfulness needs retrieved_contexts, which row 'r7' (testset.json row 7) does not have. "
            "Record it in the test: ragas_sample.record(retrieved_contexts=[...]), or add it to the testset.",
        ),
        (
            Sample(id="r7", user_input="Where?"),
            "faithfulness needs response and retrieved_contexts, which row 'r7' does not have. "
            "Record them in the test: ragas_sample.record(response=..., retrieved_contexts=[...]), "
            "or add them to the testset.",
        ),
    ],
)
def test_the_error_names_metric_field_row_file_and_mend(sample: Sample, message: str) -> None:
    with pytest.raises(MissingFieldError) as error:
        check_fields(sample, spec("faithfulness"))
    assert str(error.value) == message


def test_a_reference_cannot_be_recorded_so_the_mend_is_the_testset() -> None:
    with pytest.raises(MissingFieldError, match=r"needs reference, which .* does not have\. Add it to the testset\."):
        check_fields(Sample(user_input="Where?", retrieved_contexts=["x"]), spec("context_recall"))
