"""What goes to a model and what comes back: messages, structured answers, usage, identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of a conversation with an LLM."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What calls to a model cost. Adds up with `+`."""

    calls: int = 0
    """Requests that were sent, retries included."""
    prompt_tokens: int = 0
    """Tokens read, as the server counted them; 0 where it does not say."""
    completion_tokens: int = 0
    """Tokens written, as the server counted them; 0 where it does not say."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls - other.calls,
            prompt_tokens=self.prompt_tokens - other.prompt_tokens,
            completion_tokens=self.completion_tokens - other.completion_tokens,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A structured answer of an LLM."""

    value: Any
    """The JSON value, already validated against the schema of the request."""
    raw: str = ""
    """The text as it came."""
    usage: Usage = Usage()


class Vectors(list[Sequence[float]]):
    """Vectors of texts, in their order, and what they cost: for embeddings that know it."""

    __slots__ = ("usage",)

    def __init__(self, vectors: Iterable[Sequence[float]], *, usage: Usage) -> None:
        """
        Args:
            vectors: One for each text.
            usage: Of all the requests that they took.
        """
        super().__init__(vectors)
        self.usage = usage


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelIdentity:
    """Which model judged: part of every score's identity. Holds no secret."""

    provider: str
    """Which of our clients talks to it: "openai", "langchain", "sentence-transformers", "embedded" …"""
    name: str
    """The model's name, path or hub id."""
    endpoint: str = ""
    """Base URL without credentials; empty for local models."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What else decides its answers: generation parameters as sorted (name, JSON) pairs."""

    def __str__(self) -> str:
        return f"{self.name} at {self.endpoint}" if self.endpoint else self.name

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "provider": self.provider,
            "name": self.name,
            "endpoint": self.endpoint,
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelIdentity:
        """The identity that `to_json` wrote."""
        return cls(**{**data, "parameters": tuple(sorted(data["parameters"].items()))})


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedCritic:
    """Stands for `critic_llm = "embedded"`: no LLM, but a measure of the wording.

    It answers no prompt. Metrics see it and take their `embedded` backend.
    """

    identity: ModelIdentity = ModelIdentity(provider="embedded", name="embedded")
