"""Models that are asked nothing more once somebody says stop; what is under way is answered, and stored."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from pytest_ragas.errors import GenerationError
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity


class Stopped(GenerationError):
    """Generation was stopped before its end."""


class StoppableLLM:
    """Satisfies `LLM`."""

    def __init__(self, llm: LLM, stop: threading.Event) -> None:
        """
        Args:
            llm: Who is asked until then.
            stop: Set from any thread.
        """
        self._llm = llm
        self._stop = stop

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._llm.identity

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """The model's answer.

        Raises:
            Stopped: Nothing was asked.
        """
        _check(self._stop)
        return await self._llm.ask(messages, schema)

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._llm.aclose()


class StoppableEmbeddings:
    """Satisfies `Embeddings`."""

    def __init__(self, embeddings: Embeddings, stop: threading.Event) -> None:
        """
        Args:
            embeddings: Who is asked until then.
            stop: Set from any thread.
        """
        self._embeddings = embeddings
        self._stop = stop

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._embeddings.identity

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The model's vectors.

        Raises:
            Stopped: Nothing was asked.
        """
        _check(self._stop)
        return await self._embeddings.embed(texts)

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._embeddings.aclose()


def _check(stop: threading.Event) -> None:
    if stop.is_set():
        raise Stopped("Generation was stopped. What models answered so far is stored: go on by running it again.")
