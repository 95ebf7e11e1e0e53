"""`text_context_recall`: how many of the right passages were retrieved, by the likeness of their text."""

from __future__ import annotations

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.free.edit_distance import similarity
from pytest_ragas.metrics.free.words import common_words, words
from pytest_ragas.metrics.options import choice, share
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

__all__ = ["TextContextRecall", "containment"]

_THRESHOLDS = {"levenshtein": 0.5, "containment": 0.8}


def containment(passage: str, context: str) -> float:
    """Share of the passage's words that the context has in the same order, in [0, 1]; 0 without words."""
    needed = words(passage)
    return common_words(needed, words(context)) / len(needed) if needed else 0.0


class TextContextRecall:
    """Share of the `reference_contexts` that were retrieved, judged by their text, without ids or an LLM.

    A reference context was retrieved if its likeness to the most alike retrieved context is greater
    than `threshold`, or 1. Nothing retrieved is a recall of 0. Option `measure`:

    - "levenshtein" (default, threshold 0.5): `1 - edits / length of the longer text`. Right where the
      reference contexts are cut like the retrieved ones; a passage inside a chunk of more than twice
      its length is not found. The value of ragas' `NonLLMContextRecall` with its defaults.
    - "containment" (threshold 0.8): the share of the passage's words that the retrieved context has in
      the same order (ROUGE-L recall). Right where the chunks are larger than the passages.

    Empty reference contexts are left out; a passage that is given twice counts twice, as in ragas.
    """

    def __init__(self, context: MetricContext) -> None:
        """
        Raises:
            ConfigurationError: An option that cannot be used.
        """
        self.name = context.name or "text_context_recall"
        measure = choice(context.options, "measure", tuple(_THRESHOLDS), metric=self.name, default="levenshtein")
        self._likeness = {"levenshtein": similarity, "containment": containment}[measure]
        self._threshold = share(context.options, "threshold", metric=self.name, default=_THRESHOLDS[measure])

    async def score(self, sample: Sample) -> Score:
        """Look for every reference context among the retrieved ones.

        Raises:
            NothingToJudgeError: `reference_contexts` holds no text.
        """
        passages = [passage for passage in sample.reference_contexts or () if passage.strip()]
        if not passages:
            raise NothingToJudgeError("reference_contexts holds no text: no passage is right, so none can be missed.")
        evidence = tuple(self._look_for(passage, sample) for passage in passages)
        found = sum(1 for finding in evidence if not finding.bad)
        reason = f"{found} of {len(passages)} reference contexts were retrieved"
        return Score(metric=self.name, value=found / len(passages), reason=reason, evidence=evidence)

    def _look_for(self, passage: str, sample: Sample) -> Finding:
        likeness = [self._likeness(passage, retrieved) for retrieved in sample.retrieved_contexts or ()]
        best = max(likeness, default=0.0)
        return Finding(
            kind="context",
            text=passage,
            value=float(best > self._threshold or best == 1),
            reason=f"retrieved context {likeness.index(best) + 1} is the most alike, {best:.2f}"
            if likeness
            else "nothing was retrieved",
            part="reference",
        )
