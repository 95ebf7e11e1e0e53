"""A fast "certainly valid" for the small schemas of judgements, so that a good answer costs no jsonschema.

jsonschema takes 25 µs for each verdict of a list; a compiled check takes 2. It knows a part of JSON Schema
and only ever says "valid" or "I do not know": jsonschema has the last word, and the words for the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any], bool]
"""True: certainly valid. False: let jsonschema decide."""

_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "$comment", "$defs", "$schema"})
_OBJECT = frozenset({"properties", "required", "additionalProperties"})
_ARRAY = frozenset({"items", "minItems", "maxItems"})
_NUMBER = frozenset({"minimum", "maximum"})
_STRING = frozenset({"minLength", "maxLength"})
_HANDLED = _ANNOTATIONS | _OBJECT | _ARRAY | _NUMBER | _STRING | {"type", "enum", "const", "anyOf", "$ref"}

# exact types, because in Python True is an int and in JSON Schema it is not; 1.0, which is an integer
# to JSON Schema, is left to jsonschema
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}


class _Unknown(Exception):
    """The schema uses something that this check does not know."""


def quick_check(schema: Mapping[str, Any]) -> Check | None:
    """Compile a schema into a check that is true only for values that are certainly valid.

    Args:
        schema: JSON Schema, draft 2020-12.

    Returns:
        The check, or None where the schema uses keywords beyond the handful that it knows.
    """
    try:
        return _compile(schema, schema, ())
    except _Unknown:
        return None


def _compile(schema: Any, root: Mapping[str, Any], refs: tuple[str, ...]) -> Check:
    if schema is True:
        return lambda value: True
    if not isinstance(schema, Mapping) or not schema.keys() <= _HANDLED:
        raise _Unknown
    if "$ref" in schema:
        return _compile_ref(schema, root, refs)
    checks: list[Check] = []
    if "type" in schema:
        checks.append(_type_check(schema["type"]))
    if "enum" in schema:
        checks.append(_one_of(schema["enum"]))
    if "const" in schema:
        checks.append(_one_of([schema["const"]]))
    if "anyOf" in schema:
        options = [_compile(option, root, refs) for option in schema["anyOf"]]
        checks.append(lambda value: any(option(value) for option in options))
    if not schema.keys().isdisjoint(_OBJECT):
        checks.append(_object_check(schema, root, refs))
    if not schema.keys().isdisjoint(_ARRAY):
        checks.append(_array_check(schema, root, refs))
    for lowest, highest, kinds, measure in (
        ("minimum", "maximum", (int, float), lambda value: value),
        ("minLength", "maxLength", (str,), len),
    ):
        if lowest in schema or highest in schema:
            checks.append(_range_check(schema.get(lowest), schema.get(highest), kinds, measure))
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _compile_ref(schema: Mapping[str, Any], root: Mapping[str, Any], refs: tuple[str, ...]) -> Check:
    ref = schema["$ref"]
    if not isinstance(ref, str) or not ref.startswith("#/$defs/") or not schema.keys() - {"$ref"} <= _ANNOTATIONS:
        raise _Unknown
    name = ref[len("#/$defs/") :]
    definitions = root.get("$defs", {})
    if ref in refs or name not in definitions:  # a schema that contains itself is beyond a quick look
        raise _Unknown
    return _compile(definitions[name], root, (*refs, ref))


def _type_check(names: Any) -> Check:
    try:
        kinds = frozenset(kind for name in ([names] if isinstance(names, str) else names) for kind in _TYPES[name])
    except (KeyError, TypeError):
        raise _Unknown from None
    return lambda value: type(value) in kinds


def _one_of(choices: Sequence[Any]) -> Check:
    if any(type(choice) not in (str, int) for choice in choices):
        raise _Unknown
    known = frozenset((type(choice), choice) for choice in choices)
    return lambda value: type(value) in (str, int) and (type(value), value) in known


def _range_check(
    lowest: float | None, highest: float | None, kinds: tuple[type, ...], measure: Callable[[Any], float]
) -> Check:
    low = float("-inf") if lowest is None else lowest
    high = float("inf") if highest is None else highest
    return lambda value: type(value) not in kinds or low <= measure(value) <= high


def _object_check(schema: Mapping[str, Any], root: Mapping[str, Any], refs: tuple[str, ...]) -> Check:
    properties = {name: _compile(part, root, refs) for name, part in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    extra = schema.get("additionalProperties", True)
    extra_check = None if extra is False else _compile(extra, root, refs)

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return not isinstance(value, dict)
        if not required <= value.keys():
            return False
        for name, part in value.items():
            part_check = properties.get(name, extra_check)
            if part_check is None or not part_check(part):
                return False
        return True

    return check


def _array_check(schema: Mapping[str, Any], root: Mapping[str, Any], refs: tuple[str, ...]) -> Check:
    item = _compile(schema.get("items", True), root, refs)
    fewest = schema.get("minItems", 0)
    most = schema.get("maxItems", float("inf"))

    def check(value: Any) -> bool:
        if type(value) is not list:
            return not isinstance(value, (list, tuple))
        return fewest <= len(value) <= most and all(map(item, value))

    return check
