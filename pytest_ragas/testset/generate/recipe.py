"""`Recipe`: what a testset shall be like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.testset.documents.chunks import SIZE

DISTRIBUTION: Mapping[str, float] = MappingProxyType({"simple": 0.5, "multi_context": 0.4, "reasoning": 0.1})
"""Shares of the question types where none are named: those of EvalScope's RAGAS page."""

GENERATORS = ("native", "ragas")
"""Whose steps can write a testset."""

_TOLERANCE = 0.001


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What a testset shall be like. The same recipe, documents and answers of the models give the same rows."""

    test_size: int = 10
    """Rows; exactly so many, or an error."""
    distribution: Mapping[str, float] = field(default_factory=lambda: dict(DISTRIBUTION))
    """Question type -> share; they sum to 1, give or take 0.001."""
    language: str = ""
    """The language of questions and answers, in English words ("German"); empty for that of the documents."""
    seed: int = 0
    """Decides which passages are asked about."""
    chunk_size: int = SIZE
    """Characters of a passage, 100 or more."""
    attempts: int = 5
    """Candidates that are written for a row before it is given up."""
    respond: bool = False
    """Whether the generator LLM also answers each question from its contexts, as a stand-in for a RAG."""
    generator: str = "native"
    """Whose steps write the questions: "native", or "ragas" for its TestsetGenerator."""

    def __post_init__(self) -> None:
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, least in (("test_size", 1), ("attempts", 1), ("chunk_size", 100)):
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigurationError(f"{name}={value!r} must be a whole number of {least} or more.")
        if isinstance(values["seed"], bool) or not isinstance(values["seed"], int):
            raise ConfigurationError(f"seed={self.seed!r} must be a whole number.")
        if values["generator"] not in GENERATORS:
            raise ConfigurationError(f"generator={self.generator!r} must be one of {', '.join(map(repr, GENERATORS))}.")
        if not isinstance(values["language"], str):
            raise ConfigurationError(f'language={self.language!r} must be a text. Write for example "German".')
        _check_shares(values["distribution"])

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "test_size": self.test_size,
            "distribution": dict(self.distribution),
            "language": self.language,
            "seed": self.seed,
            "chunk_size": self.chunk_size,
            "attempts": self.attempts,
            "respond": self.respond,
            "generator": self.generator,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_json` wrote.

        Raises:
            ConfigurationError: Somebody has edited it so that it is none.
        """
        try:
            return cls(**data)
        except TypeError as error:
            raise ConfigurationError(f"It holds no recipe ({error}).") from None


def _check_shares(distribution: Any) -> None:
    example = 'Write for example distribution={"simple": 0.5, "multi_context": 0.4, "reasoning": 0.1}.'
    if not isinstance(distribution, Mapping) or not distribution:
        raise ConfigurationError(f"distribution={distribution!r} must name question types and their shares. {example}")
    for name, share in distribution.items():
        number = isinstance(share, (int, float)) and not isinstance(share, bool)
        if not isinstance(name, str) or not number or not math.isfinite(share) or share < 0:
            raise ConfigurationError(f"The share {name!r}: {share!r} must be a number from 0 to 1. {example}")
    total = math.fsum(distribution.values())
    if abs(total - 1) > _TOLERANCE + 1e-9:
        raise ConfigurationError(
            f"The shares of the distribution sum to {total:g}, not to 1 ({_shown(distribution)}). {example}"
        )


def _shown(distribution: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in distribution.items())
