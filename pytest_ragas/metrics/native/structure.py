"""Structures that the critic is asked for, and reading them back without guessing.

The schemas are what every server's structured output understands: an object at the root, no `$ref`, no union,
whole numbers from an `enum`, reasons before verdicts. Their `title` is the name of the structure. Lists whose
length is known say it (`minItems`), so that a critic that skips a statement is asked again; what no schema can
say (each number once) is checked here. Nothing is clamped, cut or filled up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pytest_ragas.errors import StructureError, cut
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.values.model import Answer

TEXT: Final[JSONSchema] = {"type": "string"}


def structure(title: str, **properties: JSONSchema) -> JSONSchema:
    """A schema for one object; every property is required. Keep it: clients derive things from it once.

    Args:
        title: The name of the structure, which servers and scripted critics see.
        properties: In the order in which the critic should write them.
    """
    return {"title": title, **_object(properties)}


def array(items: JSONSchema, *, count: int | None = None) -> JSONSchema:
    """A schema for a list, of `count` items if that is known."""
    out: dict[str, Any] = {"type": "array", "items": items}
    return out if count is None else out | {"minItems": count, "maxItems": count}


def objects(count: int, **properties: JSONSchema) -> JSONSchema:
    """A schema for a list of `count` objects; every property is required."""
    return array(_object(properties), count=count)


def one_of(*choices: int) -> JSONSchema:
    """A schema for one of a few whole numbers."""
    return {"type": "integer", "enum": list(choices)}


VERDICT: Final = one_of(0, 1)
RATING: Final = one_of(0, 1, 2)


def verdicts_on(count: int) -> JSONSchema:
    """A schema for one verdict with its number and reason on each of `count` pieces."""
    return objects(count, number=one_of(*range(1, count + 1)), reason=TEXT, verdict=VERDICT)


@lru_cache(maxsize=128)
def verdicts_structure(count: int) -> JSONSchema:
    """The structure "Verdicts": one verdict on each of `count` pieces."""
    return structure("Verdicts", verdicts=verdicts_on(count))


def numbered(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Texts as data of a request: numbered from 1, so that the answer can refer to them."""
    return [{"number": number, "text": text} for number, text in enumerate(texts, 1)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The critic's word on one piece: 1 or 0, or a rating."""

    value: int
    reason: str


def read_verdict(answer: Answer, item: object, key: str = "verdict", highest: int = 1) -> Verdict:
    """The verdict in `item`, a part of the answer, or the whole.

    Raises:
        StructureError: It is no whole number from 0 to `highest`. It is never clamped: a verdict of 7 says nothing.
    """
    value = whole(item.get(key)) if isinstance(item, Mapping) else None
    if value is None or not 0 <= value <= highest:
        choices = ", ".join(str(choice) for choice in range(highest + 1))
        raise StructureError(
            f"The critic LLM's {key} must be one of {choices}; it gave {cut(repr(item), 100)}.", raw=answer.raw
        )
    return Verdict(value, read_reason(item))


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
    by_number = {whole(item.get("number")): item for item in items if isinstance(item, Mapping)}
    if len(items) != count or by_number.keys() != set(range(1, count + 1)):
        given = ", ".join(str(item.get("number") if isinstance(item, Mapping) else item) for item in items) or "none"
        raise StructureError(
            f"The critic LLM was asked for one verdict on each of {counted(count, what)}, numbered from 1, "
            f"and gave {len(items)}, numbered {cut(given, 100)}.",
            raw=answer.raw,
        )
    return [read_verdict(answer, by_number[number]) for number in range(1, count + 1)]


def read_reason(item: object) -> str:
    """The reason in a part of the answer; empty if the critic gave none."""
    reason = item.get("reason") if isinstance(item, Mapping) else None
    return reason.strip() if isinstance(reason, str) else ""


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


def whole(value: object) -> int | None:
    """A JSON number without a fraction (1 and 1.0 are the same to JSON Schema), or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value)


def counted(number: int, what: str) -> str:
    """A count with its noun: "1 statement", "3 statements"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _object(properties: Mapping[str, JSONSchema]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
