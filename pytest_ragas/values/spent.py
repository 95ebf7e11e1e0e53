"""`Spent`: what requests to models cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What requests cost. Adds up with `+`."""

    calls: int = 0
    """Requests that were sent, retries included."""
    tokens: int = 0
    """Tokens read and written; estimated where the server does not say."""
    usd: float = 0.0
    """US dollars, at the configured prices."""
    refused: int = 0
    """Requests that a budget had no room for: they were not sent."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            refused=self.refused + other.refused,
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Spent:
        """What `to_json` wrote."""
        return cls(**data)


def dollars(amount: float) -> str:
    """US dollars with as many digits as small amounts need."""
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
