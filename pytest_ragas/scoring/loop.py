"""`EngineLoop`: the event loop that scoring runs on, its clock, and how its tasks are brought to an end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable

Closer = Callable[[], Awaitable[object]]
log = logging.getLogger("pytest_ragas.engine")


class _Clock:
    """The real clock, where freezegun does not find it: it replaces `time.monotonic` and what modules hold of it."""

    now = staticmethod(time.monotonic)


def now() -> float:
    """Seconds on the real clock, also while a test has frozen time."""
    return _Clock.now()


if sys.platform == "win32":
    _BaseLoop = asyncio.ProactorEventLoop
else:
    _BaseLoop = asyncio.SelectorEventLoop


class EngineLoop(_BaseLoop):
    """The engine's own loop, whatever event loop policy the tests set and whatever time they freeze."""

    def time(self) -> float:
        """Seconds on the real clock."""
        return now()


_STEPS = 12
"""Of a loop, from a job that is handed over to the request that it sends; what waits for a network takes none."""
_STEPS_TAKE = 1.0
"""Seconds that they may take."""


def let_go_first(loop: asyncio.AbstractEventLoop) -> None:
    """Wait until the loop of another thread has taken its next steps, for a moment. Ctrl-C gets through."""
    taken = threading.Event()

    def step(left: int) -> None:
        if left:
            loop.call_soon(step, left - 1)
        else:
            taken.set()

    with contextlib.suppress(RuntimeError):  # closed meanwhile
        loop.call_soon_threadsafe(step, _STEPS)
        taken.wait(_STEPS_TAKE)


async def cancel_all(until: float) -> None:
    """Cancel every other task of the loop, again if need be, and wait for them until a time of `monotonic`."""
    me = asyncio.current_task()
    while tasks := [task for task in asyncio.all_tasks() if task is not me]:
        for task in tasks:
            task.cancel()
        # some swallow a cancellation: again, after a while that lets the others clean up
        left = until - now()
        await asyncio.wait(tasks, timeout=max(0.01, min(left, 0.3)))
        if left <= 0:
            return


async def run_closer(closer: Closer, until: float) -> None:
    """Run one closer, until a time of `monotonic` at most; what goes wrong in it is logged, not raised."""

    async def run() -> None:
        await closer()

    task = asyncio.ensure_future(run())
    await asyncio.wait({task}, timeout=max(0.05, until - now()))
    if not task.done():
        task.cancel()
        log.warning("closing did not end in time: %r", closer)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.warning("closing failed: %r: %s: %s", closer, type(error).__name__, error)
