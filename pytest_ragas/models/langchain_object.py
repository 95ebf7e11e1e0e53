"""`OwnCopy`: a user's LangChain object as the engine uses it: without retries, on connections of its own, unchanged.

Knows LangChain's classes by their names, and imports none of them: whoever returns such an object has.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ragas.models.endpoint import Endpoint, Hidden
from pytest_ragas.models.kinds import is_a, is_openai_client
from pytest_ragas.models.openai_sdk import detached, sdk_endpoint
from pytest_ragas.values.model import ModelIdentity

_PARAMETERS = (
    "dimensions",
    "frequency_penalty",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "n",
    "num_ctx",
    "num_predict",
    "presence_penalty",
    "reasoning",
    "reasoning_effort",
    "repeat_penalty",
    "seed",
    "stop",
    "temperature",
    "thinking",
    "top_k",
    "top_p",
)
"""Attributes by which LangChain's models say how they generate. No others are shown: some hold keys."""

_HIDDEN_PARAMETERS = ("extra_body", "model_kwargs")
"""Attributes that decide answers too, but may hold anything: a digest stands for them."""


@dataclass(kw_only=True, slots=True)
class OwnCopy:
    """A LangChain chat model or embeddings, made the engine's own."""

    model: Any
    """The copy; calls go to it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of every call: what the user bound to the model."""
    config: Any = None
    """LangChain's `config` of every call: callbacks, tags and so on that the user bound."""
    endpoint: Endpoint
    name: str
    is_async: bool
    """Whether it implements the async call; else that would take a thread of a small pool."""
    speaks_openai: bool
    """Whether it takes `response_format` and `tools` as OpenAI's API does, and answers `extra_body`."""
    owned: tuple[Any, ...] = ()
    """HTTP clients to close with it."""

    def identity(self, parameters: Mapping[str, str]) -> ModelIdentity:
        """Who answers.

        Args:
            parameters: What is sent beside the object's own parameters, as JSON.
        """
        found = {"class": json.dumps(type(self.model).__name__)}
        for source in (_Attributes(self.model), self.options):
            for name in _PARAMETERS:
                text = _json(source.get(name))
                if text:
                    found[name] = text
            hidden = {name: text for name in _HIDDEN_PARAMETERS if (text := _json(source.get(name)))}
            if hidden:
                found["further"] = json.dumps(hashlib.sha256(repr(sorted(hidden.items())).encode()).hexdigest()[:12])
        found.update(parameters)
        shown = self.endpoint.shown if "://" in self.endpoint.shown else ""
        return ModelIdentity(
            provider="langchain", name=self.name, endpoint=shown, parameters=tuple(sorted(found.items()))
        )

    async def aclose(self) -> None:
        """Close the connections that are its own."""
        for client in self.owned:
            await client.aclose()


def own_copy(value: Any) -> OwnCopy:
    """Make the engine's own copy of a LangChain object.

    Args:
        value: A `BaseChatModel`, what its `bind()` returned, or an `Embeddings`. It stays as it is.
    """
    value, options, config = _bound(value)
    model, owned = _detached_model(value)
    client = _sdk_client(model)
    kind = type(value).__name__
    name = next((str(text) for text in map(_Attributes(value).get, _NAMES) if text), kind)
    endpoint = sdk_endpoint(client, name=kind) if client is not None else None
    if endpoint is None:
        shown = next((str(text) for text in map(_Attributes(value).get, _URLS) if _is_url(text)), kind)
        endpoint = Endpoint(
            shown=shown.rstrip("/"),
            chat_url="",
            embeddings_url="",
            headers={},
            secrets=(),
            key_origin=f"the {kind} object",
        )
    endpoint = Endpoint(
        shown=endpoint.shown,
        # what is learned of a model by one class need not hold for another one
        chat_url=f"langchain {type(value).__module__}.{kind} {endpoint.shown}",
        embeddings_url="",
        headers={},
        secrets=tuple(sorted({*endpoint.secrets, *_secrets(value)}, key=len, reverse=True)),
        key_origin=endpoint.key_origin,
        strict_subset=endpoint.strict_subset,
    )
    return OwnCopy(
        model=model,
        options=options,
        config=config,
        endpoint=endpoint,
        name=name,
        is_async=_is_async(value),
        speaks_openai=is_a(value, "BaseChatOpenAI", "langchain_openai"),
        owned=owned,
    )


