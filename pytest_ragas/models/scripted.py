"""`ScriptedCritic` and `ScriptedEmbeddings`: models that say what a test wrote down for them.

They are part of the product: use them to test your own suite, its thresholds and gates, without a critic.

```python
@pytest.fixture(scope="session")
def ragas_critic_llm():
    return ScriptedCritic(lambda messages, schema: {"statements": ["Paris is the capital."]})
```
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.errors import ConfigurationError, ModelError, StructureError, cut
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage

ScriptedAnswer = Mapping[str, Any] | str | Answer | BaseException
"""What a script may hold: the JSON object that the critic answers; or its text as a real one would write
it (fenced, wrapped in prose, broken); or an `Answer`, to set the usage too; or an exception to raise."""

CriticFunction = Callable[[Sequence[Message], JSONSchema], "ScriptedAnswer | Awaitable[ScriptedAnswer]"]
EmbeddingFunction = Callable[[str], "Sequence[float] | BaseException"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedRequest:
    """What a scripted critic was asked."""

    messages: tuple[Message, ...]
    schema: JSONSchema

    @property
    def title(self) -> str:
        """The schema's `title`: which structure was asked for."""
        return str(self.schema.get("title", ""))

    @property
    def text(self) -> str:
        """The contents of every message, one after the other."""
        return "\n".join(message.content for message in self.messages)


class ScriptedCritic:
    """A critic or generator LLM that answers from a script. Satisfies `LLM`; safe under concurrency.

    Attributes:
        requests: Everything it was asked, in the order of asking (`ScriptedRequest`).
        peak: The most requests that were in flight at once.
    """

    def __init__(
        self,
        answers: Iterable[ScriptedAnswer] | CriticFunction | Mapping[str, Any],
        *,
        name: str = "scripted",
        latency: float = 0.0,
    ) -> None:
        """
        Args:
            answers: A list of answers, given in the order of asking; or a function of (messages, schema),
                sync or async, that gives one; or a mapping from a schema's title to one answer (given every
                time), a list of them, or a function. Metrics ask concurrently, so a list on its own fits
                only what asks one thing after the other; the mapping and the function always fit.
            name: The model's name in headers, reports and scores.
            latency: Seconds that every answer takes.

        Raises:
            ConfigurationError: `answers` is none of these.
        """
        self.requests: list[ScriptedRequest] = []
        self.peak = 0
        self._identity = ModelIdentity(provider="scripted", name=name)
        self._latency = latency
        self._lock = threading.Lock()
        self._flying = 0
        self._by_title: dict[str, _Script] | None = None
        if isinstance(answers, Mapping):
            self._by_title = {str(title): _Script(entry, single=True) for title, entry in answers.items()}
        else:
            self._script = _Script(answers, single=False)

    @property
    def identity(self) -> ModelIdentity:
        """Provider "scripted" and the name it was given."""
        return self._identity

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """The next answer of the script.

        Raises:
            ModelError: The script has no answer left, or none for this schema.
            StructureError: The scripted answer does not fit `schema`.
            BaseException: Whatever exception the script holds at this place.
        """
        request = ScriptedRequest(messages=tuple(messages), schema=schema)
        with self._lock:
            self.requests.append(request)
            self._flying += 1
            self.peak = max(self.peak, self._flying)
            number = len(self.requests)
        try:
            if self._latency:
                await asyncio.sleep(self._latency)
            said = self._next(request, number)
            if inspect.isawaitable(said):
                said = await said
            return _answer(said, request)
        finally:
            with self._lock:
                self._flying -= 1

    def unused(self) -> tuple[Any, ...]:
        """What the script still holds; empty when everything was used.

        Answers of lists that nobody asked for, and titles of a mapping's single answers and functions that
        were never used.
        """
        with self._lock:
            if self._by_title is None:
                return self._script.left()
            left: list[Any] = []
            for title, script in self._by_title.items():
                left += [title] if script.untouched() else script.left()
            return tuple(left)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def __repr__(self) -> str:
        return f"ScriptedCritic({self._identity.name!r}, {len(self.requests)} requests)"

    def _next(self, request: ScriptedRequest, number: int) -> Any:
        script = self._script if self._by_title is None else self._by_title.get(request.title)
        if script is None:
            known = ", ".join(repr(title) for title in self._by_title or ()) or "nothing"
            raise ModelError(
                f"{self!r} has no answer for the schema {request.title!r}; the script knows {known}. "
                f"Add {request.title!r} to the mapping. It was asked: {cut(request.text)!r}"
            )
        with self._lock:
            function, said, dry = script.take()
        if dry:
            raise ModelError(
                f"{self!r} ran dry: request {number} wants {request.title!r}, but all {script.length} scripted "
                f"answers were given. Add an answer to the script. It was asked: {cut(request.text)!r}"
            )
        # a function is called without the lock: it may take its time, or look at `requests`
        return function(request.messages, request.schema) if function else said


