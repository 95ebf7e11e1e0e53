"""A table of a model to `ModelSettings`, and which keys go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pytest_ragas.settings.values import ModelSettings

_API = ("model_name", "api_base", "api_key", "api_version", "headers", "client", "structure")
"""Keys that only an API model has."""

_BOTH = (
    "timeout",
    "concurrency",
    "generation_config",
    "batch_size",
    "dimensions",
    "normalize",
    "prompt",
    "query_prompt",
    "passage_prompt",
)
"""Keys that either kind has; every other key belongs to a local model."""

_FIELDS = frozenset(field.name for field in fields(ModelSettings)) - {"options"}


def model_settings(table: Mapping[str, Any] | str) -> ModelSettings:
    """The model that a table without problems describes; a lone name is that of a local model."""
    if isinstance(table, str):
        return ModelSettings(model_name_or_path=table)
    known = {name: value for name, value in table.items() if name in _FIELDS}
    if "api_base" in known:
        known["api_base"] = known["api_base"].rstrip("/")
    if "timeout" in known:
        known["timeout"] = float(known["timeout"])
    if not known.get("api_key", True):  # api_key = ""
        del known["api_key"]
    options = {name: value for name, value in table.items() if name not in _FIELDS}
    return ModelSettings(**known, options=options)


def model_problems(table: Mapping[str, Any], *, path: str, place: str) -> list[str]:
    """What is wrong with a table whose keys and types are right.

    Args:
        table: Keys of one model, secrets sealed.
        path: "critic_llm", "generator_llm" or "embeddings".
        place: Where it stands, for messages.
    """
    api = [name for name in table if name in _API]
    local = [name for name in table if name not in _API and name not in _BOTH]
    head = f"{path} in {place}"
    problems = []
    if api and local:
        problems.append(
            f"{head} mixes keys of an API model ({', '.join(api)}) with keys of a local model ({', '.join(local)}). "
            "Keep one kind: model_name with api_base, or model_name_or_path."
        )
    elif not api and "model_name_or_path" not in table:
        problems.append(
            f"{head} names no model. Write model_name and api_base for an API model, "
            "or model_name_or_path for a local one."
        )
    elif api and "model_name" not in table:
        problems.append(f"{head} names no model. Write model_name, as the server at api_base knows it.")
    elif api and "api_base" not in table and not table.get("client"):
        problems.append(
            f"{head} has no api_base. Write where the model is, "
            'for OpenAI itself: api_base = "https://api.openai.com/v1".'
        )
    return problems
