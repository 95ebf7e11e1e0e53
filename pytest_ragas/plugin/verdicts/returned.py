"""Catches what a marked test returns, sync or async, before pytest warns about it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def returned_to(item: pytest.Function, keep: Callable[[Any], None]) -> Iterator[None]:
    """While this lasts, what the test function returns goes to `keep`, and pytest sees None.

    pytest-asyncio and anyio look at `item.obj` later than that, so that a coroutine function stays one.
    """
    original = item.obj
    item.obj = _catching(original, keep)
    try:
        yield
    finally:
        item.obj = original


def _catching(function: Callable[..., Any], keep: Callable[[Any], None]) -> Callable[..., Any]:
    # wraps: tracebacks, signatures and marks stay those of the user's function
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def catch_async(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            keep(await function(*args, **kwargs))

        return catch_async

    @functools.wraps(function)
    def catch(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        keep(function(*args, **kwargs))

    return catch
