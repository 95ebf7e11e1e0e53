"""answer_correctness: whether the response states what the reference states, and means the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pytest_ragas.metrics.native.factual_correctness import f_beta
from pytest_ragas.metrics.native.inputs import nothing_found, text_of
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.similarity import at_least_0, cosines
from pytest_ragas.metrics.native.statements import find_statements, supported
from pytest_ragas.metrics.native.structure import Verdict, numbered, read_verdicts, structure, verdicts_on
from pytest_ragas.metrics.native.together import together
from pytest_ragas.metrics.options import positive, two_weights
from pytest_ragas.metrics.requirements import require_embeddings, require_llm
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

CORRECTNESS = "correctness"
"""Name of the prompt."""

_WEIGHTS = (0.75, 0.25)


def models_used(options: Mapping[str, Any]) -> frozenset[Literal["llm", "embeddings"]]:
    """No embeddings where the similarity weighs nothing."""
    _, similarity = two_weights(options, "weights", metric="answer_correctness", default=_WEIGHTS)
    return frozenset({"llm", "embeddings"}) if similarity else frozenset({"llm"})


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerCorrectness:
    """Weighted mean of the F of the statements (0.75) and of the similarity (0.25).

    True positives are statements of the response that the reference supports, false positives those that it does not,
    false negatives statements of the reference that the response lacks. Two calls and one embedding request at once,
    then one call.

    Source:
        ragas 0.4.3 `AnswerCorrectness`. It scores an answer without statements 0.75 at least; here there is no score.
    """

    name: str
    llm: LLM
    embeddings: Embeddings | None
    """None where the similarity weighs nothing."""
    weights: tuple[float, float]
    """Of the statements and of the similarity."""
    beta: float
    """Above 1 recall weighs more, below 1 precision does."""

    @classmethod
    def build(cls, context: MetricContext) -> AnswerCorrectness:
        """The metric for these models; options `weights` ([0.75, 0.25]) and `beta` (1)."""
        weights = two_weights(context.options, "weights", metric=context.name, default=_WEIGHTS)
        return cls(
            name=context.name,
            llm=require_llm(context),
            embeddings=require_embeddings(context) if weights[1] else None,
            weights=weights,
            beta=positive(context.options, "beta", metric=context.name, default=1.0),
        )

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response or reference are empty, or state nothing.
            ModelError: Critic or embeddings did not answer, or not one verdict for each statement.
        """
        question = text_of(sample, "user_input", self.name)
        response = text_of(sample, "response", self.name)
        reference = text_of(sample, "reference", self.name)
        facts, alike = await together(
            self._statements(sample, question, response, reference), self._similarity(response, reference)
        )
        total = sum(self.weights)
        value = (self.weights[0] * facts.value + self.weights[1] * alike.value) / total
        reasons = [part.reason for part in (facts, alike) if part.reason]
        return Score(metric=self.name, value=value, reason="; ".join(reasons), evidence=facts.evidence + alike.evidence)

    async def _statements(self, sample: Sample, question: str, response: str, reference: str) -> Score:
        said, expected = await together(
            find_statements(self.llm, question, response), find_statements(self.llm, question, reference)
        )
        if not said:
            raise nothing_found(sample, "statement", "response", self.name)
        if not expected:
            raise nothing_found(sample, "statement", "reference", self.name)
        data = {
            "question": question,
            "reference_statements": numbered(expected),
            "response_statements": numbered(said),
        }
        answer = await prompt(CORRECTNESS).ask(self.llm, data, _structure(len(said), len(expected)))
        right = read_verdicts(answer, "response_verdicts", len(said), "response statement")
        covered = read_verdicts(answer, "reference_verdicts", len(expected), "reference statement")
        hits, misses = supported(right), len(covered) - supported(covered)
        value = f_beta(hits / len(right), hits / (hits + misses), self.beta) if hits else 0.0
        return Score(
            metric=self.name,
            value=value,
            reason=f"{hits} of {len(right)} statements right, {misses} of {len(covered)} of the reference missing",
            evidence=(
                *_findings(said, right, "true positive", "false positive"),
                *_findings(expected, covered, "reference", "false negative"),
            ),
        )

    async def _similarity(self, response: str, reference: str) -> Score:
        if self.embeddings is None:
            return Score(metric=self.name, value=0.0)
        [cosine] = await cosines(self.embeddings, reference, [response])
        value = at_least_0(cosine)
        return Score(
            metric=self.name,
            value=value,
            reason=f"cosine {cosine:.3f}",
            evidence=(Finding(kind="similarity", text=response, value=value, part="response"),),
        )


@lru_cache(maxsize=256)
def _structure(said: int, expected: int) -> JSONSchema:
    return structure("Correctness", response_verdicts=verdicts_on(said), reference_verdicts=verdicts_on(expected))


def _findings(statements: list[str], verdicts: list[Verdict], good: str, bad: str) -> list[Finding]:
    return [
        Finding(
            kind="statement",
            text=statement,
            value=verdict.value,
            reason=verdict.reason,
            part=good if verdict.value else bad,
        )
        for statement, verdict in zip(statements, verdicts, strict=True)
    ]
