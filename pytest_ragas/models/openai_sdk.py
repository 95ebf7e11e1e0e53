"""Clients of the openai SDK, as a user's fixture returns them or as `client = "openai"` asks for. The only module
that imports it.

The SDK only carries the requests: what goes into them and what the answers mean is decided where it is for our
own client, so that both give the same scores.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, ModelError
from pytest_ragas.models.endpoint import Endpoint, Hidden, endpoint_of
from pytest_ragas.models.kinds import is_a
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.models.sdk_errors import outcome
from pytest_ragas.models.threads import in_thread
from pytest_ragas.models.transport import Reply
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings


def sdk_llm(client: Any, settings: ModelSettings, *, model: str = "") -> OpenAIChat:
    """An LLM behind an openai client.

    Args:
        client: `AsyncOpenAI`, `AsyncAzureOpenAI`, or their synchronous sisters, whose calls run in threads.
            It is copied, not changed: without its retries, and with connections of its own where it
            uses the SDK's, since the engine's event loop is not the user's.
        settings: `model_name`, `structure`, `timeout` and `generation_config` are used.
        model: The model's name, where the settings do not say.

    Raises:
        ConfigurationError: Nobody says which model.
    """
    settings, endpoint = _as_settings(client, settings, model, what="critic_llm")
    return OpenAIChat(settings, transport=SDKTransport(client, endpoint, timeout=settings.timeout), endpoint=endpoint)


def sdk_embeddings(client: Any, settings: ModelSettings, *, model: str = "") -> OpenAIEmbeddings:
    """An embedding model behind an openai client; arguments as those of `sdk_llm`."""
    settings, endpoint = _as_settings(client, settings, model, what="embeddings")
    transport = SDKTransport(client, endpoint, timeout=settings.timeout)
    return OpenAIEmbeddings(settings, transport=transport, endpoint=endpoint)


def sdk_client(settings: ModelSettings) -> Any:
    """The `AsyncOpenAI` or `AsyncAzureOpenAI` that settings with `client = "openai"` describe.

    Raises:
        MissingExtraError: openai is not installed.
        ConfigurationError: The settings cannot be used.
    """
    try:
        import openai
    except ModuleNotFoundError as error:
        if error.name != "openai":
            raise
        raise MissingExtraError('client = "openai"', "openai", "langchain") from None
    endpoint = endpoint_of(settings)
    headers = {name: value.reveal() if isinstance(value, Secret) else value for name, value in settings.headers.items()}
    # a placeholder for servers that need none: without one the SDK would take OPENAI_API_KEY, and send it there
    key = settings.api_key.reveal().strip() if settings.api_key else "none"
    options: dict[str, Any] = {"api_key": key, "default_headers": headers, "max_retries": 0}
    base = endpoint.chat_url.partition("?")[0].removesuffix("/chat/completions")
    if settings.api_version:
        return openai.AsyncAzureOpenAI(base_url=base, api_version=settings.api_version, **options)
    return openai.AsyncOpenAI(base_url=base, **options)


_ASYNC_CLIENTS = {"openai": "AsyncOpenAI", "anthropic": "AsyncAnthropic"}


class SDKTransport:
    """Carries requests over an openai client. Satisfies `Transport`."""

    def __init__(self, client: Any, endpoint: Endpoint, *, timeout: float) -> None:
        """
        Args:
            client: An openai client, synchronous or not.
            endpoint: Whom it asks, and what must not be shown.
            timeout: Seconds that one request may take.
        """
        self._endpoint = endpoint
        self._timeout = timeout
        self._is_async = is_async(client)
        self._client, self._own = detached(client)

    async def post(self, url: str, body: bytes) -> Reply:
        """See `Transport.post`."""
        request = json.loads(body)
        if url == self._endpoint.embeddings_url:
            # unasked, the SDK wants base64, which not every server can: our client finds that out
            packing = request.pop("encoding_format", "float")
            named = {"model": request.pop("model"), "input": request.pop("input"), "encoding_format": packing}
            create = self._client.embeddings.with_raw_response.create
        else:
            named = {"model": request.pop("model"), "messages": request.pop("messages")}
            create = self._client.chat.completions.with_raw_response.create

        def send() -> Any:
            # by extra_body, since the SDK knows the parameters of OpenAI and of nobody else
            return create(**named, extra_body=request)

        call = send() if self._is_async else in_thread(send, name="ragas-openai")
        raw = await outcome(call, self._endpoint, timeout=self._timeout)
        if isinstance(raw, ModelError):
            raise raw from raw.__cause__
        if isinstance(raw, Reply):
            return raw
        response = raw.http_response
        return Reply(status=response.status_code, headers=response.headers, body=response.content)

    async def aclose(self) -> None:
        """Close the connections that are its own; the user's are the user's."""
        if self._own is not None:
            await self._own.aclose()


def is_async(client: Any) -> bool:
    """Whether an openai client is asynchronous."""
    return is_a(client, "AsyncOpenAI", "openai")


def detached(client: Any, *, shared: bool | None = None) -> tuple[Any, Any]:
    """A copy of an SDK's client that does not retry, and the HTTP client to close with it.

    Args:
        client: A user's client of openai, or of anthropic, whose SDK is made by the same generator; it stays as it is.
        shared: Whether its HTTP client is a library's default that others share; found out where not given.

    Returns:
        The copy, and its own HTTP client: None if it goes on using the user's.
    """
    library = next((name for name, kind in _ASYNC_CLIENTS.items() if is_a(client, kind, name)), None)
    if library is None:
        return client.with_options(max_retries=0), None
    if shared is None:
        # an HTTP client that the user made has proxies, certificates or a mock in it
        shared = type(getattr(client, "_client", None)).__name__ == "AsyncHttpxClientWrapper"
    if not shared:
        return client.with_options(max_retries=0), None
    # Connections belong to one event loop, and the application's loop is another one than the engine's: a
    # connection that one of them left in a common pool is dead in the other.
    own = importlib.import_module(library).DefaultAsyncHttpxClient(timeout=client.timeout)
    return client.with_options(max_retries=0, http_client=own), own


def sdk_endpoint(client: Any, *, name: str = "") -> Endpoint:
    """Whom an openai client asks."""
    scheme, _, rest = str(client.base_url).rstrip("/").partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}"
    key = Hidden(client.api_key if isinstance(client.api_key, str) else "")
    return Endpoint(
        shown=shown,
        chat_url=f"{shown}/chat/completions",
        embeddings_url=f"{shown}/embeddings",
        headers={},
        secrets=tuple(secret for secret in (key,) if secret.strip()),
        key_origin=f"the {name or type(client).__name__} object",
        strict_subset=".openai.com/" in f"{shown}/" or ".azure." in shown,
    )


def _as_settings(client: Any, settings: ModelSettings, model: str, *, what: str) -> tuple[ModelSettings, Endpoint]:
    """The settings that a client amounts to, and its endpoint."""
    model = model or settings.model_name
    if not model:
        kind = type(client).__name__
        raise ConfigurationError(
            f"The fixture returned an openai.{kind}, which does not say which model to ask. Return it together with "
            f'the name, as (client, "gpt-4o-mini"), or set model_name in [tool.pytest-ragas.{what}].'
        )
    return replace(settings, model_name=model, model_name_or_path=""), sdk_endpoint(client)
