"""`Likelihood`: how likely a causal language model finds one statement, without and with a context."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Likelihood:
    """What a causal language model says of one statement. Nothing is generated: the statement is only read."""

    statement: str
    tokens: tuple[str, ...]
    """The statement in the pieces that the model reads, in order; at least one. They join to the statement."""
    alone: tuple[float, ...]
    """Log-probability (natural logarithm, at most 0) of each token after those before it, without the context."""
    given: tuple[float, ...]
    """The same with the context before it."""
    yes: float | None = None
    """Where it was asked whether the context supports the statement: log-odds of "yes" against "no"."""
    yes_alone: float | None = None
    """The same log-odds without the context: what the model says to this statement whatever stands before it."""
