"""`rouge_l`: how much of response and reference is one common sequence of words."""

from __future__ import annotations

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.free.words import common_words, words
from pytest_ragas.metrics.options import choice
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

__all__ = ["RougeL"]


class RougeL:
    """ROUGE-L of response and reference, sentence level.

    With L the length of the longest common subsequence of their words, precision = L / words of the
    response, recall = L / words of the reference, F1 = 2·P·R / (P + R). Option `mode`: "f1" (default),
    "precision", "recall". Words are those of `words`: no stemmer, unlike ragas' `RougeScore`, which sets
    `use_stemmer=True` and counts ASCII letters only.

    Source:
        Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", with beta = 1.
    """

    def __init__(self, context: MetricContext) -> None:
        """
        Raises:
            ConfigurationError: An option that cannot be used.
        """
        self.name = context.name or "rouge_l"
        self._mode = choice(context.options, "mode", ("f1", "precision", "recall"), metric=self.name, default="f1")

    async def score(self, sample: Sample) -> Score:
        """Compare the words of `response` with those of `reference`.

        Raises:
            NothingToJudgeError: The response or the reference has no words.
        """
        said, wanted = words(sample.response or ""), words(sample.reference or "")
        for field, found in (("response", said), ("reference", wanted)):
            if not found:
                raise NothingToJudgeError(f"The {field} has no words: there is nothing to compare.")
        common = common_words(said, wanted)
        precision, recall = common / len(said), common / len(wanted)
        f1 = 2 * precision * recall / (precision + recall) if common else 0.0
        return Score(
            metric=self.name,
            value={"f1": f1, "precision": precision, "recall": recall}[self._mode],
            reason=f"{common} words in the same order, of {len(said)} in the response, {len(wanted)} in the reference",
            evidence=(
                Finding(
                    kind="similarity",
                    text=sample.response or "",
                    value=precision,
                    part="response",
                    reason=f"precision: {common} of {len(said)} words",
                ),
                Finding(
                    kind="similarity",
                    text=sample.reference or "",
                    value=recall,
                    part="reference",
                    reason=f"recall: {common} of {len(wanted)} words",
                ),
            ),
        )
