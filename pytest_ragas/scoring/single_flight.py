"""`SingleFlight`: identical work that is under way is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    """Work that is under way.

    Attributes:
        waiting: Those who wait for it beside the one who does it; mostly nobody.
        result: What it gave, once they are told.
        error: What it raised.
        lost: Whether who did it was cancelled.
    """

    __slots__ = ("error", "lost", "result", "waiting")

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []
        self.result: T | None = None
        self.error: BaseException | None = None
        self.lost = False


class SingleFlight(Generic[T]):
    """Runs a coroutine for each distinct key; who asks for a key that is under way waits for its result.

    Who asks first does the work itself: a task for each of eight calls of a sample would cost a tenth of all that
    scoring it takes. If that one is cancelled, the next who waits does it anew. Results are not kept: that is the
    judgement store's business. Belongs to one event loop at a time.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work`, or of the equal work that is under way.

        Args:
            key: Equal for equal work.
            work: Called only if no equal work is under way.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # flights of a closed loop, or of the parent of a fork, never land
            self._flights, self._loop = {}, loop
        while (flight := self._flights.get(key)) is not None:
            landed: asyncio.Future[None] = loop.create_future()
            flight.waiting.append(landed)
            await landed
            if flight.error is not None:
                raise flight.error
            if not flight.lost:
                return flight.result  # type: ignore[return-value]  # a T, since there is neither of the others
        flight = self._flights[key] = _Flight()
        try:
            result = await work()
        except (asyncio.CancelledError, GeneratorExit):
            flight.lost = True
            raise
        except BaseException as error:
            flight.error = error
            raise
        else:
            flight.result = result
            return result
        finally:
            if self._flights.get(key) is flight:  # not on another loop by now
                del self._flights[key]
            for landed in flight.waiting:
                if not landed.done():  # cancelled
                    landed.set_result(None)
