"""answer_similarity, and the cosine that other metrics share."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.errors import ModelError
from pytest_ragas.metrics.native.inputs import text_of
from pytest_ragas.metrics.requirements import require_embeddings
from pytest_ragas.protocols import Embeddings, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerSimilarity:
    """Cosine of the embeddings of response and reference, below 0 counted as 0. One embedding request, no LLM.

    Source:
        ragas 0.4.3 `SemanticSimilarity`.
    """

    name: str
    embeddings: Embeddings

    @classmethod
    def build(cls, context: MetricContext) -> AnswerSimilarity:
        """The metric for these embeddings."""
        return cls(name=context.name, embeddings=require_embeddings(context))

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response or reference are empty.
            ModelError: The embeddings did not answer, or not with vectors that have a direction.
        """
        response = text_of(sample, "response", self.name)
        reference = text_of(sample, "reference", self.name)
        [cosine] = await cosines(self.embeddings, reference, [response])
        value = at_least_0(cosine)
        return Score(
            metric=self.name,
            value=value,
            reason=f"cosine {cosine:.3f} between response and reference",
            evidence=(Finding(kind="similarity", text=response, value=value, part="response"),),
        )


async def cosines(embeddings: Embeddings, text: str, others: Sequence[str]) -> list[float]:
    """Cosine of `text` with each of `others`, in [-1, 1]. One embedding request.

    Raises:
        ModelError: Not one vector for each text, or one without a direction.
    """
    vectors = await embeddings.embed([text, *others])
    if len(vectors) != 1 + len(others):
        raise _error(embeddings, f"{len(vectors)} vectors for {1 + len(others)} texts")
    first = vectors[0]
    return [_cosine(first, vector, embeddings) for vector in vectors[1:]]


def at_least_0(cosine: float) -> float:
    """A cosine as a score: below 0 (opposite directions) there is nothing less similar than 0."""
    return max(0.0, cosine)


def _cosine(a: Sequence[float], b: Sequence[float], embeddings: Embeddings) -> float:
    if len(a) != len(b):
        raise _error(embeddings, f"vectors of lengths {len(a)} and {len(b)}")
    norm = math.hypot(*a) * math.hypot(*b)
    if not math.isfinite(norm) or norm == 0:
        raise _error(embeddings, "a vector that has no direction: all zeros, or not finite")
    # map: half the time of a generator, and vectors are most of what a similarity costs
    return min(1.0, max(-1.0, math.fsum(map(operator.mul, a, b)) / norm))


def _error(embeddings: Embeddings, gave: str) -> ModelError:
    error = ModelError(f"The embeddings {embeddings.identity} gave {gave}.")
    error.role = "embeddings"
    return error
