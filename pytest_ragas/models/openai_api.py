"""`OpenAIChat` and `OpenAIEmbeddings`: any OpenAI-compatible endpoint, through one lean HTTP client.

OpenAI, Azure, vLLM, Ollama, llama.cpp and others: what a server cannot do is found out by the first request and
remembered. No retry here: `scoring.retry` is the one place that asks again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas.errors import ConfigurationError, ModelError, RejectedRequestError, StructureError
from pytest_ragas.models.endpoint import Endpoint, endpoint_of
from pytest_ragas.models.openai_errors import (
    ServerError,
    problem,
    quirk_of,
    read_reply,
    refuses_form,
    refuses_length,
)
from pytest_ragas.models.openai_memory import Quirk, remembered, same_error
from pytest_ragas.models.openai_vectors import (
    PACKING,
    Batch,
    batches,
    embedding_options,
    read_vectors,
    refuses_packing,
    smaller_batch,
)
from pytest_ragas.models.openai_wire import (
    Form,
    bounds_free,
    chat_body,
    cut_off,
    forms_for,
    read_answer,
    tokens_of,
    wire_parameters,
)
from pytest_ragas.models.structured import Structure
from pytest_ragas.models.transport import HTTPTransport, Transport
from pytest_ragas.protocols import JSONSchema, another_request, answer_room
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage, Vectors

DEFAULTS: Mapping[str, Any] = {"temperature": 0}
"""What is sent though nobody asked for it. Dropped where a model takes no temperature."""

_LENGTHS = frozenset({"max_tokens", "max_completion_tokens"})
_LEAST_ROOM = 64
"""Tokens of an answer below which a server is not asked whether it has room for fewer."""


class OpenAIChat:
    """A critic or generator LLM behind an OpenAI-compatible API. Satisfies `LLM`."""

    def __init__(
        self, settings: ModelSettings, *, transport: Transport | None = None, endpoint: Endpoint | None = None
    ) -> None:
        """
        Args:
            settings: `model_name`, `api_base`, `api_key`, `api_version`, `headers`, `structure`, `timeout`
                and `generation_config`.
            transport: Sends the requests; plain HTTP where not given.
            endpoint: Where they go; what the settings say where not given.

        Raises:
            ConfigurationError: The settings cannot be used.
        """
        self._model = _model_name(settings)
        self._endpoint = endpoint or endpoint_of(settings)
        self._given = wire_parameters(settings.generation_config)
        parameters = {**DEFAULTS, **self._given}
        # None: "do not send it", also for our default
        self._parameters = {name: value for name, value in parameters.items() if value is not None}
        self._structure = settings.structure
        self._forms = forms_for(settings.structure, strict_subset=self._endpoint.strict_subset)
        self._memory = remembered((self._endpoint.chat_url, self._model, settings.structure))
        self._transport = transport or HTTPTransport(self._endpoint, timeout=settings.timeout)
        decides = dict(self._parameters)
        if settings.structure != "auto":
            decides["structure"] = settings.structure
        self._identity = _identity(self._model, self._endpoint.shown, decides)

    @property
    def identity(self) -> ModelIdentity:
        """Provider "openai", the endpoint without credentials, and the parameters as they were asked for."""
        return self._identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from what was asked for, as the model's first answer showed; empty before it."""
        if "no temperature" in self._memory.quirks and "temperature" not in self._given:
            return (f"{self._model} takes no temperature; it answers at its own",)
        return ()

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Answer once, in the structure of `schema`.

        The first request to an endpoint may take several, until one form is accepted; the others hope that it is the
        first form, and wait if it is not.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused; another try would not help.
            StructureError: An answer, but not in the structure.
            ConfigurationError: The proxy or the certificates of the environment cannot be used.
        """
        question = _Question(messages, Structure.of(schema))
        try:
            return await self._ask(question)
        except ModelError as error:
            error.usage = question.spent  # a wrong answer is paid for too
            raise

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._transport.aclose()

    async def _ask(self, question: _Question) -> Answer:
        memory = self._memory
        while not memory.settled:
            first = memory.under_way()
            if first is None:
                with memory.begin():
                    return await self._find_out(question)
            if memory.hopeful and not question.hoped:
                # nearly every server takes the first form: nobody waits for a whole call to know it
                question.hoped = True
                try:
                    answer = await self._answer(question, self._forms[0])
                except (_FormRefusedError, StructureError):
                    memory.hopeful = False
                    continue
                memory.form = memory.form or self._forms[0]
                return answer
            error = await asyncio.shield(first)
            if error is not None:
                raise same_error(error)
        try:
            return await self._answer(question, memory.form)
        except _FormRefusedError as refused:
            later = self._after(memory.form)
            error = refused.error
        if not later:
            raise error
        return await self._find_out(question, later)

    async def _find_out(self, question: _Question, forms: Sequence[Form] = ()) -> Answer:
        """Ask in one form after the other until an answer has the structure, and remember the form."""
        settled = bool(forms)
        forms = forms or self._forms
        accepted: list[Form] = []
        failure: ModelError | None = None
        for form in forms:
            if form == "json_schema bare" and "json_schema" in self._forms:
                if accepted or bounds_free(question.structure):
                    continue  # it is for servers that refuse bounds
            try:
                answer = await self._answer(question, form)
            except _FormRefusedError as refused:
                failure = failure or refused.error
            except StructureError as error:
                # a server that ignores the schema answers in prose, or in JSON of its own
                accepted.append(form)
                failure = error
                if question.cut_off:
                    break
            else:
                if settled or not self._memory.form:  # others may have been answered in the first form meanwhile
                    self._memory.form = form
                return answer
            if self._memory.form == form:
                raise failure  # others were answered in it: it was the model, this once
            self._memory.hopeful = False
        if accepted and not question.cut_off and (settled or not self._memory.form):
            # it is the model that cannot do it; from now on it is told the schema in words, in one request
            said = [form for form in accepted if form in ("json_object", "text")]
            self._memory.form = (said or accepted)[0]
        assert failure is not None
        if self._structure != "auto" and not accepted:
            failure = RejectedRequestError(
                f'{failure} The settings ask for structure = "{self._structure}"; leave it out, and a form that the '
                "server takes is found.",
                status=getattr(failure, "status", None),
            )
        raise failure

    def _after(self, form: str) -> tuple[Form, ...]:
        names: tuple[str, ...] = self._forms
        return self._forms[names.index(form) + 1 :] if form in names else self._forms

    async def _answer(self, question: _Question, form: Any) -> Answer:
        """One answer in one form: one request, and another one for each thing that the model turns out not to take.

        Raises:
            _FormRefusedError: The server does not take the schema in this form.
        """
        while True:
            known = frozenset(self._memory.quirks)
            if question.spent.calls:
                await another_request.get()(question.spent)
            question.spent += Usage(calls=1)
            room = self._room(question)
            reply = await self._transport.post(self._endpoint.chat_url, self._body(question, form, known, room))
            data = read_reply(reply, self._endpoint)
            if isinstance(data, ModelError):
                raise data
            if not isinstance(data, ServerError):
                question.spent += tokens_of(data)
                question.cut_off = cut_off(data)
                value, text = read_answer(data, question.structure, room=room)
                return Answer(value=value, raw=text, usage=question.spent)
            if self._learn(data, question, known, room):
                continue
            if room is not None and room > _LEAST_ROOM and refuses_length(data):
                question.room = max(_LEAST_ROOM, room // 4)
            else:
                error = problem(data, endpoint=self._endpoint, model=self._model, given=self._given)
                raise _FormRefusedError(error) if refuses_form(data, form) else error

    def _room(self, question: _Question) -> int | None:
        """Tokens that the answer may have, where the budget says it and the configuration does not."""
        if not _LENGTHS.isdisjoint(self._given):
            return None
        room = answer_room.get()()
        return room if room is None or question.room is None else min(room, question.room)

    def _body(self, question: _Question, form: Form, quirks: frozenset[Quirk], room: int | None) -> bytes:
        parameters = self._parameters
        if "no temperature" in quirks and "temperature" not in self._given:
            parameters = {name: value for name, value in parameters.items() if name != "temperature"}
        if room is not None:
            # not in the model's identity: an answer that it does not stop is the same without
            parameters = {**parameters, "max_tokens": room}
        return chat_body(self._model, question.messages, parameters, question.structure, form, quirks)

    def _learn(self, error: ServerError, question: _Question, known: frozenset[Quirk], room: int | None) -> bool:
        """Whether the error tells what the request did not know yet, so that sending it again makes sense."""
        quirk = quirk_of(
            error,
            default_temperature="temperature" in self._parameters and "temperature" not in self._given,
            sends_max_tokens="max_tokens" in self._parameters or room is not None,
            sends_system=any(message.role == "system" for message in question.messages),
        )
        if quirk is None or quirk in known:
            return False
        self._memory.quirks.add(quirk)
        return True


class _Question:
    """One call of `ask` under way."""

    __slots__ = ("cut_off", "hoped", "messages", "room", "spent", "structure")

    def __init__(self, messages: Sequence[Message], structure: Structure) -> None:
        self.messages = messages
        self.structure = structure
        self.spent = Usage()
        self.cut_off = False
        self.hoped = False
        self.room: int | None = None
        """Tokens of an answer that the server has room for, where it refused more."""


class _FormRefusedError(Exception):
    """The server does not take the schema in this form; never leaves this module."""

    def __init__(self, error: ModelError) -> None:
        super().__init__()
        self.error = error


class _Spent:
    """What one call of `embed` has cost so far."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        self.usage = Usage()


