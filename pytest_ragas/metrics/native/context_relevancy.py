"""context_relevancy: how much of what was retrieved is about the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pytest_ragas.errors import StructureError, cut
from pytest_ragas.metrics.embedded.sentences import sentences
from pytest_ragas.metrics.native.inputs import contexts_of, nothing_in, text_of
from pytest_ragas.metrics.native.judges import two_judges
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.structure import (
    TEXT,
    array,
    counted,
    numbered,
    one_of,
    read_list,
    read_reason,
    structure,
    whole,
)
from pytest_ragas.metrics.options import choice
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, JSONSchema, Metric, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

JUDGES = ("relevance_1", "relevance_2")
SENTENCES = "relevant_sentences"
"""Names of the prompts."""


def build(context: MetricContext) -> Metric:
    """The metric for this critic; option `method`: "ratings" (ragas 0.4) or "sentences" (the RAGAS paper)."""
    method = choice(context.options, "method", ("ratings", "sentences"), metric=context.name, default="ratings")
    kind = RatedRelevancy if method == "ratings" else SentenceRelevancy
    return kind(name=context.name, llm=require_llm(context))


@dataclass(frozen=True, kw_only=True, slots=True)
class RatedRelevancy:
    """Mean of two ratings, 0 to 2, of whether the contexts can answer the question, halved. Two calls at once.

    Contexts that only repeat the question get 0 without a call, as in ragas.

    Source:
        NVIDIA's metric as in ragas 0.4.3 `ContextRelevance`.
    """

    name: str
    llm: LLM

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The contexts are empty.
            ModelError: A judge did not answer, or not with a rating.
        """
        user_input = text_of(sample, "user_input", self.name)
        contexts = contexts_of(sample, self.name)
        joined = "\n".join(contexts)
        if joined.strip() in user_input:
            reason = "the contexts only repeat the question"
            finding = Finding(kind="context", text=joined, value=0.0, reason=reason)
            return Score(metric=self.name, value=0.0, reason=reason, evidence=(finding,))
        data = {"contexts": contexts, "question": user_input}
        return await two_judges(self.llm, JUDGES, data, metric=self.name, kind="context", text=joined)


@dataclass(frozen=True, kw_only=True, slots=True)
class SentenceRelevancy:
    """Sentences of the contexts that help to answer the question / their sentences. One call.

    Source:
        Es et al. 2023, arXiv:2309.15217, section 3; `context_relevancy` of ragas 0.1. They let the critic copy
        the sentences; we number them, so that what it picks is certainly one of them.
    """

    name: str
    llm: LLM

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The contexts are empty.
            ModelError: The critic did not answer, or picked sentences that do not exist.
        """
        user_input = text_of(sample, "user_input", self.name)
        pieces = [sentence for context in contexts_of(sample, self.name) for sentence in sentences(context)]
        if not pieces:
            raise nothing_in(sample, "retrieved_contexts", self.name)
        data = {"sentences": numbered(pieces), "question": user_input}
        answer = await prompt(SENTENCES).ask(self.llm, data, _structure(len(pieces)))
        picked = [whole(number) for number in read_list(answer, "numbers")]
        if len(set(picked)) != len(picked) or not set(picked) <= set(range(1, len(pieces) + 1)):
            raise StructureError(
                f"The critic LLM was asked which of {counted(len(pieces), 'sentence')} help, by their numbers, "
                f"and gave {cut(str(picked), 100)}.",
                raw=answer.raw,
            )
        return Score(
            metric=self.name,
            value=len(picked) / len(pieces),
            reason=f"{len(picked)} of {counted(len(pieces), 'sentence')} of the contexts help to answer the question",
            evidence=_findings(pieces, picked, read_reason(answer.value)),
        )


@lru_cache(maxsize=128)
def _structure(count: int) -> JSONSchema:
    return structure("RelevantSentences", reason=TEXT, numbers=array(one_of(*range(1, count + 1))))


def _findings(pieces: Sequence[str], picked: Sequence[int | None], reason: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(kind="sentence", text=piece, value=float(number in picked), reason=reason)
        for number, piece in enumerate(pieces, 1)
    )
