"""context_precision: whether the useful contexts come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_ragas.metrics.native.inputs import contexts_of, text_of
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.statements import supported
from pytest_ragas.metrics.native.structure import TEXT, VERDICT, Verdict, counted, read_verdict, structure
from pytest_ragas.metrics.native.together import together
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

USEFULNESS = "usefulness"
"""Name of the prompt."""

_STRUCTURE = structure("Usefulness", reason=TEXT, verdict=VERDICT)


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextPrecision:
    """Average precision over the ranks of the contexts that were useful. One call a context, all at once.

    Source:
        ragas 0.4.3 `ContextPrecisionWithReference`, `ContextPrecisionWithoutReference`.
    """

    name: str
    llm: LLM
    answer: Literal["reference", "response"]
    """The text that a context must have been useful for."""

    @classmethod
    def with_reference(cls, context: MetricContext) -> ContextPrecision:
        """Useful for the right answer."""
        return cls(name=context.name, llm=require_llm(context), answer="reference")

    @classmethod
    def without_reference(cls, context: MetricContext) -> ContextPrecision:
        """Useful for the answer that the RAG gave."""
        return cls(name=context.name, llm=require_llm(context), answer="response")

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The contexts, or the text that they are judged by, are empty.
            ModelError: The critic did not answer on one of the contexts.
        """
        question = text_of(sample, "user_input", self.name)
        answer = text_of(sample, self.answer, self.name)
        contexts = contexts_of(sample, self.name)
        verdicts = await together(*(self._judge(question, answer, context) for context in contexts))
        ranks = [str(rank) for rank, verdict in enumerate(verdicts, 1) if verdict.value]
        where = f", at rank{'s' if len(ranks) > 1 else ''} {', '.join(ranks)}" if ranks else ""
        return Score(
            metric=self.name,
            value=average_precision([verdict.value for verdict in verdicts]),
            reason=f"{supported(verdicts)} of {counted(len(verdicts), 'context')} useful for the {self.answer}{where}",
            evidence=tuple(
                Finding(kind="context", text=context, value=verdict.value, reason=verdict.reason)
                for context, verdict in zip(contexts, verdicts, strict=True)
            ),
        )

    async def _judge(self, question: str, answer: str, context: str) -> Verdict:
        if not context.strip():
            return Verdict(0, "The context is empty.")
        data = {"question": question, "answer": answer, "context": context}
        said = await prompt(USEFULNESS).ask(self.llm, data, _STRUCTURE)
        return read_verdict(said, said.value)


def average_precision(verdicts: Sequence[int]) -> float:
    """Mean, over the useful ranks, of the share of useful contexts down to that rank; 0 if none is useful.

    Args:
        verdicts: 1 or 0 for each context, best rank first.
    """
    useful = 0
    total = 0.0
    for rank, verdict in enumerate(verdicts, 1):
        useful += verdict
        total += verdict * useful / rank
    return total / useful if useful else 0.0
