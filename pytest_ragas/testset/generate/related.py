"""Which passages belong together: by their vectors where there are embeddings, else by the rare words they share."""

from __future__ import annotations

import asyncio
import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence

from pytest_ragas.protocols import Embeddings
from pytest_ragas.testset.generate.words import entities, is_crumb, words
from pytest_ragas.values.document import Chunk

_TWINS = 0.97
"""Cosine beyond which two passages say the same: one of them adds nothing to the other."""
_NAMES = 2.0
"""How much more a shared name or number says than a shared word."""


class Related:
    """Of all chunks of a run; vectors are asked for once, when first needed."""

    def __init__(self, chunks: Sequence[Chunk], embeddings: Embeddings | None) -> None:
        """
        Args:
            chunks: Of all documents.
            embeddings: Compares passages by meaning; None: by wording.
        """
        self._chunks = chunks
        self._embeddings = embeddings
        self._asked: asyncio.Future[list[Vector]] | None = None
        self._worded: list[Vector] | None = None
        self._rarity: dict[str, float] = {}
        self._crumbs = [is_crumb(chunk.text) for chunk in chunks]

    async def partners(self, at: int) -> list[int]:
        """The other chunks, most related first; never none where there are two.

        Chunks that share nothing with this one come last, nearest in its document first: a question over
        neighbours is better than none.
        """
        vectors = await self._vectors()
        near = {other: similarity(vectors[at], vectors[other]) for other in range(len(vectors)) if other != at}
        here = self._chunks[at]

        def rank(other: int) -> tuple[object, ...]:
            chunk = self._chunks[other]
            says_little = chunk.text == here.text or near[other] > _TWINS or self._crumbs[other]
            return says_little, -round(near[other], 9), chunk.path != here.path, abs(other - at), other

        return sorted(near, key=rank)

    async def nearest(self, text: str, count: int) -> list[int]:
        """The chunks that are most likely to say something on a text, best first."""
        if self._embeddings is None:
            vectors = await self._vectors()
            vector = self._weighed(text)
        else:
            # at the same time; neither is cancelled because of the other
            vectors, [found] = await asyncio.gather(self._vectors(), self._embeddings.embed((text,)))
            vector = dense(found)
        ranked = sorted(range(len(vectors)), key=lambda at: (-round(similarity(vector, vectors[at]), 9), at))
        return ranked[:count]

    async def _vectors(self) -> list[Vector]:
        if self._embeddings is None:
            if self._worded is None:
                self._rarity = _rarity(self._chunks)
                self._worded = [self._weighed(chunk.text) for chunk in self._chunks]
            return self._worded
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._embed(self._embeddings))
        # shielded: who waits is one of many
        return await asyncio.shield(self._asked)

    async def _embed(self, embeddings: Embeddings) -> list[Vector]:
        return [dense(vector) for vector in await embeddings.embed([chunk.text for chunk in self._chunks])]

    def _weighed(self, text: str) -> Vector:
        names = entities(text)
        unknown = max(self._rarity.values(), default=1.0)
        weights = {word: self._rarity.get(word, unknown) for word in sorted({*words(text)})}
        return sparse({word: weight * _NAMES if word in names else weight for word, weight in weights.items()})


Vector = tuple[float, ...] | dict[str, float]
"""A text as numbers, of length 1: those of an embedding model, or a weight for each of its words."""


def dense(vector: Sequence[float]) -> Vector:
    """An embedding model's vector."""
    numbers = tuple(map(float, vector))
    size = math.sqrt(math.fsum(map(operator.mul, numbers, numbers)))
    return tuple(number / size for number in numbers) if size else numbers


def sparse(weights: Mapping[str, float]) -> Vector:
    """The weights of words as a vector."""
    size = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
    return {word: weight / size for word, weight in weights.items()} if size else {}


def similarity(one: Vector, other: Vector) -> float:
    """Cosine of two vectors of one kind; 0 where one of them is nothing."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        cosine: float = sum(map(operator.mul, one, other))
        return cosine
    if isinstance(one, dict) and isinstance(other, dict):
        return math.fsum(weight * other[word] for word, weight in one.items() if word in other)
    return 0.0


def _rarity(chunks: Sequence[Chunk]) -> dict[str, float]:
    """Inverse document frequency: a word that every chunk has says nothing about any."""
    holders = Counter(word for chunk in chunks for word in {*words(chunk.text)})
    return {word: math.log((1 + len(chunks)) / count) for word, count in holders.items()}
