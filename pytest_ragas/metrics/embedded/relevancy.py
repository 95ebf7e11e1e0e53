"""answer_relevancy and context_relevancy: how much of the question's wording is taken up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_ragas.errors import cut
from pytest_ragas.metrics.embedded.evidence import index_of, no_content, supports_of
from pytest_ragas.metrics.embedded.words import content, stem, stems, words
from pytest_ragas.metrics.native.inputs import contexts_of, text_of
from pytest_ragas.metrics.native.similarity import at_least_0, cosines
from pytest_ragas.protocols import Embeddings, Metric, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

_CONTEXT_SHOWN = 300


def answer_relevancy(context: MetricContext) -> Metric:
    """By the cosine of the embeddings where some are configured, by the wording otherwise."""
    if context.embeddings is None:
        return AnswerRelevancy(name=context.name)
    return AnswerCloseness(name=context.name, embeddings=context.embeddings)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRelevancy:
    """Share of the question's content words that the response takes up.

    A short answer ("30 days") takes up none, but the passage that it comes from does: where the sample has
    retrieved contexts, the words of each window that carries a sentence of the response count as taken up.
    """

    name: str

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Question or response are empty, or have no content words.
        """
        asked = _asked(sample, self.name)
        response = text_of(sample, "response", self.name)
        taken_up = stems(response)
        if not taken_up:
            raise no_content(sample, "response", response, self.name)
        if any(context.strip() for context in sample.retrieved_contexts or ()):
            for support in supports_of(sample, "response", index_of(sample, self.name), self.name):
                if support.carried:
                    taken_up |= stems(support.window)
        finding = _taken_up(asked, taken_up, "question", sample.user_input)
        return Score(
            metric=self.name,
            value=finding.value,
            reason=f"the response takes up {finding.value:.0%} of the question's wording",
            evidence=(finding,),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerCloseness:
    """Cosine of the embeddings of question and response, below 0 counted as 0. One embedding request.

    Sees whether the response is on topic, not whether it answers. Not ragas' answer_relevancy, for which an LLM
    writes the questions that the response would answer.
    """

    name: str
    embeddings: Embeddings

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Question or response are empty.
            ModelError: The embeddings did not answer, or not with vectors that have a direction.
        """
        question = text_of(sample, "user_input", self.name)
        response = text_of(sample, "response", self.name)
        [cosine] = await cosines(self.embeddings, question, [response])
        value = at_least_0(cosine)
        return Score(
            metric=self.name,
            value=value,
            reason=f"cosine {cosine:.3f} between question and response",
            evidence=(Finding(kind="similarity", text=response, value=value, part="response"),),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextRelevancy:
    """Share of the question's content words that the best of the contexts holds: is the retrieval on topic?"""

    name: str

    @classmethod
    def build(cls, context: MetricContext) -> ContextRelevancy:
        """The metric under the name that was asked for."""
        return cls(name=context.name)

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Question or contexts are empty, or the question has no content words.
        """
        asked = _asked(sample, self.name)
        evidence = tuple(
            _taken_up(asked, stems(context), "context", context) for context in contexts_of(sample, self.name)
        )
        value = max(finding.value for finding in evidence)
        return Score(
            metric=self.name,
            value=value,
            reason=f"the best context holds {value:.0%} of the question's wording",
            evidence=evidence,
        )


def _asked(sample: Sample, metric: str) -> list[str]:
    question = text_of(sample, "user_input", metric)
    asked = content(words(question))
    if not asked:
        raise no_content(sample, "user_input", question, metric)
    return asked


def _taken_up(asked: Iterable[str], taken_up: set[str], kind: Literal["question", "context"], text: str) -> Finding:
    by_stem = {stem(word): word for word in asked}
    there = [word for key, word in by_stem.items() if key in taken_up]
    missing = [word for key, word in by_stem.items() if key not in taken_up]
    return Finding(
        kind=kind,
        text=cut(text, _CONTEXT_SHOWN),
        value=len(there) / len(by_stem),
        reason=f"taken up: {', '.join(there) or 'nothing'}; not: {', '.join(missing) or 'nothing'}",
    )
