"""faithfulness: the share of the response's statements that the retrieved contexts support."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ragas.metrics.native.inputs import contexts_of, nothing_found, text_of
from pytest_ragas.metrics.native.statements import (
    find_statements,
    judge_statements,
    statement_findings,
    supported,
)
from pytest_ragas.metrics.native.structure import counted
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Faithfulness:
    """Supported statements / statements. Two calls, one after the other.

    Source:
        Es et al. 2023, arXiv:2309.15217, section 3; ragas 0.4.3 `Faithfulness`.
    """

    name: str
    llm: LLM

    @classmethod
    def build(cls, context: MetricContext) -> Faithfulness:
        """The metric for this critic."""
        return cls(name=context.name, llm=require_llm(context))

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response or contexts are empty, or the response states nothing.
            ModelError: The critic did not answer, or not one verdict for each statement.
        """
        question = text_of(sample, "user_input", self.name)
        response = text_of(sample, "response", self.name)
        contexts = contexts_of(sample, self.name)
        statements = await find_statements(self.llm, question, response)
        if not statements:
            raise nothing_found(sample, "statement", "response", self.name)
        verdicts = await judge_statements(self.llm, contexts, statements)
        good = supported(verdicts)
        return Score(
            metric=self.name,
            value=good / len(verdicts),
            reason=f"{good} of {counted(len(verdicts), 'statement')} supported by the contexts",
            evidence=statement_findings(statements, verdicts, "response"),
        )
