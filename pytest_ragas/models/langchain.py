"""LangChain chat models and embeddings, as a user's fixture returns them or as `client = "langchain"` asks for.

LangChain only carries the requests. How a schema is put to the model, what its answers and errors mean, is decided
where it is for our own client (`OpenAIChat`). The only module that imports langchain_openai.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, ModelError, RejectedRequestError
from pytest_ragas.models.endpoint import OPENAI, endpoint_of
from pytest_ragas.models.langchain_object import OwnCopy, own_copy
from pytest_ragas.models.openai_api import DEFAULTS, OpenAIChat
from pytest_ragas.models.openai_errors import ServerError, problem, read_reply
from pytest_ragas.models.openai_vectors import embedding_options, read_vectors
from pytest_ragas.models.openai_wire import wire_parameters
from pytest_ragas.models.sdk_errors import outcome
from pytest_ragas.models.threads import GatheringWorker, in_thread
from pytest_ragas.models.transport import Reply
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message, ModelIdentity

_CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_REFUSES = frozenset({400, 404, 405, 422, 500, 501})
"""Statuses by which servers say that they do not know a field."""
_FILTERED = frozenset({"content_filter", "safety", "refusal", "prohibited_content", "blocklist"})


class LangChainLLM:
    """A LangChain chat model as a critic or generator LLM. Satisfies `LLM`.

    The model is copied, not changed: its parameters are its own, its retries are off (one place retries), and
    its answers come from no LangChain cache. A model without an async implementation runs in threads.
    """

    def __init__(self, chat_model: Any, settings: ModelSettings | None = None) -> None:
        """
        Args:
            chat_model: Any `BaseChatModel`, or what its `bind()` returned.
            settings: `structure` and `timeout` are used; what the model generates with is its own affair.
        """
        settings = replace(settings or ModelSettings(), generation_config=dict.fromkeys(DEFAULTS))
        self._setup(own_copy(chat_model), settings, parameters={})

    @classmethod
    def of_settings(cls, settings: ModelSettings) -> LangChainLLM:
        """The `ChatOpenAI`, or `AzureChatOpenAI`, that settings with `client = "langchain"` describe.

        Raises:
            MissingExtraError: langchain-openai is not installed.
            ConfigurationError: The settings cannot be used.
        """
        kind = "AzureChatOpenAI" if settings.api_version else "ChatOpenAI"
        given = _client_options(settings)
        if settings.api_version:
            given["azure_deployment"] = settings.model_name
        chat_model = getattr(_langchain_openai(), kind)(**given)
        llm = cls.__new__(cls)
        parameters = {**DEFAULTS, **wire_parameters(settings.generation_config)}
        llm._setup(own_copy(chat_model), settings, parameters=parameters)
        return llm

    def _setup(self, copy: OwnCopy, settings: ModelSettings, *, parameters: Mapping[str, Any]) -> None:
        settings = replace(settings, model_name=copy.name, model_name_or_path="")
        self._copy = copy
        transport = LangChainTransport(copy, timeout=settings.timeout)
        self._chat = OpenAIChat(settings, transport=transport, endpoint=copy.endpoint)
        asked = {name: json.dumps(value, sort_keys=True) for name, value in parameters.items() if value is not None}
        if settings.structure != "auto":
            asked["structure"] = json.dumps(settings.structure)
        self._identity = copy.identity(asked)

    @property
    def identity(self) -> ModelIdentity:
        """Provider "langchain", the model's name, class and parameters, and its endpoint if it tells."""
        return self._identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from what was asked for, as the model's first answer showed."""
        return self._chat.notes

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Answer once, in the structure of `schema`.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused; another try would not help.
            StructureError: An answer, but not in the structure.
            ModelError: The model raised something that we do not know; its `__cause__`.
        """
        return await self._chat.ask(messages, schema)

    async def aclose(self) -> None:
        """Let go of the connections that are its own."""
        await self._copy.aclose()


class LangChainTransport:
    """Carries chat requests over a LangChain model. Satisfies `Transport`.

    It reads the request as an OpenAI server would, and answers as one.
    """

    def __init__(self, copy: OwnCopy, *, timeout: float) -> None:
        """
        Args:
            copy: The model.
            timeout: Seconds that one request may take.
        """
        self._copy = copy
        self._timeout = timeout

    async def post(self, url: str, body: bytes) -> Reply:
        """See `Transport.post`."""
        request = json.loads(body)
        messages = [(turn["role"], turn["content"]) for turn in request.pop("messages")]
        del request["model"]
        try:
            model, options = self._prepared(request)
        except (NotImplementedError, ValueError, TypeError, AttributeError) as error:
            # the model has no such way, and says so before anything is sent
            return _refused(error)
        config = self._copy.config
        if self._copy.is_async:
            call = model.ainvoke(messages, config, **options)
        else:
            call = in_thread(lambda: model.invoke(messages, config, **options), name="ragas-langchain")
        said = await outcome(call, self._copy.endpoint, timeout=self._timeout)
        if isinstance(said, ModelError):
            raise said from said.__cause__
        if not isinstance(said, Reply):
            return _reply(said["raw"] if isinstance(said, Mapping) else said)
        if model is not self._copy.model and said.status in _REFUSES:
            return _refused(said.body.decode("utf-8", "replace"))
        return said

    async def aclose(self) -> None:
        """Let go of the connections that are its own."""
        await self._copy.aclose()

    def _prepared(self, request: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What to call, and with which keyword arguments, so that the model sees the schema of a request."""
        names = ("response_format", "tools", "tool_choice")
        structure: dict[str, Any] = {name: request.pop(name) for name in names if name in request}
        # what is left is generation_config: as extra_body, since LangChain renames what it knows
        options: dict[str, Any] = {"extra_body": request} if request else {}
        if self._copy.speaks_openai or not structure:
            return self._copy.model, {**self._copy.options, **options, **structure}
        if self._copy.options:
            raise NotImplementedError("what is bound to the model would be lost")
        # in the provider's own way: some take a schema, others have it as a tool
        how: dict[str, Any] = {"include_raw": True}
        if "tools" in structure:
            how["method"] = "function_calling"
        elif structure["response_format"]["type"] == "json_object":
            how["method"] = "json_mode"
        return self._copy.model.with_structured_output(_schema_of(structure), **how), options


