"""The one door to ragas: the only module that imports it.

Import order matters: telemetry is switched off by an environment variable that ragas reads once, and
ragas 0.4.3 imports a module that langchain-community 0.4.2 dropped. The import costs 3 seconds, so it
happens where a metric is built, on the caller's thread: not on the event loop that scores wait on, and
not on a worker thread either, for there it would run in the middle of somebody's test (with its
file system, its warning filters and its `sys.modules` patched).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import os
import sys
import threading
import types
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError
from pytest_ragas.metrics.ragas.inputs import MESSAGES
from pytest_ragas.metrics.ragas.seam import EmbeddingSeam, LLMSeam

__all__ = ["Library", "Parameters", "installed", "library", "parameters_of", "public_classes"]

_VERTEXAI = "langchain_community.chat_models.vertexai"


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """What we use of ragas."""

    collections: types.ModuleType
    messages: types.ModuleType
    llm: type
    """`LLMSeam` as an `InstructorBaseRagasLLM`."""
    embeddings: type
    """`EmbeddingSeam` as a `BaseRagasEmbedding`."""


_IMPORTING = threading.Lock()


def installed() -> bool:
    """Whether ragas can be found, without importing it."""
    return importlib.util.find_spec("ragas") is not None


def library(what: str) -> Library:
    """Ragas, imported when first needed.

    Raises:
        MissingExtraError: It is not installed.
        ConfigurationError: It is, but cannot be imported.
    """
    if not installed():
        raise MissingExtraError(what, "ragas", "ragas")
    with _IMPORTING:
        return _imported()


@functools.cache
def _imported() -> Library:
    if os.environ.get("RAGAS_DO_NOT_TRACK", "").lower() != "false":  # unless somebody wants to be tracked
        os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    with warnings.catch_warnings():
        # langchain-community 0.4.2 warns of its own end on import, which -W error would turn into ours
        warnings.simplefilter("ignore")
        try:
            return _import()
        except ImportError as error:
            raise ConfigurationError(
                f"ragas is installed but cannot be imported: {error}. "
                "Install the versions that work together: pip install 'pytest-ragas[ragas]'"
            ) from error


def _import() -> Library:
    shim = _vertexai_shim()
    try:
        collections = importlib.import_module("ragas.metrics.collections")
        messages = importlib.import_module("ragas.messages")
        llm = importlib.import_module("ragas.llms.base").InstructorBaseRagasLLM
        embedding = importlib.import_module("ragas.embeddings.base").BaseRagasEmbedding
    finally:
        if shim:  # others shall still find out that the module is gone
            sys.modules.pop(_VERTEXAI, None)
    return Library(
        collections=collections,
        messages=messages,
        llm=type("RagasLLM", (LLMSeam, llm), {}),
        embeddings=type("RagasEmbeddings", (EmbeddingSeam, embedding), {}),
    )


def _vertexai_shim() -> bool:
    """Stand in for the module that langchain-community 0.4.2 dropped and ragas 0.4.3 imports.

    https://github.com/vibrantlabsai/ragas/issues/2745. Ragas only asks `isinstance(llm, ChatVertexAI)`.
    """
    try:
        there = importlib.util.find_spec(_VERTEXAI) is not None
    except ModuleNotFoundError:  # no langchain-community at all: let ragas say so
        return False
    except ValueError:  # somebody's own stand-in, which has no __spec__
        return False
    if there:
        return False
    module = types.ModuleType(_VERTEXAI)
    module.ChatVertexAI = type("ChatVertexAI", (), {})  # type: ignore[attr-defined]  # a module made by hand
    sys.modules[_VERTEXAI] = module
    return True


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
