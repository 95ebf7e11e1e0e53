"""`Sample`: one row of a testset, with or without an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

SCORED_FIELDS = (
    "user_input",
    "response",
    "retrieved_contexts",
    "reference",
    "reference_contexts",
    "retrieved_context_ids",
    "reference_context_ids",
)
"""The fields that a metric may need, in the order in which reports show them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One question to a RAG, what it answered, and what it should have answered.

    A context field given as one string becomes a list of one. `None` means "not given"; an empty
    string or list means "given, and empty": the RAG answered nothing, or retrieved nothing.
    """

    user_input: str = ""
    """What the user asked."""
    response: str | None = None
    """What the RAG answered."""
    retrieved_contexts: Sequence[str] | None = None
    """What the RAG retrieved, best first; a tuple once constructed."""
    reference: str | None = None
    """The right answer."""
    reference_contexts: Sequence[str] | None = None
    """The passages that hold the right answer; a tuple once constructed."""
    retrieved_context_ids: Sequence[str] | None = None
    """Ids of the retrieved contexts, best first; a tuple once constructed."""
    reference_context_ids: Sequence[str] | None = None
    """Ids of the reference contexts; a tuple once constructed."""
    id: str = ""
    """Stable name of the row; `stable_id()` of it where the user gave none."""
    tags: Sequence[str] = ()
    """Slices that this row belongs to; a tuple once constructed."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the row carried, as JSON values."""
    source: str = ""
    """Where the row came from, for messages: "testset.json row 7". Not part of its identity."""

    def __post_init__(self) -> None:
        for name in (
            "retrieved_contexts",
            "reference_contexts",
            "retrieved_context_ids",
            "reference_context_ids",
            "tags",
        ):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        if not self.id:
            object.__setattr__(self, "id", stable_id(self.user_input, self.reference))

    def answered(
        self,
        *,
        response: str | None = None,
        retrieved_contexts: Sequence[str] | str | None = None,
        retrieved_context_ids: Sequence[str] | str | None = None,
    ) -> Sample:
        """This row with the answer of a RAG in it; what is not given stays as it was."""
        given = {
            "response": response,
            "retrieved_contexts": retrieved_contexts,
            "retrieved_context_ids": retrieved_context_ids,
        }
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the fields that are given; `from_json` reads it back."""
        out: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is None or (entry.name in ("tags", "metadata", "source") and not value):
                continue
            if isinstance(value, tuple):
                value = list(value)
            elif isinstance(value, Mapping):
                value = dict(value)
            out[entry.name] = value
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sample:
        """The sample that `to_json` wrote."""
        return cls(**data)


def stable_id(user_input: str, reference: str | None) -> str:
    """Twelve hex digits that stay the same while the question and the right answer do.

    Never of the response: a row keeps its id when the RAG answers differently, so that runs pair up.
    """
    text = json.dumps([user_input, reference], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
