"""How far contexts carry the wording of a text: the measure behind the embedded metrics.

Per sentence of the text:

    support = clip(0.5 * coverage + 0.5 * phrasing - 0.15 * [negation differs] - 0.15 * [a number is missing])

- coverage: share of the sentence's content words that the best window of two consecutive sentences of one
  context holds, each word weighted by its rarity, ln((N + 1) / (n + 0.5)), in the N sentences of the contexts,
  n of which hold it.
- phrasing: share of the sentence's pairs of neighbouring words that are neighbours in a context too.
- negation differs: the sentence negates and the context sentences nearest to it do not, or the other way round.
- a number is missing: the sentence holds a number that the window does not.

A text is worth the mean of its sentences. The weights are round numbers chosen by hand, not fitted;
docs/embedded.md says what the measure is worth and what it cannot see.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_ragas.metrics.embedded.sentences import sentences
from pytest_ragas.metrics.embedded.words import content, negated, numbers, stem, words

COVERAGE_WEIGHT = 0.5
PHRASING_WEIGHT = 0.5
NEGATION_PENALTY = 0.15
NUMBER_PENALTY = 0.15

# Sums of the same weights in another order differ by rounding
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """How far the contexts carry one sentence, and what they lack."""

    sentence: str
    value: float
    """In [0, 1]."""
    window: str
    """The passage that carries most of it; empty if no context holds any of its content words."""
    missing_words: tuple[str, ...]
    """Content words that the window does not hold, in lower case, in the order of the sentence."""
    missing_numbers: tuple[str, ...]
    """Numbers that the window does not hold, sorted."""
    negation_differs: bool

    @property
    def carried(self) -> bool:
        """Whether the contexts carry the larger part of it."""
        return self.value >= 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What is kept of a sentence of a context."""

    text: str
    stems: frozenset[str]
    numbers: frozenset[str]
    negated: bool


class ContextIndex:
    """Contexts, read once, so that judging a sentence does not go through all of them again.

    Reading costs time in proportion to the contexts; a sentence costs time in proportion to the places
    where its content words occur.
    """

    def __init__(self, contexts: Sequence[str]) -> None:
        self._sentences: list[_Reading] = []
        self._ends: set[int] = set()
        """Indexes of the sentences that end a context: no window goes on beyond them."""
        self._places: dict[str, list[int]] = {}
        """Stem of a content word -> indexes of the sentences that hold it, ascending."""
        self._words: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        for context in contexts:
            self._read(context)

    def __bool__(self) -> bool:
        """Whether there is any word in the contexts."""
        return bool(self._words)

    def supports(self, text: str) -> tuple[Support, ...]:
        """The sentences of a text, judged in order, but for those without content words ("Yes, it is.")."""
        return tuple(support for sentence in sentences(text) if (support := self._support(sentence)) is not None)

    def _read(self, context: str) -> None:
        in_order: list[str] = []
        for sentence in sentences(context):
            found = words(sentence)
            reading = _Reading(
                text=sentence,
                stems=frozenset(map(stem, content(found))),
                numbers=frozenset(numbers(found)),
                negated=negated(found),
            )
            for word in reading.stems:
                self._places.setdefault(word, []).append(len(self._sentences))
            self._sentences.append(reading)
            in_order += found
        self._ends.add(len(self._sentences) - 1)
        self._words.update(in_order)
        self._pairs.update(pairwise(in_order))

    def _support(self, sentence: str) -> Support | None:
        found = words(sentence)
        telling = content(found)
        if not telling:
            return None
        counts = Counter(map(stem, telling))
        weights = {word: count * self._rarity(word) for word, count in counts.items()}
        by_sentence, by_window = self._held(weights)
        wanted = numbers(found)
        window = self._best_window(by_window, wanted)
        held = frozenset[str]().union(*(reading.stems for reading in window))
        missing_numbers = wanted.difference(*(reading.numbers for reading in window))
        negation_differs = self._negation_differs(by_sentence, negated(found))
        value = (
            COVERAGE_WEIGHT * max(by_window.values(), default=0.0) / sum(weights.values())
            + PHRASING_WEIGHT * self._phrasing(found)
            - NEGATION_PENALTY * negation_differs
            - NUMBER_PENALTY * bool(missing_numbers)
        )
        return Support(
            sentence=sentence,
            value=min(1.0, max(0.0, value)),
            window=" ".join(reading.text for reading in window),
            missing_words=tuple(dict.fromkeys(word for word in telling if stem(word) not in held)),
            missing_numbers=tuple(sorted(missing_numbers)),
            negation_differs=negation_differs,
        )

    def _rarity(self, word: str) -> float:
        return math.log((len(self._sentences) + 1) / (len(self._places.get(word, ())) + 0.5))

    def _held(self, weights: Mapping[str, float]) -> tuple[dict[int, float], dict[int, float]]:
        """What each sentence and each window holds of the weights; those that hold nothing are left out.

        A window is named by the index of its first sentence.
        """
        by_sentence: defaultdict[int, float] = defaultdict(float)
        by_window: defaultdict[int, float] = defaultdict(float)
        for word, weight in weights.items():
            previous = -1
            for place in self._places.get(word, ()):
                by_sentence[place] += weight
                by_window[place] += weight
                # the window before holds it too; if its first sentence does as well, it is counted already
                before = place - 1
                if before not in (-1, previous) and before not in self._ends:
                    by_window[before] += weight
                previous = place
        return by_sentence, by_window

    def _best_window(self, by_window: Mapping[int, float], wanted: set[str]) -> list[_Reading]:
        """The window that holds most; among equals the one that lacks fewest numbers, then the first."""
        windows = [self._window(start) for start in _best(by_window)]
        return min(
            windows,
            key=lambda window: len(wanted.difference(*(reading.numbers for reading in window))),
            default=[],
        )

    def _window(self, start: int) -> list[_Reading]:
        return self._sentences[start : start + (1 if start in self._ends else 2)]

    def _negation_differs(self, by_sentence: Mapping[int, float], negates: bool) -> bool:
        nearest = [self._sentences[place] for place in _best(by_sentence)]
        return bool(nearest) and all(reading.negated != negates for reading in nearest)

    def _phrasing(self, found: Sequence[str]) -> float:
        pairs = set(pairwise(found))
        if not pairs:
            return float(found[0] in self._words)
        return len(pairs & self._pairs) / len(pairs)


def mean(supports: Sequence[Support]) -> float:
    """What a text is worth, in [0, 1]; of at least one sentence."""
    return sum(support.value for support in supports) / len(supports)


def _best(held: Mapping[int, float]) -> list[int]:
    most = max(held.values(), default=0.0)
    return sorted(index for index, weight in held.items() if weight >= most - _SAME)
