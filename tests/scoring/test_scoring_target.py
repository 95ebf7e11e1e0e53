"""What a target is called with, and what is no target."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest

import pytest_ragas
from pytest_ragas.errors import ConfigurationError
from pytest_ragas.scoring.target import is_async, read_target
from pytest_ragas.values.sample import Sample

ROW = Sample(user_input="How much?", id="q1")


class Rag:
    def ask(self, user_input: str) -> str:
        return user_input

    async def aask(self, user_input: str) -> str:
        return user_input


class Called:
    def __call__(self, row: Sample) -> str:
        return row.user_input


class CalledAsync:
    async def __call__(self, user_input: str) -> str:
        return user_input


def of_sample(row: Sample) -> str: ...
def of_sample_or_none(row: Sample | None) -> str: ...
def of_dotted(row: pytest_ragas.Sample) -> str: ...
def of_unknown_names(row: Sample, more: NowhereDefined = 1) -> str: ...  # type: ignore[name-defined]  # noqa: F821
def named_sample(sample): ...
def named_ragas_sample(ragas_sample, k=4): ...
def sample_that_is_a_text(sample: str) -> str: ...
def of_a_text(question: str) -> str: ...
def without_annotation(question): ...
def of_anything(*args: Sample, **kwargs: Any) -> str: ...
def with_k(user_input: str, k: int, *, n: int = 1) -> str: ...


def takes(function: Callable[..., Any]) -> str:
    return read_target(function, name="rag", where="test_rag").takes


@pytest.mark.parametrize(
    "function",
    [
        of_sample,
        of_sample_or_none,
        of_dotted,
        of_unknown_names,
        named_sample,
        named_ragas_sample,
        Called(),
        functools.partial(of_sample),
        lambda sample: sample,
    ],
)
def test_the_whole_sample_goes_where_it_is_asked_for(function: Callable[..., Any]) -> None:
    assert takes(function) == "sample"
    assert read_target(function, name="rag", where="test_rag").argument(ROW) is ROW


@pytest.mark.parametrize(
    "function",
    [
        sample_that_is_a_text,
        of_a_text,
        without_annotation,
        of_anything,
        Rag().ask,
        CalledAsync(),
        functools.partial(with_k, k=4),
        lambda user_input: user_input,
        str.upper,
        dict,  # has no signature
    ],
)
def test_everything_else_gets_the_user_input(function: Callable[..., Any]) -> None:
    assert takes(function) == "user_input"
    assert read_target(function, name="rag", where="test_rag").argument(ROW) == "How much?"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "The fixture 'rag', the target of test_rag, gives None. Return the callable: return rag.ask."),
        (Rag(), "gives a Rag, which cannot be called. Return its method: return rag.ask."),
        (42, "gives 42, a int, which cannot be called. Return your RAG as a callable: return lambda user_input:"),
    ],
)
def test_what_is_no_callable_is_refused_with_the_mend(value: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_target(value, name="rag", where="test_rag")
    assert message in str(caught.value)


def test_an_async_fixture_that_nobody_awaited_is_refused_with_the_mend() -> None:
    async def fixture() -> None: ...

    coroutine = fixture()
    with pytest.raises(ConfigurationError, match=r"gives a coroutine that nobody awaited: it is an async fixture"):
        read_target(coroutine, name="rag", where="test_rag")
    coroutine.close()


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (with_k, r"missing a required argument: 'k'"),
        (lambda: "", r"too many positional arguments"),
        (lambda *, user_input: user_input, r"too many positional arguments|missing a required"),
    ],
)
def test_a_callable_of_another_shape_is_refused_with_the_mend(function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        read_target(function, name="rag", where="test_rag")
    assert "it is called as rag(user_input), and is rag(" in str(caught.value)
    assert "return lambda user_input: rag(user_input, k=4)." in str(caught.value)


def test_coroutine_functions_are_known_in_every_form() -> None:
    async def function(user_input: str) -> None: ...

    for target in (function, Rag().aask, CalledAsync(), functools.partial(function), asyncio.sleep):
        assert is_async(target)
    for other in (Rag().ask, Rag, Called(), lambda user_input: function(user_input)):
        assert not is_async(other)
