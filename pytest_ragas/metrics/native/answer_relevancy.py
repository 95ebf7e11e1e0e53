"""answer_relevancy: how close the questions that the response answers are to the one that was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pytest_ragas.errors import StructureError
from pytest_ragas.metrics.native.inputs import text_of
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.similarity import at_least_0, cosines
from pytest_ragas.metrics.native.structure import TEXT, VERDICT, objects, read_list, read_verdict, structure
from pytest_ragas.metrics.options import positive_int
from pytest_ragas.metrics.requirements import require_embeddings, require_llm
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema, MetricContext
from pytest_ragas.values.model import Answer
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

QUESTIONS = "questions"
"""Name of the prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRelevancy:
    """Mean cosine of `user_input` with the questions that the critic writes for the response.

    0 if the critic finds the response noncommittal in every question. One call for all the questions
    (ragas: one call each), then one embedding request.

    Source:
        Es et al. 2023, arXiv:2309.15217, section 3; ragas 0.4.3 `AnswerRelevancy`.
    """

    name: str
    llm: LLM
    embeddings: Embeddings
    strictness: int
    """Questions to write."""

    @classmethod
    def build(cls, context: MetricContext) -> AnswerRelevancy:
        """The metric for these models; option `strictness` (3)."""
        return cls(
            name=context.name,
            llm=require_llm(context),
            embeddings=require_embeddings(context),
            strictness=positive_int(context.options, "strictness", metric=context.name, default=3),
        )

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The response is empty.
            ModelError: The critic or the embeddings did not answer as asked.
        """
        user_input = text_of(sample, "user_input", self.name)
        response = text_of(sample, "response", self.name)
        asked = await self._questions(response)
        questions = [question for question, _ in asked]
        if all(noncommittal for _, noncommittal in asked):
            return Score(
                metric=self.name,
                value=0.0,
                reason="the response is noncommittal",
                evidence=_findings(asked, [0.0] * len(asked)),
            )
        found = await cosines(self.embeddings, user_input, questions)
        mean = sum(found) / len(found)
        return Score(
            metric=self.name,
            value=at_least_0(mean),
            reason=f"mean cosine {mean:.3f} between the question asked and {len(found)} that the response answers",
            evidence=_findings(asked, found),
        )

    async def _questions(self, response: str) -> list[tuple[str, bool]]:
        data = {"count": self.strictness, "answer": response}
        answer = await prompt(QUESTIONS).ask(self.llm, data, _structure(self.strictness))
        items = read_list(answer, "questions")
        if len(items) != self.strictness:
            raise StructureError(
                f"The critic LLM was asked for {self.strictness} questions and wrote {len(items)}.", raw=answer.raw
            )
        return [(_question(answer, item), bool(read_verdict(answer, item, "noncommittal").value)) for item in items]


@lru_cache(maxsize=16)
def _structure(count: int) -> JSONSchema:
    return structure("Questions", questions=objects(count, question=TEXT, noncommittal=VERDICT))


def _question(answer: Answer, item: object) -> str:
    question = item.get("question") if isinstance(item, Mapping) else None
    if not isinstance(question, str) or not question.strip():
        raise StructureError("The critic LLM wrote an empty question.", raw=answer.raw)
    return question.strip()


def _findings(asked: Sequence[tuple[str, bool]], found: Sequence[float]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            kind="question",
            text=question,
            value=at_least_0(cosine),
            reason="the response is noncommittal" if noncommittal else f"cosine {cosine:.3f}",
        )
        for (question, noncommittal), cosine in zip(asked, found, strict=True)
    )