class _Script:
    """One source of answers: a queue, one answer for every time, or a function. The caller locks."""

    def __init__(self, entry: Any, *, single: bool) -> None:
        self._function: CriticFunction | None = None
        self._always: Any = None
        self._queue: deque[Any] | None = None
        self._used = False
        self.length = 0
        one = isinstance(entry, (str, Mapping, Answer, BaseException))
        if one and single:
            self._always = entry
        elif not one and callable(entry) and not inspect.isclass(entry):
            self._function = entry
        elif not one and isinstance(entry, Iterable):
            self._queue = deque(entry)
            self.length = len(self._queue)
        else:
            raise ConfigurationError(
                f"ScriptedCritic cannot answer from {cut(repr(entry))}: expected a list of answers, a function "
                "(messages, schema) -> answer, or a mapping from a schema's title to either or to one answer. "
                'Write for example ScriptedCritic([{"statements": ["Paris is in France."]}]).'
            )

    def take(self) -> tuple[CriticFunction | None, Any, bool]:
        """(function to call, answer, whether nothing is left)."""
        self._used = True
        if self._queue is None:
            return self._function, self._always, False
        return (None, self._queue.popleft(), False) if self._queue else (None, None, True)

    def left(self) -> tuple[Any, ...]:
        return tuple(self._queue or ())

    def untouched(self) -> bool:
        """Whether this is no list, and was never asked."""
        return self._queue is None and not self._used


def _answer(said: Any, request: ScriptedRequest) -> Answer:
    """What the script said, as a client would give it: validated, or raised."""
    from pytest_ragas.models.structured import extract

    if isinstance(said, BaseException):
        raise said
    usage = said.usage if isinstance(said, Answer) else Usage(calls=1)
    value = said.value if isinstance(said, Answer) else said
    try:
        raw = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False, default=dict)
    except (TypeError, ValueError) as error:
        raise StructureError(f"The scripted answer {cut(repr(value))} is no JSON: {error}") from error
    try:
        return Answer(value=extract(raw, request.schema), raw=raw, usage=usage)
    except StructureError as error:
        raise StructureError(f"The scripted answer for {request.title!r} does not fit: {error}", raw=raw) from error


class ScriptedEmbeddings:
    """An embedding model whose vectors a test wrote down. Satisfies `Embeddings`; safe under concurrency.

    Attributes:
        requests: The texts of every request, in the order of asking.
    """

    def __init__(
        self, vectors: Mapping[str, Sequence[float]] | EmbeddingFunction, *, name: str = "scripted-embeddings"
    ) -> None:
        """
        Args:
            vectors: A vector for each text, all of one length; or a function from a text to its vector.
                An exception in place of a vector is raised.
            name: The model's name in headers, reports and scores.
        """
        given: Any = vectors
        if not isinstance(given, Mapping) and (not callable(given) or inspect.isclass(given)):
            raise ConfigurationError(
                f"ScriptedEmbeddings cannot embed with {cut(repr(vectors))}: expected a mapping from texts to "
                'vectors, or a function text -> vector. Write for example ScriptedEmbeddings({"Paris": [1.0, 0.0]}).'
            )
        self.requests: list[tuple[str, ...]] = []
        self._vectors = vectors
        self._identity = ModelIdentity(provider="scripted", name=name)
        self._lock = threading.Lock()

    @property
    def identity(self) -> ModelIdentity:
        """Provider "scripted" and the name it was given."""
        return self._identity

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The scripted vectors of `texts`.

        Raises:
            ModelError: A text has no vector, or a vector cannot be one.
            BaseException: Whatever exception the script holds for a text.
        """
        with self._lock:
            self.requests.append(tuple(texts))
        vectors = [self._vector(text) for text in texts]
        lengths = sorted({len(vector) for vector in vectors})
        if len(lengths) > 1:
            raise ModelError(f"The vectors of ScriptedEmbeddings differ in length: {', '.join(map(str, lengths))}.")
        return vectors

    def unused(self) -> tuple[str, ...]:
        """Texts of the mapping that nobody asked for; empty for a function."""
        with self._lock:
            asked = {text for request in self.requests for text in request}
        return tuple(text for text in self._vectors if text not in asked) if isinstance(self._vectors, Mapping) else ()

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def __repr__(self) -> str:
        return f"ScriptedEmbeddings({self._identity.name!r}, {len(self.requests)} requests)"

    def _vector(self, text: str) -> list[float]:
        if isinstance(self._vectors, Mapping):
            if text not in self._vectors:
                known = ", ".join(repr(cut(key, 40)) for key in self._vectors)
                raise ModelError(f"ScriptedEmbeddings has no vector for {cut(text)!r}; it knows {cut(known)}.")
            said: Any = self._vectors[text]
        else:
            said = self._vectors(text)
        if isinstance(said, BaseException):
            raise said
        vector = [float(number) for number in said]
        if not vector or not all(math.isfinite(number) for number in vector):
            raise ModelError(f"ScriptedEmbeddings gives {cut(text)!r} the vector {vector}: it needs finite numbers.")
        return vector
