"""`DryLLM`, `DryLikelihood`, `DryEmbeddings`: ask nobody, answer the least that is allowed, say what it would cost.

For estimates: a metric that is run against them makes the calls that it makes, with the prompts that it writes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.protocols import JSONSchema
from pytest_ragas.values.likelihood import Likelihood
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage, Vectors

ENTRY = 80
"""Characters of a text that the model is to write: a statement, a question, a reason."""
PIECE = 100
"""Characters of the text that is asked about for which a list of unknown length has one entry."""
_MOST = 60
"""Entries of such a list at most."""
_FEW = 5
"""Entries where it is not known what text is asked about."""
_DEEPEST = 12

_WORDS = "so many words as a statement, a question or a reason has that a model writes, and a few more to be sure of it"
_JSON_LINE = re.compile(r"^[^\n{]{0,20}\{", re.MULTILINE)


class DryLLM:
    """Satisfies `LLM`."""

    def __init__(self, identity: ModelIdentity, *, bytes_per_token: float, most: int | None = None) -> None:
        """
        Args:
            identity: Of the model that it stands for.
            bytes_per_token: UTF-8 bytes that count as a token.
            most: Tokens that an answer has at most, where that is configured.
        """
        self.identity = identity
        self._bytes = bytes_per_token
        self._most = most

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """The least that the structure allows; what is written differs from one request to another, as it would."""
        asked = hashlib.sha256("\n".join(message.content for message in messages).encode("utf-8", "replace"))
        value = least(schema, entries=_entries(messages), words=f"{asked.hexdigest()[:8]} {_WORDS}")
        raw = json.dumps(value, ensure_ascii=False)
        size = _size(json.dumps(schema, default=dict)) + sum(_size(message.content) for message in messages)
        written = int(_size(raw) / self._bytes) + 1
        usage = Usage(
            calls=1,
            prompt_tokens=int(size / self._bytes) + 1,
            completion_tokens=written if self._most is None else min(written, self._most),
        )
        return Answer(value=value, raw=raw, usage=usage)

    async def aclose(self) -> None:
        """Nothing to let go of."""


class DryLikelihood:
    """Satisfies `LikelihoodCritic`. Nothing is loaded."""

    def __init__(self, identity: ModelIdentity) -> None:
        """
        Args:
            identity: Of the model that it stands for.
        """
        self.identity = identity

    async def likelihoods(
        self, statements: Sequence[str], *, context: str, question: str = "", yes_no: bool = False
    ) -> Sequence[Likelihood]:
        """Statements of one token that the context tells nothing of."""
        odds = 0.0 if yes_no else None
        return [
            Likelihood(statement=text, tokens=(text,), alone=(-1.0,), given=(-1.0,), yes=odds, yes_alone=odds)
            for text in statements
        ]

    async def aclose(self) -> None:
        """Nothing to let go of."""


class DryEmbeddings:
    """Satisfies `Embeddings`."""

    def __init__(self, identity: ModelIdentity, *, bytes_per_token: float) -> None:
        """
        Args:
            identity: Of the model that it stands for.
            bytes_per_token: UTF-8 bytes that count as a token.
        """
        self.identity = identity
        self._bytes = bytes_per_token

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One direction for every text."""
        read = sum(int(_size(text) / self._bytes) + 1 for text in dict.fromkeys(texts))
        return Vectors([[1.0] for _ in texts], usage=Usage(calls=1, prompt_tokens=read))

    async def aclose(self) -> None:
        """Nothing to let go of."""


def least(schema: JSONSchema, *, entries: int, words: str) -> Any:
    """The smallest value of a structure, with texts of a likely length.

    Args:
        schema: JSON Schema as metrics and pydantic write it.
        entries: Of a list that may have any number.
        words: What texts are made of.
    """
    return _Least(schema.get("$defs", {}), entries, words).value(schema, place=0, depth=0)


@dataclass(frozen=True, slots=True)
class _Least:
    defs: Mapping[str, Any]
    entries: int
    words: str

    def value(self, schema: Any, *, place: int, depth: int) -> Any:
        """Of a part of the structure that lies so deep, and has this place in a list."""
        depth += 1
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return None
        if "$ref" in schema:
            return self.value(self.defs.get(str(schema["$ref"]).rpartition("/")[2], {}), place=place, depth=depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            # numbers of an enumeration come each once, as those of statements do
            return schema["enum"][place % len(schema["enum"])]
        for choice in ("anyOf", "oneOf", "allOf"):
            if schema.get(choice):
                return self.value(schema[choice][0], place=place, depth=depth)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            parts = schema.get("properties", {})
            return {name: self.value(part, place=place, depth=depth) for name, part in parts.items()}
        if kind == "array":
            return self._list(schema, depth)
        if kind == "string":
            return f"{place} {self.words}"[: max(ENTRY, schema.get("minLength", 0))].strip()
        if kind in ("integer", "number"):
            return max(schema.get("minimum", 0), 0)
        return False if kind == "boolean" else None

    def _list(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        items = schema.get("items", {})
        choices = items.get("enum") if isinstance(items, Mapping) else None
        most = min(schema.get("maxItems", _MOST), len(choices) if choices else _MOST)
        count = schema.get("minItems") or min(self.entries, most)
        return [self.value(items, place=place, depth=depth) for place in range(count)]


def _entries(messages: Sequence[Message]) -> int:
    """How many entries a list of unknown length has: by the longest text of the data that is asked about."""
    data = _data(messages[-1].content) if messages else None
    longest = max((len(text) for text in _texts(data)), default=0)
    return min(_MOST, max(1, round(longest / PIECE))) if longest else _FEW


def _data(content: str) -> Any:
    """The JSON object that a message is or ends with; None where there is none."""
    for match in reversed([*_JSON_LINE.finditer(content)]):
        try:
            return json.JSONDecoder().raw_decode(content, match.end() - 1)[0]
        except ValueError:
            continue
    return None


def _texts(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    if isinstance(data, Mapping):
        data = list(data.values())
    return [text for part in data for text in _texts(part)] if isinstance(data, list) else []


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
