"""`GuardedLLM`, `GuardedEmbeddings`: a model as the metrics see it, with limiter, retry and meter around each call."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import functools
import json
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from pytest_ragas.errors import (
    ConfigurationError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema
from pytest_ragas.scoring.budget import Purse
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.single_flight import SingleFlight
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage
from pytest_ragas.values.model import Vectors as PaidVectors

__all__ = ["GuardedEmbeddings", "GuardedLLM", "Meter", "current_repeat", "current_request"]

T = TypeVar("T")
Vectors = Sequence[Sequence[float]]

current_request: contextvars.ContextVar[str] = contextvars.ContextVar("ragas_request", default="")
"""What asks, for messages: "faithfulness of row 'a1b2' (testset.json row 7)". `score_sample` sets it."""

current_repeat: contextvars.ContextVar[int] = contextvars.ContextVar("ragas_repeat", default=0)
"""Which repetition of the same judgement this is: equal requests of different repeats are not the same request."""

_SCHEMAS_KEPT = 256


class GuardedLLM:
    """An LLM whose calls go through the limiter and the one retry layer, are metered, and sent once while in flight.

    Two requests are the same if messages, schema and repeat are; then the second waits for the first one's answer.
    """

    def __init__(
        self,
        llm: LLM,
        *,
        limiter: Limiter,
        retry: Retry,
        meter: Meter,
        role: str = "critic LLM",
        purse: Purse | None = None,
    ) -> None:
        """
        Args:
            llm: The model itself; retries nothing.
            limiter: Gives each request its slot; one `child()` for each model.
            retry: When to send again.
            meter: Counts what each request costs.
            role: "critic LLM" or "generator LLM", for messages.
            purse: Pays for each request; None where there is no budget.
        """
        self._llm = llm
        self._limiter = limiter
        self._retry = retry
        self._meter = meter
        self._role = role
        self._purse = purse
        self._flights: SingleFlight[Answer] = SingleFlight()
        # by id: metrics pass module-level schemas, whose JSON need not be written for each call
        self._schemas: dict[int, tuple[JSONSchema, str]] = {}

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._llm.identity

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Answer in the structure of `schema`, after as many requests as it takes and the retry layer allows.

        Raises:
            TransientModelError: No answer; the message says which request, how many attempts and the last error.
            RejectedRequestError: Refused.
            StructureError: Never an answer in the structure.
            BudgetError: A request has no room in the budget, and was not sent.
        """
        messages = tuple(messages)
        # of strings alone: they remember their hashes, a message makes its own anew
        key = (
            self._schema_key(schema),
            current_repeat.get(),
            *[text for message in messages for text in (message.role, message.content)],
        )
        try:
            return await self._flights.run(key, functools.partial(self._ask, messages, schema))
        except ModelError as error:
            raise _told(error, self._role) from error

    async def _ask(self, messages: tuple[Message, ...], schema: JSONSchema) -> Answer:
        once = functools.partial(self._once, schema)
        return await self._retry.ask(once, messages, limiter=self._limiter, model=self._llm.identity)

    async def _once(self, schema: JSONSchema, messages: Sequence[Message]) -> Answer:
        if self._purse is None:
            return await self._send(schema, messages)
        size = len(self._schema_key(schema)) + sum(
            len(message.content.encode("utf-8", "replace")) for message in messages
        )
        with await self._purse.pay(str(schema.get("title", "")), size) as charge:
            try:
                answer = await self._send(schema, messages)
            except StructureError as error:
                charge.check_room(error)
                raise
            charge.usage = answer.usage
            return answer

    async def _send(self, schema: JSONSchema, messages: Sequence[Message]) -> Answer:
        with self._meter.request() as receipt:
            try:
                answer = await _dropped_is_transient(self._llm.ask(messages, schema))
            except ModelError as error:
                usage = getattr(error, "usage", None)  # a wrong answer is paid for too, where the client says how much
                if isinstance(usage, Usage):
                    receipt.usage = _at_least_one_call(usage)
                raise
            if not isinstance(answer, Answer):
                raise ConfigurationError(
                    f"ask() of {type(self._llm).__name__} returned {type(answer).__name__}, not an Answer. "
                    "Write: return Answer(value=..., usage=Usage(calls=1))."
                )
            receipt.usage = _at_least_one_call(answer.usage)
            return answer

    def _schema_key(self, schema: JSONSchema) -> str:
        kept = self._schemas.get(id(schema))
        if kept is not None:  # the schema is kept beside its JSON, so that its id is not given to another one
            return kept[1]
        text = json.dumps(schema, sort_keys=True, separators=(",", ":"), default=dict)
        if len(self._schemas) >= _SCHEMAS_KEPT:
            self._schemas.clear()
        self._schemas[id(schema)] = (schema, text)
        return text

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._llm.aclose()


