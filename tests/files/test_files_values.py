"""JSON, YAML and TOML to values: what Python's readers would hide is told."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ragas.files.found import broken_text, found, not_json
from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem
from pytest_ragas.files.toml_text import parse_toml
from pytest_ragas.files.yaml_text import parse_yaml

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_integers_that_python_would_not_write_are_told() -> None:
    assert not_json({"a": [10**5000]}) == (".a[0]", "a number of very many digits")
    assert found(10**5000) == "a number of very many digits"
    assert not_json(10**4000) == ("", "")


@settings(deadline=None)
@given(json_values)
def test_not_json_agrees_with_the_strict_encoder(value: object) -> None:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:  # NaN, or half of a surrogate pair
        assert not_json(value)[1]
    else:
        assert not_json(value) == ("", "")


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ('{"a": [1, NaN]}', ".a[1]", "nan"),
        ('{"a": {"b": -Infinity}}', ".a.b", "-inf"),
        ('{"a": 1e999}', ".a", "inf"),
        ('{"a": {"x": 1, "y": 2, "x": 3}}', ".a", "'x' twice"),
        (r'{"a": "\ud83d"}', ".a", r"half of a character \(\\ud83d\) at position 0"),
    ],
)
def test_json_beyond_json_is_found_with_its_path(text: str, path: str, problem: str) -> None:
    where, what = not_json(parse_json(text))
    assert where == path
    assert re.search(problem, what)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,}', r"line 1, column \d"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "no valid JSON"),
        ("", "line 1, column 1"),
    ],
)
def test_bad_json_says_where(text: str, message: str) -> None:
    with pytest.raises(FileProblem, match=message):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", "no"),
        ("a: 2024-01-31", "2024-01-31"),
        ("a: 12:30", "12:30"),
        ("a: 007", "007"),
        ("a: =", "="),
        ("a: 1e3", "1e3"),
        ("a: true", True),
        ("a: 7", 7),
        ("a: -1.5", -1.5),
        ("a: ~", None),
    ],
)
def test_plain_yaml_scalars_are_what_their_author_meant(text: str, value: object) -> None:
    read = parse_yaml(text).value["a"]
    assert read == value
    assert type(read) is type(value)


def test_yaml_tells_the_line_of_each_item() -> None:
    assert parse_yaml("# rows\n- a: 1\n  b: 2\n\n- a: 3\n").item_lines == (2, 5)
    assert parse_yaml("a: [1]").item_lines == ()
    assert parse_yaml("  \n# nothing\n").value is None


def test_yaml_anchors_and_merges_are_no_doubled_keys() -> None:
    text = "- &a {x: 1, y: 2}\n- &b {<<: *a, y: 3}\n- {<<: *b, y: 4}\n- *a\n"
    assert parse_yaml(text).value == [{"x": 1, "y": 2}, {"x": 1, "y": 3}, {"x": 1, "y": 4}, {"x": 1, "y": 2}]


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"'a' stands twice in one mapping, again at line 3"),
        ("a: [1", "no valid YAML at line"),
        ("a: !!python/object:os.system x", "no valid YAML at line 1"),
        ("a: 1\n---\nb: 2", "no valid YAML at line 2"),
        ("a: \x07", "no valid YAML"),
        ("? [1, 2]\n: 3", "no valid YAML"),
        # libyaml has a bound of its own since 0.2.6, and may come to it first
        ("[" * 50_000, "more than 100 levels|maximum nesting depth"),
        ("- &a [*a, *a]", "line 1 has an alias inside what it names"),
        (BOMB, "its aliases expand it to more than 20,000,000 values"),
    ],
)
def test_bad_yaml_says_where(text: str, message: str) -> None:
    with pytest.raises(FileProblem, match=message):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["key: !sk-123456 x", "key: *sk-123456", "key: 'sk-123456", "key: [sk-123456"])
def test_yaml_problems_never_quote_the_text(text: str) -> None:
    with pytest.raises(FileProblem) as caught:
        parse_yaml(text)
    assert "sk-123456" not in str(caught.value)


@pytest.mark.parametrize("text", ["key = sk-123456", "key = 'sk-123456", "a = 1\na = 'sk-123456'", "key = [sk-123456"])
def test_toml_problems_have_a_place_and_never_quote_the_text(text: str) -> None:
    with pytest.raises(FileProblem, match=r"no valid TOML.*(line|end of document)") as caught:
        parse_toml(text)
    assert "sk-123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (3, "the number 3"),
        (math.nan, "the number nan"),
        ("", "an empty text"),
        ("a\nb", "the text 'a b'"),
        ([1, 2], "a list of 2"),
        ({}, "an empty object"),
        (object(), "a Python object"),
    ],
)
def test_found_says_what_was_found(value: object, words: str) -> None:
    assert found(value) == words


def test_found_cuts_long_texts() -> None:
    assert len(found("x" * 10_000)) < 80


def test_whole_emoji_are_no_broken_text() -> None:
    assert broken_text("😀") == ""