class LangChainEmbeddings:
    """LangChain embeddings. Satisfies `Embeddings`.

    The object is copied, not changed, and does not retry. One without an async implementation runs in a
    thread of its own, one call at a time, with the texts of requests that come together.
    """

    def __init__(self, embeddings: Any, settings: ModelSettings | None = None) -> None:
        """
        Args:
            embeddings: Any LangChain `Embeddings`.
            settings: `timeout` is used.
        """
        settings = settings or ModelSettings()
        self._copy = own_copy(embeddings)
        self._timeout = settings.timeout
        self._identity = self._copy.identity({})
        self._worker: GatheringWorker[str, Any] | None = None
        if not self._copy.is_async:
            self._worker = GatheringWorker(
                lambda texts: self._copy.model.embed_documents(list(texts)), name="ragas-langchain-embeddings"
            )

    @classmethod
    def of_settings(cls, settings: ModelSettings) -> LangChainEmbeddings:
        """The `OpenAIEmbeddings`, or `AzureOpenAIEmbeddings`, that settings with `client = "langchain"` describe.

        Raises:
            MissingExtraError: langchain-openai is not installed.
            ConfigurationError: The settings cannot be used.
        """
        batch_size, decides = embedding_options(settings.options)
        given = _client_options(settings)
        given |= {
            # its own counting of tokens downloads a vocabulary, and sends numbers that only OpenAI can read
            "check_embedding_ctx_length": False,
            "chunk_size": batch_size,
            # unasked, the SDK wants base64, which not every server can
            "model_kwargs": {"encoding_format": "float", **wire_parameters(settings.generation_config)},
            **decides,
        }
        if settings.api_version:
            given["azure_deployment"] = settings.model_name
        kind = "AzureOpenAIEmbeddings" if settings.api_version else "OpenAIEmbeddings"
        return cls(getattr(_langchain_openai(), kind)(**given), settings)

    @property
    def identity(self) -> ModelIdentity:
        """Provider "langchain", the model's name, class and parameters, and its endpoint if it tells."""
        return self._identity

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Vectors of the texts, in order, all of one length.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused, or no vector for each text.
            ModelError: The object raised something that we do not know; its `__cause__`.
        """
        if not texts:
            return []
        endpoint, wanted = self._copy.endpoint, list(texts)
        call = self._worker.ask(wanted) if self._worker is not None else self._copy.model.aembed_documents(wanted)
        vectors = await outcome(call, endpoint, timeout=self._timeout)
        if isinstance(vectors, Reply):
            answer = read_reply(vectors, endpoint)
            assert isinstance(answer, ServerError)  # its status is 300 or more
            raise problem(answer, endpoint=endpoint, model=self._copy.name)
        if isinstance(vectors, ModelError):
            raise vectors from vectors.__cause__
        data = {"data": [{"embedding": vector} for vector in vectors]}
        read = read_vectors(data, len(texts), str(self._identity))
        if len({len(vector) for vector in read}) > 1:
            raise RejectedRequestError(f"{self._identity} gave vectors of different lengths.")
        return read

    async def aclose(self) -> None:
        """Let go of threads and of the connections that are its own."""
        if self._worker is not None:
            await self._worker.aclose()
        await self._copy.aclose()


def _langchain_openai() -> Any:
    try:
        import langchain_openai
    except ModuleNotFoundError as error:
        if error.name not in ("langchain_openai", "langchain_core"):
            raise
        raise MissingExtraError('client = "langchain"', "langchain-openai", "langchain") from None
    return langchain_openai


def _client_options(settings: ModelSettings) -> dict[str, Any]:
    """What ChatOpenAI and OpenAIEmbeddings are built from."""
    if not settings.model_name:
        raise ConfigurationError(
            'An API model needs a model_name, as the server knows it. Write for example model_name = "gpt-4o-mini".'
        )
    endpoint = endpoint_of(settings)  # checks the key and the headers
    given: dict[str, Any] = {
        "model": settings.model_name,
        # a placeholder for servers that need none: without one LangChain would take OPENAI_API_KEY, and send it there
        "api_key": settings.api_key.reveal().strip() if settings.api_key else "none",
        "default_headers": {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in settings.headers.items()
        },
        "timeout": settings.timeout,
        "max_retries": 0,
    }
    if settings.api_version:
        given |= {"azure_endpoint": f"{endpoint.origin.scheme}://{endpoint.origin.netloc}"}
        given |= {"api_version": settings.api_version}
    else:
        given["base_url"] = endpoint.shown if settings.api_base else OPENAI
    return given


def _schema_of(structure: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema in the fields of an OpenAI request, with the title that LangChain needs for a name."""
    described = structure.get("response_format", {}).get("json_schema")
    if described is not None:
        return {"title": described["name"], **described["schema"]}
    for tool in structure.get("tools", ()):
        return {"title": tool["function"]["name"], **tool["function"]["parameters"]}
    return {"title": "answer", "type": "object"}


