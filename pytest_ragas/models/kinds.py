"""What an object of somebody's library is, by the names of its classes: imports no library to find out."""

from __future__ import annotations

from typing import Any


def is_a(value: object, name: str, package: str) -> bool:
    """Whether a value is an instance of a class, or of one derived from it.

    Args:
        value: Any object.
        name: Name of the class.
        package: Top-level package that defines it.
    """
    return any(kind.__name__ == name and kind.__module__.split(".")[0] == package for kind in type(value).__mro__)


def is_openai_client(value: object) -> bool:
    """Whether a value is a client of the openai SDK, synchronous or not."""
    return is_a(value, "AsyncOpenAI", "openai") or is_a(value, "OpenAI", "openai")


def is_chat_model(value: object) -> bool:
    """Whether a value is a LangChain chat model, or what `bind()` or `with_config()` of one returned."""
    below: Any = value
    while is_a(below, "RunnableBinding", "langchain_core"):
        below = below.bound
    return is_a(below, "BaseChatModel", "langchain_core")


def is_langchain_embeddings(value: object) -> bool:
    """Whether a value is LangChain embeddings."""
    return is_a(value, "Embeddings", "langchain_core")
