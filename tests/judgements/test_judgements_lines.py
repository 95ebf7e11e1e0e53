"""Judgements as lines: round trips, merging with cat, and files that people have touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judgements_made import answer, score

from pytest_ragas.judgements.judgement import KINDS, Judgement
from pytest_ragas.judgements.lines import LineProblem, key_of, line_of, numbered, read_line, sorted_text

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # halves of surrogate pairs too
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.text("0123456789abcdef", min_size=32, max_size=32)
JUDGEMENTS = st.builds(
    Judgement,
    kind=st.sampled_from(KINDS),
    key=KEYS,
    metric=TEXTS,
    sample=TEXTS,
    request=st.dictionaries(TEXTS, JSON, max_size=4),
    content=JSON,
    answers=st.lists(KEYS, max_size=3).map(tuple),
)


@given(JUDGEMENTS)
def test_a_judgement_is_one_line_that_reads_back_as_itself(judgement: Judgement) -> None:
    line = line_of(judgement)
    raw = line.encode("utf-8")
    assert b"\n" not in raw
    assert read_line(raw) == judgement
    assert key_of(raw) == judgement.key
    assert line_of(read_line(line)) == line


@given(st.lists(JUDGEMENTS, max_size=6))
def test_a_sorted_file_does_not_depend_on_the_order_of_judging(judgements: list[Judgement]) -> None:
    unique = list({judgement.key: judgement for judgement in judgements}.values())
    text = sorted_text(unique)
    assert sorted_text(unique[::-1]) == text
    read = [read_line(line) for _, line in numbered(text.encode("utf-8"))]
    assert sorted(read, key=Judgement.order) == read
    assert {judgement.key: judgement for judgement in read} == {judgement.key: judgement for judgement in unique}


def test_the_line_is_what_other_programs_may_rely_on() -> None:
    line = line_of(score(7, sample="größe", answers=("a" * 32,)))
    assert line.startswith(
        '{"format":1,"key":"00000000000000000000000000000007","kind":"score","metric":"faithfulness"'
    )
    assert '"sample":"größe"' in line
    assert list(json.loads(line)) == ["format", "key", "kind", "metric", "sample", "content", "request", "answers"]


def test_scores_come_first_and_a_metric_stays_together() -> None:
    rows = [answer(1), score(2, metric="b"), score(3, metric="a", sample="q2"), score(4, metric="a", sample="q1")]
    keys = [key_of(line) for _, line in numbered(sorted_text(rows).encode())]
    assert [int(key, 16) for key in keys] == [4, 3, 2, 1]


def test_lines_that_an_editor_or_git_rewrote_are_read() -> None:
    reordered = json.dumps(dict(reversed(json.loads(line_of(score(1))).items())), indent=None)
    data = "\ufeff" + line_of(score(2)) + "\r\n\r\n  " + reordered + "\r\n"
    lines = [line for _, line in numbered(data.encode())]
    assert [key_of(line) for line in lines] == [score(2).key, score(1).key]
    assert read_line(lines[1]) == score(1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("<<<<<<< HEAD", "a merge was not resolved"),
        (line_of(score(1))[:60], "is no JSON"),
        ("[1, 2]", "no judgement of pytest-ragas"),
        ('{"format":1,"key":"xyz","kind":"score","content":1,"request":{}}', "no judgement of pytest-ragas"),
        ('{"format":1,"key":"' + "a" * 32 + '","kind":"verdict","content":1,"request":{}}', "no judgement"),
        ('{"key":"' + "a" * 32 + '","kind":"score","content":1,"request":{}}', "no judgement"),
        ('{"format":2,"key":"' + "a" * 32 + '"}', "of format 2, and this pytest-ragas reads up to 1. Upgrade"),
    ],
)
def test_a_line_that_is_none_says_why(line: str, message: str) -> None:
    with pytest.raises(LineProblem, match=message):
        read_line(line)
