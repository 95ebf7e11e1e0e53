"""`StoredEmbeddings`: embeddings that embed each text once."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.errors import MissingJudgementError, cut
from pytest_ragas.judgements import key as keys
from pytest_ragas.judgements.asking import asking
from pytest_ragas.judgements.judgement import Judgement, text_of
from pytest_ragas.judgements.judgements import Judgements
from pytest_ragas.judgements.vectors import pack, text_of_packed, unpack
from pytest_ragas.protocols import Embeddings
from pytest_ragas.values.model import ModelIdentity


class StoredEmbeddings:
    """Satisfies `Embeddings`. Vectors are stored text by text, so that a text is found in any company."""

    def __init__(self, embeddings: Embeddings, judgements: Judgements) -> None:
        """
        Args:
            embeddings: Who is asked for what is not stored, retries and all.
            judgements: Where vectors are found and kept.
        """
        self._embeddings = embeddings
        self._judgements = judgements
        self.consulted = False
        """Whether something that it once said was used."""

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._embeddings.identity

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Vectors of the texts, in order; only those that are not stored are asked for.

        Raises:
            MissingJudgementError: In `replay`: one is not stored.
            ModelError: Whatever the embeddings raised.
        """
        model, asker = self.identity, asking()
        vectors: dict[str, Sequence[float]] = {}
        absent: dict[str, str] = {}
        for text in dict.fromkeys(texts):
            key = keys.vector_key(model, text)
            asker.answers[key] = None
            content = await self._judgements.afind("vector", key)
            if content is None:
                absent[text] = key
                continue
            self.consulted = True
            try:
                vectors[text] = unpack(content)
            except ValueError as error:
                told = MissingJudgementError(f"What is stored is no vector ({error}).")
                told.role = "embeddings"
                raise told from None
        if absent:
            if self._judgements.replays:
                first = next(iter(absent))
                what, request = f"the text {cut(repr(first), 60)} by {model}", keys.vector_request(model, first)
                raise self._judgements.missing("vector", what, request=request, role="embeddings")
            for (text, key), vector in zip(absent.items(), await self._embeddings.embed(tuple(absent)), strict=True):
                vectors[text] = vector
                packed, request = pack(vector), keys.vector_request(model, text)
                self._judgements.keep(
                    Judgement(
                        kind="vector",
                        key=key,
                        metric=asker.metric,
                        sample=asker.sample,
                        request=request,
                        request_text=text_of(request),
                        content=packed,
                        text=text_of_packed(packed),
                    )
                )
        return [vectors[text] for text in texts]

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._embeddings.aclose()
