"""A JSON schema as "structured outputs" of APIs take it: the part of JSON Schema that constrained decoding knows.

Source:
    https://platform.openai.com/docs/guides/structured-outputs, section "Supported schemas"; Azure's list is shorter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAID = ("title", "description")
_BOUNDS = frozenset(
    {"minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"}
)
# bounds that every API refuses, and what says nothing about the value: we validate the answer ourselves
_DROPPED = frozenset(
    {"minLength", "maxLength", "format", "uniqueItems", "default", "examples", "$comment", "$schema", "$id"}
)
_HANDLED = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs"}
)
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


class _Loose(Exception):
    """The schema allows what strict schemas cannot say."""


def strict_schema(schema: Mapping[str, Any], *, bounds: bool) -> dict[str, Any] | None:
    """The schema with every object closed and every property required; optional ones may be `null` instead.

    What it allows also satisfies the original, but for those nulls (`repair.settle` leaves them out again).

    Args:
        schema: JSON Schema, draft 2020-12.
        bounds: Keep bounds on counts and numbers, which not every API takes.

    Returns:
        The strict schema, or None where the original allows what a strict schema cannot say, such as
        objects with any keys.
    """
    try:
        if schema.get("type") != "object":
            return None
        return _strict(schema, bounds)
    except _Loose:
        return None


def _strict(schema: Any, bounds: bool) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        raise _Loose
    if "$ref" in schema:
        if not str(schema["$ref"]).startswith("#/$defs/"):
            raise _Loose
        return {"$ref": schema["$ref"]}  # APIs refuse a description beside it
    if not schema.keys() <= _HANDLED | _BOUNDS | _DROPPED | set(_SAID):
        raise _Loose
    out: dict[str, Any] = {name: schema[name] for name in _SAID if name in schema}
    if "anyOf" in schema:
        out["anyOf"] = [_strict(option, bounds) for option in schema["anyOf"]]
    elif "enum" in schema or "const" in schema:
        choices = list(schema.get("enum", [schema.get("const")]))
        out["type"] = schema.get("type") or _type_of(choices)
        out["enum"] = choices
    elif schema.get("type") == "object":
        out |= _strict_object(schema, bounds)
    elif schema.get("type") == "array":
        out |= {"type": "array", "items": _strict(schema.get("items"), bounds)}
    elif "type" in schema and "object" not in schema["type"] and "array" not in schema["type"]:
        out["type"] = schema["type"]
    else:
        raise _Loose
    if bounds:
        out |= {name: schema[name] for name in schema if name in _BOUNDS}
    if "$defs" in schema:
        out["$defs"] = {name: _strict(part, bounds) for name, part in schema["$defs"].items()}
    return out


def _strict_object(schema: Mapping[str, Any], bounds: bool) -> dict[str, Any]:
    if "properties" not in schema or schema.get("additionalProperties", False) is not False:
        raise _Loose
    required = schema.get("required", ())
    properties = {}
    for name, part in schema["properties"].items():
        strict = _strict(part, bounds)
        properties[name] = strict if name in required else _or_null(strict)
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if "anyOf" in schema:
        null = {"type": "null"}
        return schema if null in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], null]}
    if kind is None or kind in ("object", "array") or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = [kind] if isinstance(kind, str) else list(kind)
    return {**schema, "type": kinds if "null" in kinds else [*kinds, "null"]}


def _type_of(choices: list[Any]) -> str | list[str]:
    try:
        kinds = list(dict.fromkeys(_JSON_TYPES[type(choice)] for choice in choices))
    except KeyError:
        raise _Loose from None
    return kinds[0] if len(kinds) == 1 else kinds
