"""`build_llm` and `build_embeddings`: from settings to a model. Nothing is loaded or connected yet."""

from __future__ import annotations

import os
from dataclasses import replace

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.protocols import Critic, Embeddings
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import EmbeddedCritic

EMBEDDED = "embedded"
"""Names the critic that is no LLM but a measure of the wording."""

LIKELIHOOD = "likelihood"
KINDS = ("llm", LIKELIHOOD)
"""How a local model may judge: by answers, which is the default, or by what it finds likely."""


def build_llm(settings: ModelSettings) -> Critic:
    """The critic or generator LLM that settings describe.

    Raises:
        ConfigurationError: They describe none.
        MissingExtraError: The library of their `client` is not installed.
    """
    settings = _as_api(settings)
    _no_telemetry(settings)
    kind = settings.options.get("kind", "llm")
    if kind not in KINDS:
        raise UnknownNameError("kind", str(kind), KINDS, where="the settings of the critic LLM")
    if kind == LIKELIHOOD:
        _check_readable(settings)
        from pytest_ragas.models.local.likelihood import CausalLikelihoods

        return CausalLikelihoods(settings)
    if settings.model_name_or_path == EMBEDDED:
        return EmbeddedCritic()
    if settings.model_name_or_path == "minilm":
        raise _minilm_is_no_llm()
    if settings.model_name_or_path:
        from pytest_ragas.models.local.llm import TransformersLLM

        return TransformersLLM(settings)
    if not (settings.model_name or settings.api_base):
        raise ConfigurationError(f"The settings of the LLM name no model. {_WAYS}")
    if settings.client == "langchain":
        from pytest_ragas.models.langchain import LangChainLLM

        return LangChainLLM.of_settings(settings)
    if settings.client == "openai":
        from pytest_ragas.models.openai_sdk import sdk_client, sdk_llm

        return sdk_llm(sdk_client(settings), settings)
    from pytest_ragas.models.openai_api import OpenAIChat

    return OpenAIChat(settings)


def build_embeddings(settings: ModelSettings) -> Embeddings:
    """The embedding model that settings describe.

    Raises:
        ConfigurationError: They describe none.
        MissingExtraError: The library of their `client` is not installed.
    """
    settings = _as_api(settings)
    _no_telemetry(settings)
    if settings.model_name_or_path == EMBEDDED:
        raise ConfigurationError(
            'embeddings = "embedded" does not exist: the embedded critic measures without embeddings. '
            'Leave embeddings out, or write embeddings = {model_name_or_path = "minilm"}.'
        )
    if settings.model_name_or_path:
        from pytest_ragas.models.embeddings import SentenceTransformerEmbeddings

        return SentenceTransformerEmbeddings(settings)
    if not (settings.model_name or settings.api_base):
        raise ConfigurationError(
            "The settings of the embeddings name no model. Write model_name and api_base of an API, or "
            'model_name_or_path = "minilm", a path or a hub id.'
        )
    if settings.client == "langchain":
        from pytest_ragas.models.langchain import LangChainEmbeddings

        return LangChainEmbeddings.of_settings(settings)
    if settings.client == "openai":
        from pytest_ragas.models.openai_sdk import sdk_client, sdk_embeddings

        return sdk_embeddings(sdk_client(settings), settings)
    from pytest_ragas.models.openai_api import OpenAIEmbeddings

    return OpenAIEmbeddings(settings)


_WAYS = (
    "Write model_name and api_base (and api_key) of an OpenAI-compatible API: vLLM, Ollama and llama.cpp serve local "
    'models as one; or model_name_or_path of a language model that runs here: a folder, a hub id or "smollm2"; or '
    "return a LangChain chat model or an openai client from the fixture ragas_critic_llm; "
    'or take model_name_or_path = "embedded", which needs no LLM.'
)


def _no_telemetry(settings: ModelSettings) -> None:
    """Before a local model's libraries are imported: the hub's client reads this once, and counts uses otherwise."""
    if settings.model_name_or_path not in ("", EMBEDDED):
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def _as_api(settings: ModelSettings) -> ModelSettings:
    """Settings that name an API's model `model_name_or_path`, as EvalScope's do, with the name in its place.

    Raises:
        ConfigurationError: Both names are given, and differ.
    """
    local, name = settings.model_name_or_path, settings.model_name
    if local and name and local != name:
        raise ConfigurationError(
            f"A model is either an API model or a local one, but both model_name = {name!r} and "
            f"model_name_or_path = {local!r} are given. Remove one of them."
        )
    if local and (name or settings.api_base):
        return replace(settings, model_name=local, model_name_or_path="")
    return settings


def _check_readable(settings: ModelSettings) -> None:
    """
    Raises:
        ConfigurationError: What a likelihood critic cannot be made of.
    """
    name = settings.model_name_or_path
    if settings.model_name or settings.api_base:
        raise ConfigurationError(
            'kind = "likelihood" reads a local model, and APIs do not give the likelihoods of a text: write '
            "model_name_or_path without model_name and api_base."
        )
    if name == EMBEDDED:
        raise ConfigurationError(
            'kind = "likelihood" needs a language model, and "embedded" is none: write model_name_or_path = "smollm2", '
            "a path or a hub id; or remove kind."
        )
    if name == "minilm":
        raise _minilm_is_no_llm()
    if settings.template_type or settings.generation_config:
        unused = "template_type" if settings.template_type else "generation_config"
        raise ConfigurationError(f'{unused} has no use with kind = "likelihood", which generates nothing: remove it.')


def _minilm_is_no_llm() -> ConfigurationError:
    return ConfigurationError(
        '"minilm" is an embedding model and cannot judge: it belongs into embeddings = {model_name_or_path = '
        f'"minilm"}}. {_WAYS}'
    )
