"""faithfulness, response_groundedness and context_recall: how far the contexts carry a text of the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_ragas.metrics.embedded.evidence import carried, findings, index_of, supports_of
from pytest_ragas.metrics.embedded.grounding import mean
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounded:
    """Mean support that the sentences of a text find in the wording of the retrieved contexts."""

    name: str
    text: Literal["response", "reference"]
    """Whose sentences: of the response for faithfulness, of the reference for context_recall."""

    @classmethod
    def of_response(cls, context: MetricContext) -> Grounded:
        """Does the response keep to the contexts?"""
        return cls(name=context.name, text="response")

    @classmethod
    def of_reference(cls, context: MetricContext) -> Grounded:
        """Do the contexts hold what the right answer says?"""
        return cls(name=context.name, text="reference")

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The text or the contexts are empty, or the text has no content words.
        """
        index = index_of(sample, self.name)
        supports = supports_of(sample, self.text, index, self.name)
        return Score(
            metric=self.name,
            value=mean(supports),
            reason=f"the wording of the contexts carries {carried(supports)} of the {self.text}",
            evidence=findings(supports, part=self.text),
        )
