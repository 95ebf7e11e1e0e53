"""Two numbers made of log-probabilities: the share of a statement that a context explains, and the calibrated yes.

    explained = clip(1 - surprisal(statement | context, question) / surprisal(statement | question))
    yes       = 1 / (1 + exp(-(yes(statement, context) - yes(statement))))

The surprisal of a statement is minus the sum of the log-probabilities of its tokens. `explained` is the pointwise
mutual information of statement and context over the statement's own surprisal: 1 where nothing of it is left to be
surprised about once the context was read, 0 where the context is no help, or misleads.

`yes` is the log-odds of "yes" against "no" to whether the document supports the statement, less the log-odds that the
model gives without any document: small models say yes, or no, to everything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.errors import ModelError
from pytest_ragas.values.likelihood import Likelihood

_SURE = 1e-6
"""Nats. A statement that is certain anyway has nothing that a context could explain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word of a statement, with what is surprising about it."""

    text: str
    alone: float
    """Surprisal in nats without the context: at least 0."""
    given: float
    """Surprisal in nats with it."""


def explained(likelihood: Likelihood) -> float:
    """Share of a statement's surprisal that the context explains, in [0, 1].

    Raises:
        ModelError: The log-probabilities are not finite.
    """
    alone, given = -_total(likelihood.alone, likelihood), -_total(likelihood.given, likelihood)
    if alone <= _SURE:
        return 0.0
    return min(1.0, max(0.0, (alone - given) / alone))


def calibrated_yes(likelihood: Likelihood) -> float:
    """The chance of "yes" that the context adds, in [0, 1]; 0.5 where it changes nothing.

    Raises:
        ModelError: The model was not asked, or its log-odds are not finite.
    """
    if likelihood.yes is None or likelihood.yes_alone is None:
        raise ModelError("The likelihood critic gave no log-odds of yes against no.")
    added = _total((likelihood.yes, -likelihood.yes_alone), likelihood)
    # of the one sign that cannot overflow
    small = math.exp(-abs(added))
    return 1 / (1 + small) if added >= 0 else small / (1 + small)


def words_of(likelihood: Likelihood) -> tuple[Word, ...]:
    """The words of a statement, put together from the pieces that the model reads."""
    words: list[Word] = []
    parts: list[tuple[str, float, float]] = []
    for piece, alone, given in zip(likelihood.tokens, likelihood.alone, likelihood.given, strict=True):
        begins = piece[:1].isspace() or (bool(parts) and parts[-1][0][-1:].isspace())
        if begins and any(part.strip() for part, _, _ in parts):  # a space may be a piece of its own
            words.append(_word(parts))
            parts = []
        parts.append((piece, -alone, -given))
    return (*words, _word(parts)) if parts else tuple(words)


def least_explained(likelihood: Likelihood, *, most: int, above: float) -> tuple[Word, ...]:
    """The words that still surprise most once the context was read.

    Args:
        likelihood: Of the statement.
        most: How many at most, the worst first.
        above: Nats; what surprises less is not worth a mention.
    """
    surprising = [word for word in words_of(likelihood) if word.given > above]
    return tuple(sorted(surprising, key=lambda word: -word.given)[:most])


def _word(parts: Sequence[tuple[str, float, float]]) -> Word:
    return Word(
        text="".join(piece for piece, _, _ in parts).strip(),
        alone=sum(alone for _, alone, _ in parts),
        given=sum(given for _, _, given in parts),
    )


def _total(values: Sequence[float], likelihood: Likelihood) -> float:
    total = math.fsum(values) if all(map(math.isfinite, values)) else math.nan
    if math.isnan(total):
        raise ModelError(f"The likelihood critic gave numbers that are not finite for {likelihood.statement[:80]!r}.")
    return total
