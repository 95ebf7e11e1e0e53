"""What the embedded metrics say beside a value: per sentence, what carries it and what is not there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pytest_ragas.errors import NothingToJudgeError, cut
from pytest_ragas.metrics.embedded.grounding import ContextIndex, Support
from pytest_ragas.metrics.native.inputs import contexts_of, text_of
from pytest_ragas.metrics.requirements import row_of
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding

_WORDS_SHOWN = 6
_PASSAGE_SHOWN = 160


def index_of(sample: Sample, metric: str) -> ContextIndex:
    """The retrieved contexts, read; the metrics of one sample share the reading.

    Raises:
        NothingToJudgeError: There are none, or none with a word in it.
    """
    index = _read(tuple(contexts_of(sample, metric)))
    if not index:
        raise NothingToJudgeError(f"{metric}: the retrieved_contexts of {row_of(sample)} hold no words.")
    return index


def supports_of(sample: Sample, field: str, index: ContextIndex, metric: str) -> tuple[Support, ...]:
    """The sentences of a text of the sample, judged; at least one.

    Args:
        sample: The row.
        field: "response", "reference" or "user_input".
        index: What they are held against.
        metric: Who asks, for the message.

    Raises:
        NothingToJudgeError: The text is absent or empty, or has no content words ("Yes.").
    """
    text = text_of(sample, field, metric)
    supports = index.supports(text)
    if not supports:
        raise no_content(sample, field, text, metric)
    return supports


def no_content(sample: Sample, field: str, text: str, metric: str) -> NothingToJudgeError:
    """The error for a text whose wording says nothing, such as "Yes." or "I do"."""
    return NothingToJudgeError(
        f"{metric}: the {field} of {row_of(sample)}, {cut(text, 60)!r}, has no content words, and those are all "
        "that the embedded measure compares. Judge such rows with a critic LLM."
    )


def findings(supports: Sequence[Support], part: str = "") -> tuple[Finding, ...]:
    """One finding for each sentence, in order.

    Args:
        supports: The judged sentences.
        part: Which text they are of, where a metric judges two.
    """
    return tuple(
        Finding(kind="sentence", text=support.sentence, value=support.value, reason=why(support), part=part)
        for support in supports
    )


def why(support: Support) -> str:
    """What the nearest passage lacks of a sentence, then the passage."""
    if not support.window:
        return "none of its content words occurs"
    said = []
    if support.missing_words:
        said.append(f"not in the nearest passage: {_listed(support.missing_words)}")
    if support.missing_numbers:
        said.append(f"number missing: {_listed(support.missing_numbers)}")
    if support.negation_differs:
        said.append("one negates, the other does not")
    said.append(f"nearest: {cut(support.window, _PASSAGE_SHOWN)!r}")
    return "; ".join(said)


def carried(supports: Sequence[Support]) -> str:
    """How many sentences are carried for the larger part: "2 of 3 sentences"."""
    count = sum(support.carried for support in supports)
    return f"{count} of {len(supports)} sentence{'' if len(supports) == 1 else 's'}"


# A few only: contexts may be long, and the metrics of one sample are scored one after the other
@lru_cache(maxsize=4)
def _read(contexts: tuple[str, ...]) -> ContextIndex:
    return ContextIndex(contexts)


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(words[:_WORDS_SHOWN])
    rest = len(words) - _WORDS_SHOWN
    return shown if rest <= 0 else f"{shown} and {rest} more"
