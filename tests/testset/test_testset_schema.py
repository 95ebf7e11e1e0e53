"""The published schema of testsets, and the compiled check in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from testset_rows import cells, columns

from pytest_ragas.testset.aliases import CANONICAL, KINDS, OLD_NAMES
from pytest_ragas.testset.rows import read_row
from pytest_ragas.testset.schema import published_schema, row_check, row_problems, row_schema
from pytest_ragas.values.sample import Sample

rows = st.dictionaries(columns, cells, max_size=4) | st.dictionaries(columns, cells, max_size=3).map(
    lambda row: {**row, "user_input": "q"}
)


def test_it_is_a_valid_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(published_schema())


def test_every_column_that_is_read_is_published_and_described() -> None:
    published = published_schema()["$defs"]["row"]["properties"]
    assert list(published) == [*KINDS, *OLD_NAMES]
    assert all(column["description"] for column in published.values())
    assert published.keys() == published_schema()["$defs"]["columns"]["properties"].keys()


def test_every_field_of_a_sample_but_its_source_is_a_column() -> None:
    assert set(Sample.__dataclass_fields__) - {"source"} == set(KINDS)
    assert set(CANONICAL.values()) == set(KINDS)


@settings(deadline=None, max_examples=500)
@given(rows | cells)
def test_the_compiled_check_says_what_jsonschema_says(row: Any) -> None:
    assert row_check()(row) == Draft202012Validator(row_schema()).is_valid(row)


@settings(deadline=None, max_examples=500)
@given(rows | cells)
def test_a_row_is_refused_with_words_exactly_when_the_schema_refuses_it(row: Any) -> None:
    problems = row_problems(row)
    assert bool(problems) == (not row_check()(row))
    for field, text in problems:
        assert text.endswith("."), text
        assert not field or field.split("[")[0].split(".")[0] in CANONICAL


@settings(deadline=None, max_examples=500)
@given(rows | cells)
def test_what_the_schema_refuses_never_becomes_a_sample(row: Any) -> None:
    sample, problems = read_row(row, source="row 1")
    assert (sample is None) == bool(problems)
    if not Draft202012Validator(row_schema()).is_valid(row):
        assert problems


@settings(deadline=None, max_examples=200)
@given(st.lists(rows, max_size=3))
def test_a_list_of_good_rows_is_a_good_file(several: list[dict[str, Any]]) -> None:
    good = bool(several) and all(map(row_check(), several))
    assert Draft202012Validator(published_schema()).is_valid(several) == good


@pytest.mark.parametrize(
    ("document", "good"),
    [
        ({"question": ["a", "b"], "contexts": [["x"], "y"], "ground_truth": [None, "z"], "note": [1, 2]}, True),
        ({"question": ["a"], "reference": None}, True),
        ({"answer": ["a"]}, False),
        ({"question": "a"}, False),
        ({"question": ["a"], "contexts": [[3]]}, False),
        ([], False),
        ("a", False),
    ],
)
def test_both_shapes_of_a_file_are_published(document: Any, good: bool) -> None:
    assert Draft202012Validator(published_schema()).is_valid(document) == good


def test_the_file_in_the_package_is_plain_json_that_ends_in_a_line_end() -> None:
    from pytest_ragas.testset.schema import SCHEMA_FILE

    text = SCHEMA_FILE.read_text(encoding="utf-8")
    assert json.loads(text) == published_schema()
    assert text.endswith("}\n")
