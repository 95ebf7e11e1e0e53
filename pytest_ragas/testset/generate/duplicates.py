"""Whether a question asks what another one asks already."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.protocols import Embeddings
from pytest_ragas.testset.generate.related import Vector, dense, similarity
from pytest_ragas.testset.generate.words import words

_SAME_MEANING = 0.95
"""Cosine of two questions, from which on they are one."""
_SAME_WORDS = 0.8
"""Share of the words of two questions that both have, from which on they are one; where there are no embeddings."""


class Questions:
    """The questions that a testset has so far."""

    def __init__(self, embeddings: Embeddings | None) -> None:
        """
        Args:
            embeddings: Compares questions by meaning; None: by wording.
        """
        self._embeddings = embeddings
        self._taken: list[tuple[frozenset[str], Vector]] = []

    async def vector(self, question: str) -> Vector:
        """What a question is compared by, beside its words; empty without embeddings."""
        if self._embeddings is None:
            return ()
        return dense((await self._embeddings.embed((question,)))[0])

    def add(self, question: str, vector: Vector) -> bool:
        """Take a question, unless it is a duplicate.

        Returns:
            Whether it was taken.
        """
        own = frozenset(words(question))
        if any(self._same(own, vector, *taken) for taken in self._taken):
            return False
        self._taken.append((own, vector))
        return True

    def _same(self, own: frozenset[str], vector: Vector, taken: frozenset[str], other: Vector) -> bool:
        if own == taken:
            return True
        if vector and other:
            return similarity(vector, other) >= _SAME_MEANING
        return len(own & taken) >= _SAME_WORDS * len(own | taken)


async def questions_of(texts: Sequence[str], embeddings: Embeddings | None) -> Questions:
    """The questions of rows that are kept: one request for all."""
    questions = Questions(embeddings)
    vectors: list[Vector] = [() for _ in texts]
    if embeddings is not None and texts:
        vectors = [dense(vector) for vector in await embeddings.embed(tuple(texts))]
    for text, vector in zip(texts, vectors, strict=True):
        questions.add(text, vector)
    return questions
