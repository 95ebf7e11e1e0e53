"""Our LLM and embeddings as ragas' classes see them. `door.py` mixes ragas' abstract classes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from pytest_ragas.errors import MetricError
from pytest_ragas.metrics.ragas.conversation import Conversation

__all__ = ["EmbeddingSeam", "LLMSeam"]


class LLMSeam:
    """What an `InstructorBaseRagasLLM` must do, and what ragas' image metrics do behind its back."""

    is_async = True
    provider = "pytest-ragas"
    model = ""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        # the image metrics of ragas 0.4 skip agenerate() and talk to instructor's client themselves
        self.client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=self._create)))

    async def agenerate(self, prompt: str, response_model: Any) -> Any:
        """An instance of `response_model`, filled in by the critic LLM."""
        return await self._talk.ask(prompt, response_model)

    def generate(self, prompt: str, response_model: Any) -> Any:
        """Never: it would block the event loop that every other score waits on."""
        raise MetricError("This class of ragas asks its LLM synchronously, which would block every other score.")

    def _map_provider_params(self) -> dict[str, Any]:
        return {}

    async def _create(self, *, messages: Sequence[Mapping[str, Any]], response_model: Any, **_: Any) -> Any:
        parts = [part for message in messages for part in message["content"]]
        if any(part.get("type") != "text" for part in parts):
            raise MetricError("This metric of ragas wants to send an image; pytest-ragas sends text to its critic LLM.")
        return await self._talk.ask("\n".join(part["text"] for part in parts), response_model)


class EmbeddingSeam:
    """What a `BaseRagasEmbedding` must do."""

    cache = None

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk

    async def aembed_text(self, text: str, **_: Any) -> list[float]:
        """The text's vector."""
        return (await self._talk.embed([text]))[0]

    async def aembed_texts(self, texts: Sequence[str], **_: Any) -> list[list[float]]:
        """A vector for each text."""
        return await self._talk.embed(list(texts))

    def embed_text(self, text: str, **_: Any) -> list[float]:
        """The text's vector, from memory only: `SemanticSimilarity` calls this inside the event loop."""
        return self._talk.vector(text)

    def embed_texts(self, texts: Sequence[str], **_: Any) -> list[list[float]]:
        """A vector for each text, from memory only."""
        return [self._talk.vector(text) for text in texts]