class GuardedEmbeddings:
    """Embeddings whose calls go through the limiter and the one retry layer, are metered, and sent once in flight."""

    def __init__(
        self,
        embeddings: Embeddings,
        *,
        limiter: Limiter,
        retry: Retry,
        meter: Meter,
        role: str = "embeddings",
        purse: Purse | None = None,
    ) -> None:
        """
        Args:
            embeddings: The model itself; retries nothing.
            limiter: Gives each request its slot; one `child()` for each model.
            retry: When to send again.
            meter: Counts the requests.
            role: For messages.
            purse: Pays for each request, at its estimate where vectors come without usage; None without a budget.
        """
        self._embeddings = embeddings
        self._limiter = limiter
        self._retry = retry
        self._meter = meter
        self._role = role
        self._purse = purse
        self._flights: SingleFlight[Vectors] = SingleFlight()

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._embeddings.identity

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the texts, after as many requests as it takes and the retry layer allows.

        Raises:
            TransientModelError: No answer; the message says which request, how many attempts and the last error.
            RejectedRequestError: Refused.
        """
        texts = tuple(texts)
        try:
            return await self._flights.run((texts, current_repeat.get()), functools.partial(self._embed, texts))
        except ModelError as error:
            raise _told(error, self._role) from error

    async def _embed(self, texts: tuple[str, ...]) -> Vectors:
        once = functools.partial(self._once, texts)
        return await self._retry.call(once, limiter=self._limiter, model=self._embeddings.identity)

    async def _once(self, texts: tuple[str, ...]) -> Vectors:
        if self._purse is None:
            return await self._send(texts)
        size = sum(len(text.encode("utf-8", "replace")) for text in texts)
        with await self._purse.pay("", size, answers=False) as charge:
            vectors = await self._send(texts)
            charge.usage = vectors.usage if isinstance(vectors, PaidVectors) else None
            return vectors

    async def _send(self, texts: tuple[str, ...]) -> Vectors:
        with self._meter.request() as receipt:
            try:
                vectors = await _dropped_is_transient(self._embeddings.embed(texts))
            except ModelError as error:
                if isinstance(error.usage, Usage):
                    receipt.usage = _at_least_one_call(error.usage)
                raise
            if isinstance(vectors, PaidVectors):
                receipt.usage = _at_least_one_call(vectors.usage)
        if len(vectors) != len(texts):
            raise ModelError(f"{self.identity} gave {len(vectors)} vectors for {len(texts)} texts.")
        return vectors

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._embeddings.aclose()


async def _dropped_is_transient(answer: Awaitable[T]) -> T:
    """Say in our words what models of others say in Python's: a dropped connection, a time-out."""
    try:
        return await answer
    except (TimeoutError, asyncio.TimeoutError, ConnectionError) as error:
        raise TransientModelError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error


def _at_least_one_call(usage: Usage) -> Usage:
    return usage if usage.calls else dataclasses.replace(usage, calls=1)


def _told(error: ModelError, role: str) -> ModelError:
    """The error as this caller should see it: others may wait for the same request, and must not see its name."""
    request = current_request.get()
    text = f"{request}: {error}" if request else str(error)
    told: ModelError
    if type(error) is TransientModelError:
        told = TransientModelError(text, status=error.status, retry_after=error.retry_after)
    elif type(error) is RejectedRequestError:
        told = RejectedRequestError(text, status=error.status)
    elif type(error) is StructureError:
        told = StructureError(text, raw=error.raw, truncated=error.truncated, final=error.final)
    elif type(error) is ModelError:
        told = ModelError(text)
    else:
        told = error  # somebody's own kind: it may carry more than we know how to copy
    told.role = told.role or role
    return told
