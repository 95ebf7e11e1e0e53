"""`SingleFlight`: identical work that is under way is done once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.waiters: set[asyncio.Future[None]] = set()


class SingleFlight(Generic[T]):
    """Runs a coroutine for each distinct key; who asks for a key that is under way waits for its result.

    Cancelling one who waits leaves the work to the others; it is cancelled when the last one has gone.
    Results are not kept: that is the judgement store's business. Belongs to one event loop at a time.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work`, or of the equal work that is under way.

        Args:
            key: Equal for equal work.
            work: Called only if no equal work is under way; runs in a task of its own, in the caller's context.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # flights of a closed loop, or of the parent of a fork, never land
            self._flights, self._loop = {}, loop
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(loop.create_task(work()))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._land(key, flight))
        landed: asyncio.Future[None] = loop.create_future()
        flight.waiters.add(landed)
        try:
            await landed
        except asyncio.CancelledError:
            flight.waiters.discard(landed)
            if not flight.waiters and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()
            raise
        return flight.task.result()

    def _land(self, key: Hashable, flight: _Flight[T]) -> None:
        self._forget(key, flight)
        if not flight.task.cancelled():
            flight.task.exception()  # looked at, even if nobody is left to raise it
        for landed in flight.waiters:
            # a waiter that was cancelled in this very step is done already
            with contextlib.suppress(asyncio.InvalidStateError):
                landed.set_result(None)

    def _forget(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
