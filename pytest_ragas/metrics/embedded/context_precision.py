"""context_precision: whether the contexts that share wording with the right answer come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_ragas.errors import cut
from pytest_ragas.metrics.embedded.evidence import no_content, why
from pytest_ragas.metrics.embedded.grounding import ContextIndex
from pytest_ragas.metrics.native.context_precision import average_precision
from pytest_ragas.metrics.native.inputs import contexts_of, text_of
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

USEFUL = 0.25
"""A context is useful if it supports a sentence of the text at least so far.

Lower than one half: a reference is seldom worded like the context that holds it. docs/embedded.md has the
balanced accuracy at this bound."""

_CONTEXT_SHOWN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextPrecision:
    """Average precision over the ranks of the useful contexts; each context is held against the text alone.

    Source:
        The rank formula of ragas 0.4.3 `ContextPrecisionWithReference`; the verdicts are ours.
    """

    name: str
    text: Literal["reference", "response"]
    """What a context must be useful for."""

    @classmethod
    def with_reference(cls, context: MetricContext) -> ContextPrecision:
        """Useful for the right answer."""
        return cls(name=context.name, text="reference")

    @classmethod
    def without_reference(cls, context: MetricContext) -> ContextPrecision:
        """Useful for the answer that the RAG gave."""
        return cls(name=context.name, text="response")

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The text or the contexts are empty, or the text has no content words.
        """
        text = text_of(sample, self.text, self.name)
        evidence = []
        for context in contexts_of(sample, self.name):
            supports = ContextIndex([context]).supports(text)
            if not supports:
                raise no_content(sample, self.text, text, self.name)
            best = max(supports, key=lambda support: support.value)
            reason = f"support {best.value:.2f} for {cut(best.sentence, 80)!r}; {why(best)}"
            useful = float(best.value >= USEFUL)
            evidence.append(Finding(kind="context", text=cut(context, _CONTEXT_SHOWN), value=useful, reason=reason))
        verdicts = [int(finding.value) for finding in evidence]
        return Score(
            metric=self.name,
            value=average_precision(verdicts),
            reason=f"{sum(verdicts)} of {len(verdicts)} contexts share enough wording with the {self.text}",
            evidence=tuple(evidence),
        )
