"""`as_llm` and `as_embeddings`: what a user's fixture returned, as our Protocols; or an error that says the mend.

Nothing is imported to find out what a value is: whoever returns a LangChain object has imported LangChain.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NoReturn

from pytest_ragas.errors import ConfigurationError, cut
from pytest_ragas.models.kinds import is_a, is_chat_model, is_langchain_embeddings, is_openai_client
from pytest_ragas.protocols import LLM, Critic, Embeddings, LikelihoodCritic
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import EmbeddedCritic, ModelIdentity

_LLM_WAYS = (
    "Return a LangChain chat model, an openai client as (client, model name), a ScriptedCritic, "
    "or an object with identity, async ask(messages, schema) and async aclose()"
)
_EMBEDDINGS_WAYS = (
    "Return LangChain embeddings, an openai client as (client, model name), ScriptedEmbeddings, "
    "or an object with identity, async embed(texts) and async aclose()"
)


def as_llm(value: object, settings: ModelSettings, *, fixture: str = "ragas_critic_llm") -> Critic:
    """The LLM that a fixture's value is.

    Args:
        value: What the fixture returned.
        settings: Those of the model that it stands for: timeouts, and the model's name of an openai client.
        fixture: Its name, for messages.

    Raises:
        ConfigurationError: It is none; the message says what it is, and what to return.
    """
    _refuse_common_mistakes(value, fixture, _LLM_WAYS, key=fixture.removeprefix("ragas_"))
    if isinstance(value, EmbeddedCritic):
        return value
    if isinstance(value, (LLM, LikelihoodCritic)):
        _check_identity(value, fixture)
        return value
    if isinstance(value, ModelSettings):
        from pytest_ragas.models.build import build_llm

        return build_llm(value)
    client, name = _pair(value)
    if client is not None:
        from pytest_ragas.models.openai_sdk import sdk_llm

        return sdk_llm(client, settings, model=name)
    if is_chat_model(value):
        from pytest_ragas.models.langchain import LangChainLLM

        return LangChainLLM(value, settings)
    _refuse(value, fixture, _LLM_WAYS, LLM)


def as_embeddings(
    value: object, settings: ModelSettings | None = None, *, fixture: str = "ragas_embeddings"
) -> Embeddings:
    """The embedding model that a fixture's value is; arguments and errors as those of `as_llm`."""
    _refuse_common_mistakes(value, fixture, _EMBEDDINGS_WAYS, key="embeddings")
    settings = settings or ModelSettings()
    if isinstance(value, Embeddings):
        _check_identity(value, fixture)
        return value
    if isinstance(value, ModelSettings):
        from pytest_ragas.models.build import build_embeddings

        return build_embeddings(value)
    client, name = _pair(value)
    if client is not None:
        from pytest_ragas.models.openai_sdk import sdk_embeddings

        return sdk_embeddings(client, settings, model=name)
    if is_langchain_embeddings(value):
        from pytest_ragas.models.langchain import LangChainEmbeddings

        return LangChainEmbeddings(value, settings)
    _refuse(value, fixture, _EMBEDDINGS_WAYS, Embeddings)


def _check_identity(value: LLM | LikelihoodCritic | Embeddings, fixture: str) -> None:
    identity: object = value.identity
    if not isinstance(identity, ModelIdentity):
        raise ConfigurationError(
            f"The fixture {fixture} returned a {type(value).__name__} whose identity is {cut(repr(identity), 60)}. "
            'Make it a ModelIdentity of pytest_ragas, for example ModelIdentity(provider="mine", name="judge-1").'
        )


def _pair(value: object) -> tuple[Any, str]:
    """An openai client and the model's name; (None, "") if it is something else."""
    if (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and is_openai_client(value[0])
        and isinstance(value[1], str)
    ):
        return value[0], value[1]
    return (value, "") if is_openai_client(value) else (None, "")


def _refuse_common_mistakes(value: object, fixture: str, ways: str, *, key: str) -> None:
    """Values that no amount of looking closer makes a model."""
    if value is None:
        raise ConfigurationError(f"The fixture {fixture} returned None. Does it lack a return? {ways}.")
    if isinstance(value, (str, bytes)):
        raise ConfigurationError(
            f"The fixture {fixture} returned a text; a fixture returns the model itself. To name one, leave it "
            f"out and set model_name (and api_base) or model_name_or_path in [tool.pytest-ragas.{key}]. {ways}."
        )
    if inspect.isclass(value):
        raise ConfigurationError(
            f"The fixture {fixture} returned the class {value.__name__}, not an object of it. "
            f"Write {value.__name__}(…) with its arguments. {ways}."
        )
    if inspect.iscoroutine(value) or inspect.isasyncgen(value):
        if inspect.iscoroutine(value):
            value.close()  # else Python warns that it was never awaited
        raise ConfigurationError(
            f"The fixture {fixture} is async, and nothing awaited it. Make it a plain def: no model needs an event "
            f"loop to be built. {ways}."
        )
    if type(value).__module__.startswith("unittest.mock"):
        raise ConfigurationError(
            f"The fixture {fixture} returned a {type(value).__name__}, which answers anything to everything. "
            "Return ScriptedCritic or ScriptedEmbeddings of pytest_ragas, which say what you write down for them."
        )
    if isinstance(value, Mapping):
        raise ConfigurationError(
            f"The fixture {fixture} returned a mapping; settings belong into [tool.pytest-ragas.{key}]. {ways}."
        )


def _refuse(value: object, fixture: str, ways: str, protocol: Any) -> NoReturn:
    """Say what a value is and what it lacks."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    mend = f"{ways}."
    if is_a(value, "LangchainLLMWrapper", "ragas") or is_a(value, "LangchainEmbeddingsWrapper", "ragas"):
        mend = "Return the LangChain object that it wraps."
    elif type(value).__module__.split(".")[0] == "ragas":
        mend = "Return the client or LangChain object that it was made from; ragas' own metrics get it through us."
    elif is_a(value, "SentenceTransformer", "sentence_transformers"):
        # encoding in two threads at once, theirs and the engine's, breaks the tokenizer that both would use
        mend = "Name the model in [tool.pytest-ragas.embeddings] instead: model_name_or_path = its path or hub id."
    elif is_a(value, "BaseLLM", "langchain_core"):
        mend = "It completes texts and knows no messages: return a chat model (ChatHuggingFace wraps a pipeline)."
    elif is_a(value, "Runnable", "langchain_core"):
        mend = "A chain, a retry or a fallback is no model: return the chat model itself; retries are ours."
    else:
        lacks = [name for name in _members(protocol) if not hasattr(value, name)]
        if len(lacks) < len(_members(protocol)):
            mend = f"It lacks {', '.join(lacks)}. {ways}."
    raise ConfigurationError(f"The fixture {fixture} returned a {kind}, which we cannot ask. {mend}")


def _members(protocol: Any) -> tuple[str, ...]:
    return ("identity", "ask", "aclose") if protocol is LLM else ("identity", "embed", "aclose")
