"""Which metric asks a model, for which row: the models do not know, and messages must say it."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """One score under way."""

    metric: str = ""
    sample: str = ""
    answers: dict[str, None] = field(default_factory=dict)
    """Keys of what models answered for it so far, in order."""
    unanswered: list[str] = field(default_factory=list)
    """Keys of what a model was asked, and did not answer."""


ASKING: contextvars.ContextVar[Asking] = contextvars.ContextVar("ragas_asking")


def asking() -> Asking:
    """The score that is under way here; an empty one outside of any."""
    return ASKING.get(None) or Asking()
