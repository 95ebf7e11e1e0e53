"""What metrics use of ragas: its classes, what they take, and our models as they see them.

Building a metric imports ragas, through `libraries.ragas_door`.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ragas.libraries.ragas_door import ragas_modules
from pytest_ragas.metrics.ragas.inputs import MESSAGES
from pytest_ragas.metrics.ragas.seam import EmbeddingSeam, LLMSeam

__all__ = ["Library", "Parameters", "library", "parameters_of", "public_classes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """What we use of ragas."""

    collections: types.ModuleType
    messages: types.ModuleType
    llm: type
    """`LLMSeam` as an `InstructorBaseRagasLLM`."""
    embeddings: type
    """`EmbeddingSeam` as a `BaseRagasEmbedding`."""


def library(what: str) -> Library:
    """Ragas, imported when first needed.

    Raises:
        MissingExtraError: It is not installed.
        ConfigurationError: It is, but cannot be imported.
    """
    return _library(*ragas_modules("metrics.collections", "messages", "llms.base", "embeddings.base", what=what))


@functools.cache
def _library(
    collections: types.ModuleType, messages: types.ModuleType, llms: types.ModuleType, embeddings: types.ModuleType
) -> Library:
    return Library(
        collections=collections,
        messages=messages,
        llm=type("RagasLLM", (LLMSeam, llms.InstructorBaseRagasLLM), {}),
        embeddings=type("RagasEmbeddings", (EmbeddingSeam, embeddings.BaseRagasEmbedding), {}),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """What a class of ragas takes, read from its signatures."""

    arguments: Mapping[str, bool]
    """Arguments of `ascore` by the field or metadata that fills them -> whether they must be there."""
    options: Mapping[str, Any]
    """Arguments of the constructor -> their type hints."""
    models: frozenset[str]
    """"llm", "embeddings": which of ours it wants."""


def public_classes() -> dict[str, type]:
    """Every metric class of the installed ragas, by its name. Imports ragas.

    Raises:
        MissingExtraError: It is not installed.
    """
    collections = library("A metric of ragas").collections
    base = collections.BaseMetric
    found = {name: getattr(collections, name) for name in collections.__all__}
    return {
        name: one for name, one in found.items() if isinstance(one, type) and issubclass(one, base) and one is not base
    }


def parameters_of(metric: type) -> Parameters:
    """Read what a class takes from its signatures."""
    arguments = {
        (MESSAGES if name == "user_input" and "Message" in str(parameter.annotation) else name): (
            parameter.default is inspect.Parameter.empty
        )
        for name, parameter in _named(metric.ascore)  # type: ignore[attr-defined]  # every metric of ragas has it
    }
    constructor = dict(_named(metric.__init__))  # type: ignore[misc]  # the class's own, not an instance's
    models = frozenset(name for name in ("llm", "embeddings") if name in constructor)
    options = {name: parameter.annotation for name, parameter in constructor.items() if name not in ("name", *models)}
    return Parameters(arguments=arguments, options=options, models=models)


def _named(function: Any) -> list[tuple[str, inspect.Parameter]]:
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = list(inspect.signature(function).parameters.items())[1:]  # without self
    return [(name, parameter) for name, parameter in parameters if parameter.kind not in variadic]
