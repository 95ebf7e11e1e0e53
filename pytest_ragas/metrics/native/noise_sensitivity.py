"""noise_sensitivity: the share of the response's statements that are wrong because a context misled it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.metrics.native.inputs import contexts_of, nothing_found, text_of
from pytest_ragas.metrics.native.statements import find_statements, judge_statements
from pytest_ragas.metrics.native.structure import Verdict, counted
from pytest_ragas.metrics.native.together import together
from pytest_ragas.metrics.options import choice
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

_MISLEADING = {"relevant": "relevant contexts", "irrelevant": "irrelevant contexts alone"}


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseSensitivity:
    """Wrong statements that a context supports / statements of the response. Lower is better.

    A statement is wrong if the reference does not support it. A context is relevant if it supports a statement of the
    reference. Mode "relevant": wrong statements that a relevant context supports; "irrelevant": wrong statements that
    only irrelevant contexts support. Two calls at once, then one for each context and one for the reference, all at
    once (ragas: two for each context, one after the other).

    Source:
        ragas 0.4.3 `NoiseSensitivity`.
    """

    name: str
    llm: LLM
    mode: str

    @classmethod
    def build(cls, context: MetricContext) -> NoiseSensitivity:
        """The metric for this critic; option `mode` ("relevant")."""
        mode = choice(context.options, "mode", ("relevant", "irrelevant"), metric=context.name, default="relevant")
        return cls(name=context.name, llm=require_llm(context), mode=mode)

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response, reference or contexts are empty, or state nothing.
            ModelError: The critic did not answer, or not one verdict for each statement.
        """
        question = text_of(sample, "user_input", self.name)
        response = text_of(sample, "response", self.name)
        reference = text_of(sample, "reference", self.name)
        contexts = contexts_of(sample, self.name)
        expected, said = await together(
            find_statements(self.llm, question, reference), find_statements(self.llm, question, response)
        )
        if not expected:
            raise nothing_found(sample, "statement", "reference", self.name)
        if not said:
            raise nothing_found(sample, "statement", "response", self.name)
        # one request a context for the statements of both: it reads the context once
        right, *per_context = await together(
            judge_statements(self.llm, [reference], said),
            *(judge_statements(self.llm, [context], [*expected, *said]) for context in contexts),
        )
        relevant = [any(verdict.value for verdict in verdicts[: len(expected)]) for verdicts in per_context]
        support = [verdicts[len(expected) :] for verdicts in per_context]
        evidence = tuple(
            self._finding(statement, right[index], [verdicts[index] for verdicts in support], relevant)
            for index, statement in enumerate(said)
        )
        misled = sum(finding.bad for finding in evidence)
        return Score(
            metric=self.name,
            value=misled / len(said),
            reason=f"{misled} of {counted(len(said), 'statement')} wrong, from {_MISLEADING[self.mode]}",
            evidence=evidence,
            higher_is_better=False,
        )

    def _finding(self, statement: str, right: Verdict, support: Sequence[Verdict], relevant: Sequence[bool]) -> Finding:
        """Value 0 for a wrong statement that a context of the mode's kind led to, else 1."""
        by_relevant = [rank for rank, verdict in enumerate(support, 1) if verdict.value and relevant[rank - 1]]
        by_others = [rank for rank, verdict in enumerate(support, 1) if verdict.value and not relevant[rank - 1]]
        # a statement that relevant contexts support as well is not the irrelevant ones' doing
        sources = by_relevant if self.mode == "relevant" else ([] if by_relevant else by_others)
        if right.value or not sources:
            reason = right.reason if right.value else f"not in the reference, but not misled: {right.reason}"
            return Finding(kind="statement", text=statement, value=1.0, reason=reason, part="response")
        ranks = ", ".join(str(rank) for rank in sources)
        return Finding(
            kind="statement",
            text=statement,
            value=0.0,
            reason=f"from context {ranks}, not in the reference: {right.reason}",
            part="response",
        )
