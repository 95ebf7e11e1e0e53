"""Run the independent calls of one metric at the same time, and leave none behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Results of all the work, in order.

    If one piece fails, the others are cancelled and waited for before its exception goes on: a score that is
    lost already must not go on paying for calls. `asyncio.gather` alone would let them run.
    """
    tasks = [asyncio.ensure_future(piece) for piece in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
