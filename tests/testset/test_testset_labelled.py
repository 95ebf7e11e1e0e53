"""What a label may be, and which column is whose."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.errors import TestsetError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.testset.labelled import LabelledSet, load_labelled, read_label

CANONICAL = registry().canonical


def load(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> LabelledSet:
    path = tmp_path / "labelled.json"
    path.write_text(json.dumps([{"user_input": f"q{n}", **row} for n, row in enumerate(rows)]))
    return load_labelled([str(path)], canonical=CANONICAL, **options)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0), (0, 0.0), (0.25, 0.25), (True, 1.0), (False, 0.0), ("1", 1.0), (" 0.5 ", 0.5), ("YES", 1.0),
        ("n", 0.0), ("Good", 1.0), ("bad", 0.0), ("passed", 1.0), ("fail", 0.0), ("", None), ("  ", None), (None, None),
    ],
)  # fmt: skip
def test_labels(value: object, expected: float | None) -> None:
    assert read_label(value) == expected


@pytest.mark.parametrize("value", [2, -1, 1.01, "5", "nan", "inf", math.nan, "maybe", [1], {"a": 1}])
def test_what_is_no_label(value: object) -> None:
    with pytest.raises(ValueError, match="where a label must be: 1 for good, 0 for bad, or between them"):
        read_label(value)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.lists(st.integers()), st.none(), st.booleans()))
def test_any_value_is_a_label_or_says_why_not(value: object) -> None:
    try:
        label = read_label(value)
    except ValueError:
        return
    assert label is None or 0 <= label <= 1


@pytest.mark.parametrize(
    ("column", "metric"),
    [
        ("faithfulness", "faithfulness"),
        ("Faithfulness", "faithfulness"),
        ("human_faithfulness", "faithfulness"),
        ("label_answer_relevancy", "answer_relevancy"),
        ("context_recall_label", "context_recall"),
        ("Context Recall Human", ""),
        ("noise_sensitivity_human", "noise_sensitivity"),
        ("faithful", "faithfulness"),
        ("human_faithful", "faithfulness"),
        ("correct", "answer_correctness"),
        ("ragas:faithfulness", "ragas:faithfulness"),
        ("reviewer", ""),
    ],
)
def test_columns_by_their_names(tmp_path: Path, column: str, metric: str) -> None:
    if metric:
        found = load(tmp_path, {column: 1}, {column: 0})
        assert found.columns == {metric: column}
        assert [row.labels for row in found.rows] == [{metric: 1.0}, {metric: 0.0}]
        assert all(column not in row.sample.metadata for row in found.rows)
    else:
        with pytest.raises(TestsetError, match="no column holds labels of a metric"):
            load(tmp_path, {column: 1})


def test_what_people_say_comes_before_a_column_of_scores(tmp_path: Path) -> None:
    row = {"faithfulness": 0.73, "faithful": 0, "human_faithfulness": 1, "note": "x"}
    assert load(tmp_path, row).columns == {"faithfulness": "human_faithfulness"}
    assert load(tmp_path, row, columns={"faithfulness": "faithful"}).rows[0].labels == {"faithfulness": 0.0}
    assert load(tmp_path, row).rows[0].sample.metadata["note"] == "x"


def test_labels_in_an_object_and_their_problems(tmp_path: Path) -> None:
    found = load(tmp_path, {"labels": {"Faithfulness": True, "correct": None}}, {"labels": {"faithfulness": 0}})
    assert [row.labels for row in found.rows] == [{"faithfulness": 1.0}, {"faithfulness": 0.0}]
    with pytest.raises(
        TestsetError, match=r"Cannot use 2 labels of .*\n  .* row 1, labels: Unknown metric 'faithfullness'"
    ):
        load(tmp_path, {"labels": {"faithfullness": 1, "faithfulness": 7}})


def test_one_metric_of_several(tmp_path: Path) -> None:
    rows = [{"faithful": 1, "relevant": 0}, {"relevant": 1}]
    found = load(tmp_path, *rows, metrics=["answer_relevancy"])
    assert [row.labels for row in found.rows] == [{"answer_relevancy": 0.0}, {"answer_relevancy": 1.0}]
    assert load(tmp_path, *rows, metrics=["faithfulness"]).unlabelled == 1
    with pytest.raises(TestsetError, match="no row has a label for context_recall"):
        load(tmp_path, *rows, metrics=["faithfulness", "context_recall"])


def test_bad_rows_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(TestsetError, match=r"(?s)2 bad rows.*row 1.*row 3"):
        load(tmp_path, {"user_input": 3}, {"faithful": 1}, {"retrieved_contexts": 7})
