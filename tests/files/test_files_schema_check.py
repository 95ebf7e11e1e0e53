"""The compiled check says what jsonschema says: on our published schemas and on small ones of each keyword."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ragas.files.schema_check import compile_check
from pytest_ragas.files.schema_explain import dotted, violations

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from([0.0, 1.0, 0.5, -0.5, 2.5, float("nan"), float("inf")])
    | st.sampled_from(["", "a", "ab", "b"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)

types = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
leaves: dict[str, st.SearchStrategy[Any]] = {
    "title": st.just("T"),
    "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
    "enum": st.lists(st.sampled_from(["", "a", 0, 1, True, None, 0.5]), min_size=1, max_size=2),
    "const": st.sampled_from(["a", 1, False, None]),
    "pattern": st.sampled_from(["^a", "b$", "."]),
    "minLength": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 2),
    "minimum": st.sampled_from([0, 0.5, 1]),
    "maximum": st.sampled_from([0, 0.5, 1]),
    "exclusiveMinimum": st.sampled_from([0, 1]),
    "exclusiveMaximum": st.sampled_from([0, 1]),
    "required": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
    "$ref": st.just("#/$defs/named"),
}


def some(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of up to three of the keywords."""
    pairs = st.sampled_from(sorted(keywords)).flatmap(lambda name: st.tuples(st.just(name), keywords[name]))
    return st.lists(pairs, max_size=3).map(dict)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return some(
        {
            **leaves,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "additionalProperties": st.booleans() | inner,
        }
    )


schemas = st.recursive(some(leaves), nested, max_leaves=4)


@settings(deadline=None, max_examples=300)
@given(schema=schemas, named=types, value=values)
def test_the_check_agrees_with_jsonschema(schema: dict[str, Any], named: str, value: object) -> None:
    whole = {**schema, "$defs": {"named": {"type": named}}}
    assert compile_check(whole)(value) == (not violations(whole, value))


SINGLE = [
    *({"type": name} for name in ("string", "integer", "number", "boolean", "null", "array", "object")),
    {"type": ["string", "null"]},
    {"enum": ["a", "", 1, False, None]},
    *({"const": value} for value in ("a", 0, True, None)),
    {"pattern": "^a"},
    *({keyword: 1} for keyword in ("minLength", "maxLength", "minItems", "maxItems")),
    *({keyword: 1} for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")),
    {"required": ["a", "b"]},
    {"items": {"type": "string"}},
    {"anyOf": [{"type": "string"}, {"minimum": 1}]},
    {"properties": {"a": {"type": "string"}}},
    {"additionalProperties": False},
    {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "null"}},
    {"$ref": "#/$defs/named"},
    {"type": "string", "minLength": 1, "pattern": "b"},
]
VALUES = [
    *(None, True, False, 0, 1, 2, -1, 0.0, 1.0, 0.5, 1.5, float("nan"), float("inf"), "", "a", "b", "ab"),
    *([], ["a"], ["a", 1], (), ("a",), {}, {"a": "a"}, {"a": 1}, {"a": "a", "b": None}, {"b": 1}),
]


@pytest.mark.parametrize("schema", SINGLE, ids=str)
def test_every_keyword_agrees_with_jsonschema_at_its_bounds(schema: dict[str, Any]) -> None:
    whole = {**schema, "$defs": {"named": {"type": "integer"}}}
    check = compile_check(whole)
    assert [value for value in VALUES if check(value)] == [value for value in VALUES if not violations(whole, value)]


def test_a_schema_may_refer_to_itself() -> None:
    tree = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    check = compile_check(tree)
    assert check([[], [[]]])
    assert not check([[], [["leaf"]]])


@pytest.mark.parametrize(
    "schema",
    [
        {"uniqueItems": True},
        {"properties": {"a": {"oneOf": [{}]}}},
        {"$ref": "https://example.org/schema"},
        {"enum": [[1]]},
    ],
)
def test_what_it_does_not_know_is_refused_when_compiled(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"known|leaves"):
        compile_check(schema)


def test_a_violation_names_path_keyword_and_value() -> None:
    schema = {"properties": {"a": {"items": {"type": "string"}}}, "additionalProperties": False}
    broken = violations(schema, {"a": ["x", 3], "b": 1})
    assert [(dotted(violation.path), violation.keyword) for violation in broken] == [
        ("", "additionalProperties"),
        ("a[1]", "type"),
    ]
    assert broken[0].unknown_keys == ["b"]
    assert broken[1].found == 3
