"""Our LLMs and embeddings as ragas' generator sees them, from a thread of its own with event loops of its own.

Every request goes to the engine's loop, where limits, retries, budget and store are. Ragas cancels what is under way as
soon as one request fails; here it goes on, since it is paid for, and its answer is stored.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from pytest_ragas.errors import PytestRagasError, StructureError, cut
from pytest_ragas.libraries.ragas_structure import prompt_data, structure_of
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema
from pytest_ragas.values.model import Message

T = TypeVar("T")


class Talk:
    """What one generation asks. After an error nothing is asked any more; everybody gets the same error."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._under_way: set[concurrent.futures.Future[Any]] = set()
        self.error: Exception | None = None

    async def send(self, request: Coroutine[Any, Any, T]) -> T:
        """The result of a request, which runs on the engine's loop. Called on a loop of ragas."""
        if self.error is not None:
            request.close()
            raise self.error
        asyncio.get_running_loop().set_exception_handler(_all_but_ours)
        future = asyncio.run_coroutine_threadsafe(request, self._loop)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except Exception as error:
            self.fail(error)
            raise

    def fail(self, error: Exception) -> None:
        """Remember the first error."""
        if self.error is None:
            self.error = error

    async def settle(self) -> None:
        """Wait until everything under way is answered, and stored. On the engine's loop."""
        waiting = [asyncio.wrap_future(future) for future in tuple(self._under_way)]
        await asyncio.gather(*waiting, return_exceptions=True)


def _all_but_ours(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # ragas raises the first error and forgets its other tasks, and Python would print what each of them ended with
    if not isinstance(context.get("exception"), PytestRagasError):
        loop.default_exception_handler(context)


class LLMSeam:
    """What an `InstructorBaseRagasLLM` must do."""

    is_async = True

    def __init__(self, talk: Talk, llm: LLM) -> None:
        self._talk = talk
        self._llm = llm

    async def agenerate(self, prompt: str, response_model: Any) -> Any:
        """An instance of `response_model`, filled in by the LLM."""
        schema = _structure(response_model, prompt_data(prompt))
        answer = await self._talk.send(self._llm.ask([Message(role="user", content=prompt)], schema))
        try:
            return response_model.model_validate(answer.value)
        except ValueError as error:  # pydantic's ValidationError is one
            problem = StructureError(f"The answer is no {response_model.__name__}: {cut(str(error))}", raw=answer.raw)
            self._talk.fail(problem)
            raise problem from error

    def generate(self, prompt: str, response_model: Any) -> Any:
        """Never: ragas asks models that are asynchronous asynchronously."""
        raise NotImplementedError


class EmbeddingSeam:
    """What a `BaseRagasEmbedding` must do."""

    cache = None
    is_async = True

    def __init__(self, talk: Talk, embeddings: Embeddings) -> None:
        self._talk = talk
        self._embeddings = embeddings

    async def aembed_text(self, text: str, **_: Any) -> list[float]:
        """The text's vector."""
        return (await self.aembed_texts([text]))[0]

    async def aembed_texts(self, texts: Sequence[str], **_: Any) -> list[list[float]]:
        """A vector for each text."""
        vectors = await self._talk.send(_embed(self._embeddings, texts))
        return [list(map(float, vector)) for vector in vectors]

    def embed_text(self, text: str, **_: Any) -> list[float]:
        """Never: ragas asks models that are asynchronous asynchronously."""
        raise NotImplementedError


async def _embed(embeddings: Embeddings, texts: Sequence[str]) -> Sequence[Sequence[float]]:
    return await embeddings.embed(tuple(texts))


def _structure(model: Any, data: Mapping[str, Any]) -> JSONSchema:
    """The schema of ragas' pydantic class, without room for answers that its next step stumbles over.

    A persona that it did not name is a KeyError there, a theme that it did not name makes no question, and a text
    without a character has no vector.
    """
    schema = structure_of(model, {})
    if model.__name__ == "PersonaThemesMapping":
        names = dict.fromkeys(persona["name"] for persona in data.get("personas", ()))
        themes = {"type": "array", "items": _one_of(data.get("themes", ()))}
        mapping = {
            "type": "object",
            "properties": dict.fromkeys(names, themes),
            "required": list(names),
            "additionalProperties": False,
        }
        return {**schema, "properties": {"mapping": mapping}}
    if model.__name__ == "ConceptCombinations":
        concepts = [concept for concepts in data.get("lists_of_concepts", ()) for concept in concepts]
        inner = {"type": "array", "items": _one_of(concepts), "minItems": 1}
        return {**schema, "properties": {"combinations": {"type": "array", "items": inner}}}
    properties = dict(schema["properties"])
    for name, entry in properties.items():
        if entry.get("type") == "string":
            properties[name] = {**entry, "minLength": 1}
        elif entry.get("type") == "array" and isinstance(data.get("max_num"), int):
            properties[name] = {**entry, "maxItems": data["max_num"]}
    return {**schema, "properties": properties}


def _one_of(texts: Sequence[str]) -> JSONSchema:
    choices = list(dict.fromkeys(texts))
    return {"type": "string", "enum": choices} if choices else {"type": "string"}
