"""answer_correctness: how far response and reference carry each other's wording."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ragas.metrics.embedded.evidence import carried, findings, supports_of
from pytest_ragas.metrics.embedded.grounding import ContextIndex, mean
from pytest_ragas.metrics.native.inputs import text_of
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerCorrectness:
    """F1 of two supports: of the response in the reference, and of the reference in the response."""

    name: str

    @classmethod
    def build(cls, context: MetricContext) -> AnswerCorrectness:
        """The metric under the name that was asked for."""
        return cls(name=context.name)

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response or reference are empty, or have no content words.
        """
        said, right = text_of(sample, "response", self.name), text_of(sample, "reference", self.name)
        of_response = supports_of(sample, "response", ContextIndex([right]), self.name)
        of_reference = supports_of(sample, "reference", ContextIndex([said]), self.name)
        return Score(
            metric=self.name,
            value=_f1(mean(of_response), mean(of_reference)),
            reason=(
                f"the reference carries {carried(of_response)} of the response, "
                f"the response {carried(of_reference)} of the reference"
            ),
            evidence=findings(of_response, "response") + findings(of_reference, "reference"),
        )


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
