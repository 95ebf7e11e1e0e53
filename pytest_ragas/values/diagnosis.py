"""`Diagnosis`: whose fault a failed row is, as far as its scores can tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Cause = Literal["retrieval", "generation"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """Where a RAG went wrong on one row."""

    cause: Cause
    """retrieval: what was retrieved does not hold the answer. generation: it does, and the response does not follow."""
    text: str
    """What went wrong, in a few words, the piece to be read behind them: "no context holds"."""
    metric: str
    """The metric that says so."""
    piece: str = ""
    """The sentence, statement or context that shows it; empty where the metric names none."""
    also: str = ""
    """What went wrong besides; mostly empty."""

    def __str__(self) -> str:
        return f'{self.cause}: {self.text} "{self.piece}"' if self.piece else f"{self.cause}: {self.text}"

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)
