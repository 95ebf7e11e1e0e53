"""Structures that the critic is asked for, and reading them back without guessing.

The schemas are what every server's structured output understands: an object at the root, no `$ref`, no union.
What a schema cannot say (one verdict for each statement) is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_ragas.errors import StructureError, cut
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.values.model import Answer

TEXT: Final[JSONSchema] = {"type": "string"}
INTEGER: Final[JSONSchema] = {"type": "integer"}
VERDICT: Final[JSONSchema] = {"type": "integer", "enum": [0, 1]}
RATING: Final[JSONSchema] = {"type": "integer", "enum": [0, 1, 2]}


def structure(title: str, **properties: JSONSchema) -> dict[str, Any]:
    """A schema for one object; every property is required.

    Args:
        title: The name of the structure, which servers and scripted critics see.
        properties: In the order in which the critic should write them: reasons before verdicts.
    """
    return {"title": title, **_object(properties)}


def array(items: JSONSchema | None = None, *, count: int | None = None, **properties: JSONSchema) -> dict[str, Any]:
    """A schema for a list, of `count` items if that is known, of objects if `properties` are given."""
    out: dict[str, Any] = {"type": "array", "items": items or _object(properties)}
    if count is not None:
        out |= {"minItems": count, "maxItems": count}
    return out


def verdicts(count: int) -> dict[str, Any]:
    """A schema for one numbered verdict with its reason on each of `count` pieces."""
    return array(count=count, number=INTEGER, reason=TEXT, verdict=VERDICT)


def numbered(texts: Sequence[str], start: int = 1) -> list[dict[str, Any]]:
    """Texts as data of a request: numbered from `start`, so that the answer can refer to them."""
    return [{"number": number, "text": text} for number, text in enumerate(texts, start)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The critic's word on one piece."""

    value: int
    """1 or 0."""
    reason: str


def read_verdicts(answer: Answer, key: str, count: int, what: str = "statement") -> list[Verdict]:
    """One verdict for each of `count` pieces, in their order.

    Args:
        answer: The critic's answer.
        key: The property that holds the verdicts.
        count: Pieces that were numbered 1 to `count`.
        what: What a piece is, for the message.

    Raises:
        StructureError: The numbers are not 1 to `count`, each once, or a verdict is neither 0 nor 1.
    """
    items = read_list(answer, key)
    numbers = [item.get("number") if isinstance(item, Mapping) else None for item in items]
    if sorted(numbers, key=repr) != sorted(range(1, count + 1), key=repr):
        shown = ", ".join(str(number) for number in numbers) or "none"
        raise StructureError(
            f"The critic LLM was asked for one verdict on each of {count} {what}{'' if count == 1 else 's'} "
            f"(numbers 1 to {count}) and gave {len(items)} (numbers {cut(shown)}).",
            raw=answer.raw,
        )
    ordered = sorted(items, key=lambda item: int(item["number"]))
    return [Verdict(read_choice(answer, item, "verdict", 2), str(item.get("reason", "")).strip()) for item in ordered]


def read_list(answer: Answer, key: str) -> list[Any]:
    """The list under `key` of the answer.

    Raises:
        StructureError: There is none.
    """
    items = answer.value.get(key) if isinstance(answer.value, Mapping) else None
    if not isinstance(items, list):
        raise StructureError(f"The critic LLM's answer has no list {key!r}.", raw=answer.raw)
    return items


def read_texts(answer: Answer, key: str) -> list[str]:
    """The texts under `key` of the answer, without blank ones.

    Raises:
        StructureError: There is no list, or not of texts.
    """
    texts = read_list(answer, key)
    if not all(isinstance(text, str) for text in texts):
        raise StructureError(f"The critic LLM's answer holds something else than texts in {key!r}.", raw=answer.raw)
    return [text.strip() for text in texts if text.strip()]


def read_choice(answer: Answer, item: Mapping[str, Any], key: str, choices: int) -> int:
    """The integer under `key` of `item`, one of 0 to `choices` - 1.

    Raises:
        StructureError: It is something else. It is never clamped: a verdict of 7 says nothing.
    """
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < choices:
        raise StructureError(
            f"The critic LLM gave the {key} {cut(repr(value), 60)}; "
            f"it must be one of {', '.join(str(choice) for choice in range(choices))}.",
            raw=answer.raw,
        )
    return value


def _object(properties: Mapping[str, JSONSchema]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