class OpenAIEmbeddings:
    """An embedding model behind an OpenAI-compatible API. Satisfies `Embeddings`.

    Texts are sent as they are (not as token ids), many in a request, and each distinct one once.
    """

    def __init__(
        self, settings: ModelSettings, *, transport: Transport | None = None, endpoint: Endpoint | None = None
    ) -> None:
        """
        Args:
            settings: `model_name`, `api_base`, `api_key`, `api_version`, `headers`, `timeout`; in `options`
                `dimensions` (of the vectors) and `batch_size` (texts in one request, 64 where not given).
            transport: Sends the requests; plain HTTP where not given.
            endpoint: Where they go; what the settings say where not given.

        Raises:
            ConfigurationError: The settings cannot be used.
        """
        self._model = _model_name(settings)
        self._endpoint = endpoint or endpoint_of(settings)
        self._batch_size, decides = embedding_options(settings.options)
        self._parameters = {**wire_parameters(settings.generation_config), **decides}
        self._transport = transport or HTTPTransport(self._endpoint, timeout=settings.timeout)
        self._identity = _identity(self._model, self._endpoint.shown, self._parameters)
        self._packed = "encoding_format" not in self._parameters
        self._answered = False

    @property
    def identity(self) -> ModelIdentity:
        """Provider "openai", the endpoint without credentials, and the parameters."""
        return self._identity

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Vectors of the texts, in order, all of one length.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused, a text is empty, or the answer does not hold one vector for each text.
            ConfigurationError: The proxy or the certificates of the environment cannot be used.
        """
        for number, text in enumerate(texts, 1):
            if not text.strip():
                raise RejectedRequestError(f"Text {number} of {len(texts)} is empty: there is nothing to embed.")
        spent = _Spent()
        try:
            vectors = await self._embed(texts, spent)
        except ModelError as error:
            error.usage = spent.usage  # batches that were answered are paid for too
            raise
        return Vectors(vectors, usage=spent.usage)

    async def _embed(self, texts: Sequence[str], spent: _Spent) -> list[list[float]]:
        distinct = list(dict.fromkeys(texts))
        vectors: list[list[float]] = []
        waiting = batches(distinct, self._batch_size)
        while waiting:
            batch = waiting.pop(0)
            answer = await self._request(batch, spent)
            if isinstance(answer, ServerError):
                size = smaller_batch(answer, len(batch))
                if size is None:
                    raise problem(answer, endpoint=self._endpoint, model=self._model, given=self._parameters)
                self._batch_size = min(size, self._batch_size)
                waiting = batches([*batch, *(text for rest in waiting for text in rest)], self._batch_size)
            else:
                vectors += answer
        lengths = sorted({len(vector) for vector in vectors})
        if len(lengths) > 1:
            raise RejectedRequestError(f"{self._identity} gave vectors of different lengths: {lengths}.")
        place = {text: index for index, text in enumerate(distinct)}
        return [vectors[place[text]] for text in texts]

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._transport.aclose()

    async def _request(self, batch: Batch, spent: _Spent) -> list[list[float]] | ServerError:
        packing = PACKING if self._packed else {}
        if spent.usage.calls:
            await another_request.get()(spent.usage)
        spent.usage += Usage(calls=1)
        data = await self._post({"model": self._model, "input": batch, **packing, **self._parameters})
        if isinstance(data, ServerError):
            if packing and not self._answered and refuses_packing(data, len(batch)):
                self._packed = False
                return await self._request(batch, spent)
            return data
        self._answered = True
        spent.usage += tokens_of(data)
        return read_vectors(data, len(batch), str(self._identity))

    async def _post(self, request: Mapping[str, Any]) -> Mapping[str, Any] | ServerError:
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        data = read_reply(await self._transport.post(self._endpoint.embeddings_url, body), self._endpoint)
        if isinstance(data, ModelError):
            raise data
        return data


def _model_name(settings: ModelSettings) -> str:
    if not settings.model_name:
        raise ConfigurationError(
            'An API model needs a model_name, as the server knows it. Write for example model_name = "gpt-4o-mini".'
        )
    return settings.model_name


def _identity(model: str, endpoint: str, parameters: Mapping[str, Any]) -> ModelIdentity:
    pairs = sorted((name, json.dumps(value, sort_keys=True)) for name, value in parameters.items())
    return ModelIdentity(provider="openai", name=model, endpoint=endpoint, parameters=tuple(pairs))
