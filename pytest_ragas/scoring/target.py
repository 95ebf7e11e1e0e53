"""`Target`: the RAG under test as a callable, and what it is called with."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from pytest_ragas.errors import ConfigurationError, cut
from pytest_ragas.values.sample import Sample

_SAMPLE_NAMES = ("sample", "ragas_sample")
_METHODS = ("ask", "answer", "query", "invoke", "run", "chat", "generate", "predict", "search", "complete")
"""What a RAG is asked by where it is an object: for the mend of a message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A RAG under test: one positional argument in, an answer or an awaitable of one out."""

    name: str
    """The fixture that gave it."""
    function: Callable[[Any], Any]
    takes: Literal["user_input", "sample"]
    """What it is called with."""

    def argument(self, row: Sample) -> str | Sample:
        """What it is called with for one row."""
        return row if self.takes == "sample" else row.user_input


def read_target(value: object, *, name: str, where: str) -> Target:
    """What a fixture gave, as a target.

    It gets the whole `Sample` where its parameter is annotated `Sample`, or is named `sample` or `ragas_sample` and not
    annotated `str`; else the `user_input`.

    Args:
        value: The fixture's value.
        name: The fixture.
        where: The test that names it, for messages.

    Raises:
        ConfigurationError: It is no callable, or cannot be called with one positional argument.
    """
    if not callable(value):
        raise ConfigurationError(f"The fixture {name!r}, the target of {where}, {_instead(value)}")
    return Target(name=name, function=value, takes=_takes(value, name, where))


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a callable is a coroutine function, or an object whose `__call__` is one."""
    if inspect.iscoroutinefunction(function):
        return True
    return not isinstance(function, type) and inspect.iscoroutinefunction(type(function).__call__)


def _instead(value: object) -> str:
    kind = type(value).__name__
    if value is None:
        return "gives None. Return the callable: return rag.ask."
    if isinstance(value, (Awaitable, AsyncGenerator)):
        return (
            f"gives a {kind} that nobody awaited: it is an async fixture, and no plugin runs it for this test. "
            "Make it a sync fixture that returns the async callable."
        )
    methods = [method for method in _METHODS if callable(getattr(value, method, None))]
    if methods:
        return f"gives a {kind}, which cannot be called. Return its method: return rag.{methods[0]}."
    return (
        f"gives {cut(repr(value), 80)}, a {kind}, which cannot be called. Return your RAG as a callable: "
        "return lambda user_input: rag.ask(user_input)."
    )


def _takes(function: Callable[..., Any], name: str, where: str) -> Literal["user_input", "sample"]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C: nobody knows
        return "user_input"
    try:
        bound = signature.bind(None)
    except TypeError as error:
        raise ConfigurationError(
            f"The target {name!r} of {where} cannot be called with one argument ({error}): it is called as "
            f"{name}(user_input), and is {name}{cut(str(signature), 120)}. "
            "Return from the fixture what can: return lambda user_input: rag(user_input, k=4)."
        ) from None
    parameter = signature.parameters[next(iter(bound.arguments))]
    if parameter.kind is parameter.VAR_POSITIONAL:
        return "user_input"
    annotation = _annotation(function, parameter)
    if annotation is str:
        return "user_input"
    return "sample" if _names_sample(annotation) or parameter.name in _SAMPLE_NAMES else "user_input"


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The parameter's annotation as a type where it can be found out, else as it is written."""
    written = parameter.annotation
    if not isinstance(written, str):
        return written
    if written in ("str", "builtins.str"):
        return str
    function = getattr(function, "func", function)  # functools.partial
    bearer = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
    try:
        return typing.get_type_hints(bearer).get(parameter.name, written)
    except Exception:  # of whatever the annotations of others name
        return written


def _names_sample(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return any(part.strip().rpartition(".")[2] == "Sample" for part in annotation.split("|"))
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return Sample in typing.get_args(annotation)
    return annotation is Sample
