"""response_groundedness: how far the contexts support the response as a whole, as two judges rate it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ragas.metrics.native.inputs import contexts_of, text_of
from pytest_ragas.metrics.native.judges import two_judges
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

JUDGES = ("groundedness_1", "groundedness_2")
"""Names of the prompts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponseGroundedness:
    """Mean of two ratings from 0 (unsupported) to 2 (supported), halved. Two calls at once.

    Source:
        NVIDIA's metric as in ragas 0.4.3 `ResponseGroundedness`.
    """

    name: str
    llm: LLM

    @classmethod
    def build(cls, context: MetricContext) -> ResponseGroundedness:
        """The metric for this critic."""
        return cls(name=context.name, llm=require_llm(context))

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response or contexts are empty.
            ModelError: A judge did not answer, or not with a rating.
        """
        response = text_of(sample, "response", self.name)
        data = {"contexts": contexts_of(sample, self.name), "assertion": response}
        return await two_judges(self.llm, JUDGES, data, metric=self.name, kind="statement", text=response)