_NAMES = ("model_name", "model", "deployment_name", "azure_deployment", "model_id", "repo_id")
_URLS = ("base_url", "api_base", "endpoint_url", "anthropic_api_url", "endpoint", "url")


class _Attributes:
    """Attributes of an object, read like a mapping; what is a method or raises is not there."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self, name: str) -> Any:
        try:
            found = getattr(self._value, name, None)
        except Exception:
            return None
        return None if callable(found) else found


def _bound(value: Any) -> tuple[Any, dict[str, Any], Any]:
    """The object below any `bind()`, what was bound, and the config."""
    options: dict[str, Any] = {}
    config: dict[str, Any] = {}
    while is_a(value, "RunnableBinding", "langchain_core"):
        options = {**value.kwargs, **options}
        config = {**value.config, **config}
        value = value.bound
    return value, options, config or None


def _detached_model(value: Any) -> tuple[Any, tuple[Any, ...]]:
    """A copy that does not retry and shares no connections, and the HTTP clients that it owns."""
    if not hasattr(value, "model_copy"):
        return value, ()
    known = type(value).model_fields
    changes: dict[str, Any] = {}
    if "max_retries" in known:
        changes["max_retries"] = 0
    if "cache" in known and value.cache is None:
        changes["cache"] = False  # None means the cache that the application may have set for all its models
    copy = value.model_copy(update=changes)
    # clients that are built when first needed were built for the original, with its retries
    for name in [name for name in vars(copy) if isinstance(_class_attribute(copy, name), functools.cached_property)]:
        del vars(copy)[name]
    return copy, (*_detach_openai(copy), *_detach_anthropic(copy))


def _detach_anthropic(copy: Any) -> tuple[Any, ...]:
    """Give a ChatAnthropic a client of its own; by default all of them share one pool of connections."""
    if not is_a(copy, "ChatAnthropic", "langchain_anthropic") or _Attributes(copy).get("anthropic_proxy"):
        return ()
    mine, http = detached(copy._async_client, shared=True)
    vars(copy)["_async_client"] = mine
    return () if http is None else (http,)


def _detach_openai(copy: Any) -> tuple[Any, ...]:
    """Give the objects of langchain-openai clients of the openai SDK that are their own."""
    owned: list[Any] = []
    shared = _Attributes(copy).get("http_async_client") is None
    for root, resource in (("root_async_client", "async_client"), ("root_client", "client")):
        held = vars(copy).get(resource)
        client = vars(copy).get(root) or getattr(held, "_client", None)
        if not is_openai_client(client):
            continue
        mine, http = detached(client, shared=shared)
        owned += [http] if http is not None else []
        if root in vars(copy):
            vars(copy)[root] = mine
        # ChatOpenAI holds client.chat.completions, OpenAIEmbeddings holds client.embeddings
        vars(copy)[resource] = mine.embeddings if "Embeddings" in type(held).__name__ else mine.chat.completions
    return tuple(owned)


def _sdk_client(model: Any) -> Any:
    """The openai client in an object of langchain-openai; None if there is none."""
    for name in ("root_async_client", "root_client", "async_client", "client"):
        held = getattr(model, "__dict__", {}).get(name)
        for candidate in (held, getattr(held, "_client", None)):
            if is_openai_client(candidate):
                return candidate
    return None


def _is_async(value: Any) -> bool:
    """Whether a class implements the async call itself."""
    for method in ("_agenerate", "aembed_documents"):
        implementation = _class_attribute(value, method)
        if implementation is not None and not implementation.__module__.startswith("langchain_core."):
            return True
    return False


def _secrets(value: Any) -> set[str]:
    """Keys that a pydantic object holds."""
    held = getattr(value, "__dict__", {}).values()
    found = {secret.get_secret_value() for secret in held if hasattr(secret, "get_secret_value")}
    return {Hidden(secret) for secret in found if isinstance(secret, str) and secret.strip()}


def _class_attribute(value: Any, name: str) -> Any:
    return next((vars(kind)[name] for kind in type(value).__mro__ if name in vars(kind)), None)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://")) and "@" not in value


def _json(value: Any) -> str:
    """A value as JSON; empty if it is not there, or no JSON."""
    if value is None or value in ({}, [], ""):
        return ""
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        return ""
