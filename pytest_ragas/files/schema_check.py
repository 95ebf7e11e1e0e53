"""JSON Schema as a compiled yes or no: cheap enough for every row, and without importing jsonschema.

Only good values pay this; `schema_explain` asks jsonschema what is wrong with the others. A property test holds both
to the same answer. A keyword that is not known here is refused when the schema is compiled, so that a published
schema cannot outgrow its check unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples"})


def compile_check(schema: Mapping[str, Any]) -> Check:
    """A function that says whether a value satisfies a schema.

    Args:
        schema: JSON Schema, draft 2020-12, of the keywords below; `$ref` only to its own `#/$defs/…`.

    Raises:
        ValueError: A keyword that this check does not know.
    """
    return _Compiler(schema).compile(schema)


def _is_integer(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


_TYPES: dict[str, Check] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, (list, tuple)),
    "object": lambda value: isinstance(value, Mapping),
}


class _Compiler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.done: dict[str, Check] = {}

    def compile(self, schema: Mapping[str, Any] | bool) -> Check:
        if isinstance(schema, bool):
            return lambda value: schema
        checks: list[Check] = []
        pending = set(schema) - _ANNOTATIONS
        for keyword in ("$ref", "type", "enum", "const", "pattern", "anyOf", "items", "required"):
            if keyword in pending:
                pending.discard(keyword)
                checks.append(getattr(self, "_" + keyword.lstrip("$").lower())(schema[keyword]))
        for keyword in (*_BOUNDS, *_SIZES):
            if keyword in pending:
                pending.discard(keyword)
                checks.append((_bound if keyword in _BOUNDS else _size)(keyword, schema[keyword]))
        if pending & {"properties", "additionalProperties"}:
            pending -= {"properties", "additionalProperties"}
            checks.append(self._members(schema.get("properties", {}), schema.get("additionalProperties", True)))
        if pending:
            raise ValueError(f"keyword {sorted(pending)[0]!r} is not known to the compiled check")
        return _all(checks)

    def _ref(self, target: str) -> Check:
        # compiled once and looked up late, so that a schema may refer to itself
        if target not in self.done:
            if not target.startswith("#/$defs/"):
                raise ValueError(f"$ref {target!r} leaves the schema")
            self.done[target] = lambda value: self.done[target](value)
            self.done[target] = self.compile(self.root["$defs"][target.removeprefix("#/$defs/")])
        return self.done[target]

    def _type(self, names: str | list[str]) -> Check:
        checks = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
        return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)

    def _enum(self, values: list[Any]) -> Check:
        if not all(isinstance(value, _SCALARS) for value in values):
            raise ValueError("only texts, numbers, booleans and null are known in an enum")
        # in Python True == 1, in JSON Schema it is not; 1.0 == 1 in both
        allowed = frozenset((isinstance(value, bool), value) for value in values)
        return lambda value: isinstance(value, _SCALARS) and (isinstance(value, bool), value) in allowed

    def _const(self, value: Any) -> Check:
        return self._enum([value])

    def _pattern(self, pattern: str) -> Check:
        search = re.compile(pattern).search
        return lambda value: not isinstance(value, str) or search(value) is not None

    def _required(self, names: list[str]) -> Check:
        return lambda value: not isinstance(value, Mapping) or all(name in value for name in names)

    def _anyof(self, schemas: list[Mapping[str, Any]]) -> Check:
        checks = [self.compile(schema) for schema in schemas]
        return lambda value: any(check(value) for check in checks)

    def _items(self, schema: Mapping[str, Any]) -> Check:
        check = self.compile(schema)
        return lambda value: not isinstance(value, (list, tuple)) or all(map(check, value))

    def _members(self, properties: Mapping[str, Any], additional: Mapping[str, Any] | bool) -> Check:
        known = {name: self.compile(schema) for name, schema in properties.items()}
        other = self.compile(additional)

        def check(value: Any) -> bool:
            if not isinstance(value, Mapping):
                return True
            return all(known.get(name, other)(inner) for name, inner in value.items())

        return check


_SCALARS = (str, int, float, bool, type(None))
_SIZES = ("minLength", "maxLength", "minItems", "maxItems")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def _bound(keyword: str, bound: float) -> Check:
    outside: dict[str, Check] = {
        "minimum": lambda value: value < bound,
        "maximum": lambda value: value > bound,
        "exclusiveMinimum": lambda value: value <= bound,
        "exclusiveMaximum": lambda value: value >= bound,
    }
    is_number, is_outside = _TYPES["number"], outside[keyword]
    return lambda value: not is_number(value) or not is_outside(value)


def _size(keyword: str, bound: int) -> Check:
    kinds = (str,) if keyword.endswith("Length") else (list, tuple)
    if keyword.startswith("min"):
        return lambda value: not isinstance(value, kinds) or len(value) >= bound
    return lambda value: not isinstance(value, kinds) or len(value) <= bound


def _all(checks: Iterable[Check]) -> Check:
    parts = tuple(checks)
    if not parts:
        return lambda value: True
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda value: first(value) and second(value)
    return lambda value: all(part(value) for part in parts)
