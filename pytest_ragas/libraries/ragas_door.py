"""The one door to ragas: the only module that imports it.

Import order matters: telemetry is switched off by an environment variable that ragas reads once, and
ragas 0.4.3 imports a module that langchain-community 0.4.2 dropped. The import costs 3 seconds, so it
happens on the caller's thread, where a metric is built or a generation begins: not on the event loop that
scores wait on, and not on a worker thread either, for there it would run in the middle of somebody's test
(with its file system, its warning filters and its `sys.modules` patched).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import types
import warnings

from pytest_ragas.errors import ConfigurationError, MissingExtraError

__all__ = ["installed", "ragas_module", "ragas_modules"]

_VERTEXAI = "langchain_community.chat_models.vertexai"

_IMPORTING = threading.Lock()


def installed() -> bool:
    """Whether ragas can be found, without importing it."""
    return importlib.util.find_spec("ragas") is not None


def ragas_module(name: str, *, what: str) -> types.ModuleType:
    """A module of ragas, imported when first needed.

    Args:
        name: Below ragas: "metrics.collections".
        what: Who needs it, for messages.

    Raises:
        MissingExtraError: ragas is not installed.
        ConfigurationError: It is, but cannot be imported.
    """
    return ragas_modules(name, what=what)[0]


def ragas_modules(*names: str, what: str) -> tuple[types.ModuleType, ...]:
    """Several modules of ragas, in this order. Errors as `ragas_module`."""
    if not installed():
        raise MissingExtraError(what, "ragas", "ragas")
    with _IMPORTING:
        if os.environ.get("RAGAS_DO_NOT_TRACK", "").lower() != "false":  # unless somebody wants to be tracked
            os.environ["RAGAS_DO_NOT_TRACK"] = "true"
        with warnings.catch_warnings():
            # langchain-community 0.4.2 warns of its own end on import, which -W error would turn into ours
            warnings.simplefilter("ignore")
            try:
                return _import(names)
            except ImportError as error:
                raise ConfigurationError(
                    f"ragas is installed but cannot be imported: {error}. "
                    "Install the versions that work together: pip install 'pytest-ragas[ragas]'"
                ) from error


def _import(names: tuple[str, ...]) -> tuple[types.ModuleType, ...]:
    # what is imported already needs no stand-in, and looking for one imports langchain-community
    if all(f"ragas.{name}" in sys.modules for name in names):
        return tuple(sys.modules[f"ragas.{name}"] for name in names)
    shim = _vertexai_shim()
    try:
        return tuple(importlib.import_module(f"ragas.{name}") for name in names)
    finally:
        if shim:  # others shall still find out that the module is gone
            sys.modules.pop(_VERTEXAI, None)


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
