"""The model tables of EvalScope's task dicts, in every spelling that it has had, to those of our own settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from pytest_ragas.settings.seal import seal

_OPENAI = {"api_base": "https://api.openai.com/v1", "api_key": "env:OPENAI_API_KEY"}
"""What `provider = "openai"` alone means."""

_GENERATION = ("temperature", "max_tokens")
"""Keys beside generation_config that belong into it."""

_RENAMED = {"model_revision": "revision", "dimension": "dimensions", "cache_dir": "cache_folder"}

TEMPLATE_TYPES = ("", "chatml", "default", "gemma", "llama3", "mistral", "phi3", "qwen")
"""Those that a local LLM knows (`models/local/templates.py`). EvalScope has had about 150."""

EVALSCOPE_KEYS = {
    "llm": frozenset(("provider", "model_revision", "cache_dir", *_GENERATION)),
    "embeddings": frozenset(
        ("provider", "dimension", "cache_dir", "is_cross_encoder", "check_embedding_ctx_length", "batch_size")
    ),
}
"""Keys of a model that are EvalScope's alone; those of our own settings are taken as they are."""


class TableProblem(Exception):
    """A table of a model that says what cannot be done. Internal."""


def model_table(
    given: Mapping[str, Any] | str, *, embeddings: bool, environ: Mapping[str, str], notes: list[str], path: str
) -> Any:
    """A model of a task as our settings have it. What is unknown stays, for the check of the settings to name.

    Args:
        given: The table, secrets sealed; a lone text is the name of a local model, as in our own settings.
        embeddings: Whether it is an embedding model.
        environ: Where the key of `provider = "openai"` is looked up.
        notes: Takes a line for each key that says nothing here.
        path: Where the table stands, for messages.

    Raises:
        TableProblem: It asks for a provider that does not exist here, or for a cross encoder.
    """
    if isinstance(given, str):
        return _local({"model_name_or_path": given})
    table = {_RENAMED.get(key, key): value for key, value in given.items() if value is not None}
    provider = str(table.pop("provider", "")).lower()
    if provider not in ("", "openai", "huggingface", "modelscope"):
        raise TableProblem(
            f'{path}.provider is {provider!r}. Every OpenAI-compatible server is provider = "openai" with its '
            "api_base; other clients are returned by the fixtures ragas_critic_llm and ragas_embeddings."
        )
    if provider == "openai" and "api_base" not in table:
        table = {**seal(_OPENAI, environ=environ, place=path), **table}
    if embeddings:
        _of_embeddings(table, path)
    else:
        _of_llm(table, notes, path)
    if "api_base" in table:
        _of_api(table, notes, path)
        return table
    if provider in ("huggingface", "modelscope"):
        table.setdefault("hub", provider)
    return _local(table)


def _of_embeddings(table: dict[str, Any], path: str) -> None:
    table.pop("check_embedding_ctx_length", None)  # our client always sends text, which it asks for
    if table.pop("is_cross_encoder", False):
        raise TableProblem(
            f"{path}.is_cross_encoder: a cross encoder compares two texts and embeds none. Name an encoder."
        )


def _of_llm(table: dict[str, Any], notes: list[str], path: str) -> None:
    config = table.get("generation_config", {})
    if not isinstance(config, Mapping):
        return  # the check of the settings says so
    config = {**{name: table.pop(name) for name in _GENERATION if name in table}, **config}
    if "api_base" in table:  # a local model takes the names of transformers as they are
        if "max_new_tokens" in config:
            config.setdefault("max_tokens", config.pop("max_new_tokens"))
        if config.pop("do_sample", None) is False:
            config["temperature"] = 0
    elif table.get("template_type", "") not in TEMPLATE_TYPES:
        name = table.pop("template_type")
        notes.append(
            f"{path}.template_type {name!r} is not known: the chat template of the model's own tokenizer is used."
        )
    if config:
        table["generation_config"] = config


def _of_api(table: dict[str, Any], notes: list[str], path: str) -> None:
    name = table.get("model_name_or_path")
    if name is not None and table.get("model_name", name) == name:
        table["model_name"] = table.pop("model_name_or_path")
    if table.pop("template_type", None) is not None:
        notes.append(f"{path}.template_type is left aside: the server of an API model has its own chat template.")


def _local(table: dict[str, Any]) -> dict[str, Any]:
    """EvalScope looks for OWNER/NAME on ModelScope; our own settings look on the Hugging Face hub."""
    name = table.get("model_name_or_path")
    if isinstance(name, str) and is_hub_id(name):
        table.setdefault("hub", "modelscope")
    return table


def is_hub_id(name: str) -> bool:
    """Whether a name means a model on a hub: OWNER/NAME, and no such path here."""
    owner, slash, rest = name.partition("/")
    is_path = owner in ("", ".", "..", "~") or "/" in rest or "\\" in name or os.path.exists(name)
    return bool(slash and rest) and not is_path


def known_keys(ours: Collection[str], *, embeddings: bool) -> frozenset[str]:
    """Every key that a model of a task may have."""
    return EVALSCOPE_KEYS["embeddings" if embeddings else "llm"] | frozenset(ours)
