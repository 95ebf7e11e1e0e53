"""One row to a sample: names, types, conflicts, and the words for what is wrong."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from testset_rows import samples

from pytest_ragas.errors import TestsetError
from pytest_ragas.testset.rows import sample_from_row
from pytest_ragas.values.sample import Sample, stable_id


def read(**row: Any) -> Sample:
    return sample_from_row(row, source="testset.json row 7")


def test_new_and_old_names_are_read_mixed() -> None:
    sample = read(question="q", response="a", contexts=["c"], ground_truth="g", reference_contexts=["r"])
    assert sample == Sample(
        user_input="q",
        response="a",
        retrieved_contexts=["c"],
        reference="g",
        reference_contexts=["r"],
        source="testset.json row 7",
    )


def test_one_text_stands_for_a_list_of_one() -> None:
    sample = read(user_input="q", contexts="c", reference_contexts="r", retrieved_context_ids=7)
    assert sample.retrieved_contexts == ("c",)
    assert sample.reference_contexts == ("r",)
    assert sample.retrieved_context_ids == ("7",)


def test_null_is_not_given_and_empty_is_given() -> None:
    sample = read(user_input="q", response="", retrieved_contexts=[], reference=None, ground_truths=[])
    assert sample.response == ""
    assert sample.retrieved_contexts == ()
    assert sample.reference is None


@pytest.mark.parametrize("value", ["g", ["g"]])
def test_ground_truths_is_a_list_of_one_reference(value: object) -> None:
    assert read(user_input="q", ground_truths=value).reference == "g"


def test_numbers_that_are_names_become_text() -> None:
    sample = read(user_input="q", id=12, retrieved_context_ids=[1, 2.0, "c"], tags=[2024])
    assert (sample.id, sample.retrieved_context_ids, sample.tags) == ("12", ("1", "2", "c"), ("2024",))


def test_tags_are_a_list_or_a_text_with_commas() -> None:
    assert read(user_input="q", tags=["a, b", "c"]).tags == ("a, b", "c")
    assert read(user_input="q", tags=" a, b ,,c").tags == ("a", "b", "c")


def test_other_columns_become_metadata_beside_what_is_given_as_such() -> None:
    sample = read(
        user_input="q", evolution_type="simple", source="wiki", metadata={"author": "x", "evolution_type": "simple"}
    )
    assert sample.metadata == {"evolution_type": "simple", "source": "wiki", "author": "x"}
    assert sample.source == "testset.json row 7"


def test_the_id_is_given_or_of_question_and_reference_alone() -> None:
    assert read(user_input="q", id="mine").id == "mine"
    expected = stable_id("q", "g")
    assert read(question="q", ground_truth="g", answer="a").id == expected
    assert read(user_input="q", reference="g", response="another", id="").id == expected


@pytest.mark.parametrize(
    "row",
    [
        {"question": "q", "user_input": "q"},
        {"user_input": "q", "contexts": "c", "retrieved_contexts": ["c"]},
        {"user_input": "q", "reference": "g", "ground_truth": None, "ground_truths": ["g"]},
        {"user_input": "q", "question": None},
        {"user_input": None, "question": "q"},
    ],
)
def test_both_names_with_the_same_value_are_fine(row: dict[str, Any]) -> None:
    assert read(**row).user_input == "q"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": "a", "user_input": "b"}, r"question and user_input: both are given .*'a'.*'b'.*Keep one"),
        ({"user_input": "q", "contexts": ["c"], "retrieved_contexts": ["d"]}, r"contexts and retrieved_contexts: both"),
        ({"user_input": "q", "reference": "g", "ground_truths": ["h"]}, r"reference and ground_truths: both"),
        ({"user_input": "q", "x": 1, "metadata": {"x": 2}}, r"x and metadata\.x: both are given"),
    ],
)
def test_both_names_with_different_values_are_an_error(row: dict[str, Any], message: str) -> None:
    with pytest.raises(TestsetError, match=message):
        read(**row)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"user_input": "q", "response": 1967},
            r"response: found the number 1967; it must be one text\. Put it in quotes",
        ),
        ({"user_input": "q", "response": True}, r"response: found true"),
        (
            {"user_input": "q", "response": {}},
            r"response: found an empty object; it must be one text\. Write for example",
        ),
        ({"user_input": "q", "answer": float("nan")}, r"answer: found the number nan.*Write null"),
        ({"user_input": "q", "contexts": ["a", None]}, r"contexts\[1\]: found null inside the list"),
        ({"user_input": "q", "contexts": ["a", 3]}, r"contexts\[1\]: found the number 3; each entry must be a text"),
        ({"user_input": "q", "contexts": 3}, r"contexts: found the number 3; it must be a list of texts"),
        ({"user_input": "q", "ground_truth": ["a"]}, r"ground_truth: found a list of 1; a row has one reference"),
        (
            {"user_input": "q", "ground_truths": ["a", "b"]},
            r"ground_truths: found a list of 2; a row has one reference",
        ),
        ({"user_input": "q", "id": 1.5}, r"id: found the number 1\.5; it must be a text or whole number"),
        ({"user_input": "q", "tags": [True]}, r"tags\[0\]: found true; each entry must be a text or whole number"),
        ({"user_input": "q", "metadata": "x"}, r"metadata: found the text 'x'; it must be an object"),
        ({"user_input": "q", "note": float("inf")}, r"note: found the number inf"),
        ({"user_input": "q", "note": {"when": datetime.date(2024, 1, 1)}}, r"note\.when: found a date"),
        ({"user_input": "q", "metadata": {"x": [float("nan")]}}, r"metadata\.x\[0\]: found the number nan"),
        ({"user_input": "\ud83d"}, r"user_input: found half of a character"),
        ({"user_input": "q", "contexts": ["a", "\ud83d"]}, r"contexts: found half of a character"),
        ({}, r"user_input: missing\. Every row needs .* its columns are: none"),
        ({"answer": "a"}, r"user_input: missing\. .* its columns are: 'answer'"),
        ({"question": None}, r"user_input: found null as question"),
        ({"Question": "q"}, r"user_input: missing\. Did you mean 'question' by the column 'Question'\?"),
        ({"user_imput": "q"}, r"Did you mean 'user_input' by the column 'user_imput'\?"),
    ],
)
def test_what_is_wrong_is_named_with_field_finding_and_mend(row: dict[str, Any], message: str) -> None:
    with pytest.raises(TestsetError, match=message) as caught:
        read(**row)
    assert str(caught.value).startswith("Cannot read testset.json row 7:\n")


def test_every_bad_field_is_named() -> None:
    with pytest.raises(TestsetError) as caught:
        read(question=3, answer=4, contexts=[5, 6])
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "answer",
        "contexts[0]",
        "contexts[1]",
        "question",
    ]


def test_what_is_no_row_is_said_to_be_none() -> None:
    with pytest.raises(TestsetError, match="found a list of 1 where a row must be an object of columns"):
        sample_from_row(["q"], source="row 1")  # type: ignore[arg-type]


def test_tuples_and_other_mappings_are_taken_from_python() -> None:
    from types import MappingProxyType

    row = MappingProxyType({"user_input": "q", "contexts": ("a", "b")})
    assert sample_from_row(row, source="x").retrieved_contexts == ("a", "b")


@settings(deadline=None)
@given(samples())
def test_a_sample_as_json_is_a_row_of_itself(sample: Sample) -> None:
    row = {name: value for name, value in sample.to_json().items() if name != "source"}
    assert sample_from_row(row, source="") == sample
