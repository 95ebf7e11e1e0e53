"""A JSON schema with bounds on what it leaves open, and the shortest value that it allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

EXPLANATIONS = frozenset(
    {"reason", "reasoning", "reasons", "rationale", "explanation", "analysis", "thought", "thoughts"}
)
"""Properties whose text explains an answer and is not one: only these are cut where they grow too long."""

_SHORTEST_EXPLANATION, _LONGEST_EXPLANATION = 40, 400
_CHARS_PER_TOKEN = 3
"""Of English under a small vocabulary; larger ones have more."""
_LARGEST_NUMBER = 10**12
_DEEPEST = 8
"""Levels of a schema that refers to itself of which the shortest value is built."""


def bounded(schema: Mapping[str, Any], max_tokens: int) -> dict[str, Any]:
    """The schema with closed objects, whole numbers of 12 digits at most, and explanations that share the room.

    Lists that must number their n items 1 to n do it in order.

    What it allows, the original allows too.

    Args:
        schema: JSON Schema, draft 2020-12.
        max_tokens: Tokens that the answer may have.
    """
    places = _explanations(schema, schema, 0)
    room = max_tokens * _CHARS_PER_TOKEN // max(1, places) - _SHORTEST_EXPLANATION
    longest = max(_SHORTEST_EXPLANATION, min(_LONGEST_EXPLANATION, room))
    found: dict[str, Any] = _bounded(schema, "", longest)
    return found


def _bounded(part: Any, name: str, longest: int) -> Any:
    if not isinstance(part, Mapping):
        return part
    part = {**part, **_in_order(part)}
    out = {key: _inside(key, value, longest) for key, value in part.items()}
    kinds = _kinds(part)
    if part.keys().isdisjoint({"enum", "const", "pattern", "format"}):
        if "string" in kinds and name.lower() in EXPLANATIONS:
            out["maxLength"] = min(part.get("maxLength", longest), longest)
        if "integer" in kinds:
            out.setdefault("minimum", -_LARGEST_NUMBER)
            out.setdefault("maximum", _LARGEST_NUMBER)
    if "object" in kinds and "properties" in part:
        out.setdefault("additionalProperties", False)
    return out


def _in_order(part: Mapping[str, Any]) -> dict[str, Any]:
    """A list of n objects that number themselves 1 to n, with the numbers in order: no other order says more."""
    count, item = part.get("minItems"), part.get("items")
    if not count or count != part.get("maxItems") or not isinstance(item, Mapping):
        return {}
    properties = item.get("properties", {})
    for name, kind in properties.items():
        if isinstance(kind, Mapping) and kind.get("enum") == list(range(1, count + 1)):
            items = [
                {**item, "properties": {**properties, name: {"type": "integer", "enum": [number]}}}
                for number in range(1, count + 1)
            ]
            return {"prefixItems": items, "items": False}
    return {}


def _inside(key: str, value: Any, longest: int) -> Any:
    if key in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
        return {name: _bounded(part, name if key == "properties" else "", longest) for name, part in value.items()}
    if key in ("items", "additionalProperties", "not"):
        return _bounded(value, "", longest)
    if key in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, list):
        return [_bounded(part, "", longest) for part in value]
    return value


def _explanations(part: Any, root: Any, depth: int) -> int:
    """How many explanations the shortest value that is no shorter than it need be holds."""
    part = _followed(part, root)
    if not isinstance(part, Mapping) or depth > _DEEPEST:
        return 0
    properties = part.get("properties", {})
    here: int = sum(name.lower() in EXPLANATIONS and "string" in _kinds(kind) for name, kind in properties.items())
    inside = sum(_explanations(kind, root, depth + 1) for kind in properties.values())
    items: int = max(1, part.get("minItems", 0)) * _explanations(part.get("items"), root, depth + 1)
    return here + inside + items


def shortest(schema: Mapping[str, Any]) -> Any:
    """A small value that the schema allows, with one item in lists that may be empty: the size of what must be."""
    return _shortest(schema, schema, 0)


def _shortest(part: Any, root: Any, depth: int) -> Any:
    part = _followed(part, root)
    if not isinstance(part, Mapping) or depth > _DEEPEST:
        return None
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return max(part["enum"], key=lambda choice: len(str(choice)))
    kinds = _kinds(part)
    if "object" in kinds or "properties" in part:
        required = part.get("required", ())
        return {name: _shortest(part.get("properties", {}).get(name), root, depth + 1) for name in required}
    if "array" in kinds:
        count = min(max(1, part.get("minItems", 0)), part.get("maxItems", 1_000))
        return [_shortest(part.get("items", {}), root, depth + 1)] * count
    if "string" in kinds:
        return "x" * part.get("minLength", 0)
    return 0 if kinds & {"integer", "number"} else None if "null" in kinds else False


def _followed(part: Any, root: Any) -> Any:
    """The schema behind a local reference, and the first of several that one may choose from."""
    for _ in range(_DEEPEST):
        if not isinstance(part, Mapping):
            return part
        reference, choices = part.get("$ref"), part.get("anyOf") or part.get("oneOf") or part.get("allOf")
        if isinstance(reference, str) and reference.startswith("#/"):
            part = _at(root, reference[2:].split("/"))
        elif choices:
            part = choices[0]
        else:
            break
    return part


def _at(root: Any, path: Iterable[str]) -> Any:
    for name in path:
        root = root.get(name) if isinstance(root, Mapping) else None
    return root


def _kinds(part: Any) -> set[str]:
    kinds = part.get("type", ()) if isinstance(part, Mapping) else ()
    return {kinds} if isinstance(kinds, str) else set(kinds)
