"""context_recall: the share of the reference's sentences that the retrieved contexts support."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ragas.metrics.embedded.sentences import sentences
from pytest_ragas.metrics.native.inputs import contexts_of, nothing_found, text_of
from pytest_ragas.metrics.native.statements import judge_statements, supported
from pytest_ragas.metrics.native.structure import counted
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextRecall:
    """Attributable sentences of the reference / its sentences. One call.

    ragas lets the critic find the sentences while it judges them, so that nobody notices one that it skips.
    We cut and number them, and hold the critic to one verdict each.

    Source:
        ragas 0.4.3 `ContextRecall`.
    """

    name: str
    llm: LLM

    @classmethod
    def build(cls, context: MetricContext) -> ContextRecall:
        """The metric for this critic."""
        return cls(name=context.name, llm=require_llm(context))

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Reference or contexts are empty.
            ModelError: The critic did not answer, or not one verdict for each sentence.
        """
        question = text_of(sample, "user_input", self.name)
        contexts = contexts_of(sample, self.name)
        pieces = sentences(text_of(sample, "reference", self.name))
        if not pieces:
            raise nothing_found(sample, "sentence", "reference", self.name)
        verdicts = await judge_statements(self.llm, contexts, pieces, question=question)
        good = supported(verdicts)
        return Score(
            metric=self.name,
            value=good / len(verdicts),
            reason=f"{good} of {counted(len(verdicts), 'sentence')} of the reference supported by the contexts",
            evidence=tuple(
                Finding(kind="sentence", text=piece, value=verdict.value, reason=verdict.reason, part="reference")
                for piece, verdict in zip(pieces, verdicts, strict=True)
            ),
        )
