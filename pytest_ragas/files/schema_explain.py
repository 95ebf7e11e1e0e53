"""What a JSON Schema finds wrong with a value: the door to jsonschema, opened only for values that are wrong."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One place where a value breaks its schema."""

    path: tuple[str | int, ...]
    """Keys and positions from the outermost value inwards."""
    keyword: str
    """The keyword of JSON Schema that is not satisfied: "type", "additionalProperties", "minimum" …"""
    found: Any
    """The value at `path`."""
    schema: Mapping[str, Any]
    """The schema that holds the keyword; its description and examples say what should be there."""

    @property
    def unknown_keys(self) -> list[str]:
        """For "additionalProperties": the keys that the schema does not know."""
        return [key for key in self.found if key not in self.schema.get("properties", {})]


def violations(schema: Mapping[str, Any], value: Any) -> list[Violation]:
    """Every place where a value breaks a schema of draft 2020-12, in the order of the value; empty if none.

    Tuples count as arrays and any mapping as an object, as in `schema_check`.
    """
    errors = _validator_class()(schema).iter_errors(value)
    return [
        Violation(
            path=tuple(error.absolute_path),
            keyword=str(error.validator),
            found=error.instance,
            schema=error.schema if isinstance(error.schema, Mapping) else {},
        )
        for error in sorted(errors, key=lambda error: [str(step) for step in error.absolute_path])
    ]


def dotted(path: tuple[str | int, ...]) -> str:
    """A path as messages write it: `retrieved_contexts[2]`, `critic_llm.api_base`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


@functools.cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, validators

    checker = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "array": lambda _, value: isinstance(value, (list, tuple)),
            "object": lambda _, value: isinstance(value, Mapping),
        }
    )
    extend: Any = validators.extend  # the stubs leave it untyped
    return extend(Draft202012Validator, type_checker=checker)
