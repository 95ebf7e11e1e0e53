"""`Meter`: what the calls to one model cost so far."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
        with self._lock:
            self._in_flight += 1
        try:
            yield receipt
        finally:
            usage = receipt.usage
            with self._lock:
                self._in_flight -= 1
                self._usage += usage


class Receipt:
    """What one request cost; one call and no tokens until something better is known."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        self.usage = Usage(calls=1)