def _refused(said: object) -> Reply:
    """What an OpenAI server says that knows neither response_format nor tools."""
    message = f"no structured output, by response_format, json_schema or tools: {said}"
    return Reply(status=400, headers={}, body=json.dumps({"error": {"message": message}}).encode())


def _reply(message: Any) -> Reply:
    """An `AIMessage` as the answer of an OpenAI server."""
    meta = getattr(message, "response_metadata", None) or {}
    reasons = [str(meta[name]).lower() for name in ("finish_reason", "stop_reason", "done_reason") if meta.get(name)]
    reason = "stop"
    if _CUT_OFF.intersection(reasons):
        reason = "length"
    elif _FILTERED.intersection(reasons):
        reason = "content_filter"
    calls = [call.get("args") for name in ("tool_calls", "invalid_tool_calls") for call in getattr(message, name, ())]
    usage = getattr(message, "usage_metadata", None) or {}
    answer = {
        "choices": [
            {
                "finish_reason": reason,
                "message": {
                    "content": message.content if hasattr(message, "content") else str(message),
                    "refusal": (getattr(message, "additional_kwargs", None) or {}).get("refusal"),
                    "tool_calls": [{"function": {"arguments": arguments}} for arguments in calls],
                },
            }
        ],
        "usage": {"prompt_tokens": usage.get("input_tokens"), "completion_tokens": usage.get("output_tokens")},
    }
    return Reply(
        status=200, headers={}, body=json.dumps(answer, ensure_ascii=False, default=str).encode("utf-8", "replace")
    )
