"""`Meter`: what the calls to one model cost so far."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_ragas.protocols import another_request
from pytest_ragas.values.model import Usage


class Meter:
    """Usage of one model in one role; written on the engine's loop, read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usage = Usage()
        self._in_flight = 0

    @property
    def usage(self) -> Usage:
        """Calls and tokens so far: every request that was sent, answered or not."""
        return self._usage

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        return self._in_flight

    @contextmanager
    def request(self) -> Iterator[Receipt]:
        """Count one request; put what it cost into the receipt."""
        receipt = Receipt()
        may = another_request.get()

        async def another(so_far: Usage) -> None:
            """The call takes one more request: if nobody ever says what it cost in all, this much is known."""
            receipt.usage = so_far
            await may(so_far)
            receipt.usage = so_far + Usage(calls=1)

        token = another_request.set(another)
        with self._lock:
            self._in_flight += 1
        try:
            yield receipt
        finally:
            with contextlib.suppress(ValueError):  # the loop is gone, and this is the end of its last task
                another_request.reset(token)
            usage = receipt.usage
            with self._lock:
                self._in_flight -= 1
                self._usage += usage


class Receipt:
    """What one request cost; one call and no tokens until something better is known."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        self.usage = Usage(calls=1)
