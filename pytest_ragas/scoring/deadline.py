"""`Deadline`: cuts off what is awaited when its time is up."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Iterator
from types import TracebackType

_running: contextvars.ContextVar[Deadline | None] = contextvars.ContextVar("ragas_deadline", default=None)


class Deadline:
    """`with Deadline(when) as deadline: await ...` cancels the current task at a time of its loop.

    The `CancelledError` leaves the block; `deadline.expired` then says whether it is ours. Unlike `asyncio.wait_for`
    of Python 3.10 and 3.11 this needs no task of its own and loses no cancellation that comes from outside.
    (`asyncio.timeout` is Python 3.11.)
    """

    __slots__ = ("_cancelling", "_fired", "_handle", "_task", "_token", "_when", "expired", "rested")

    def __init__(self, when: float) -> None:
        """
        Args:
            when: On the clock of the running loop, `loop.time()`, in seconds.
        """
        self._when = when
        self._fired = False
        self._cancelling = 0
        self._task: asyncio.Task[object] | None = None
        self._handle: asyncio.TimerHandle | None = None
        self.expired = False
        """Whether the block was cut off by this deadline, and by nobody else."""
        self.rested = 0.0
        """Seconds that did not count (`resting`)."""

    def __enter__(self) -> Deadline:
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = _cancelling(self._task)
        self._handle = asyncio.get_running_loop().call_at(self._when, self._fire)
        self._token = _running.set(self)
        return self

    @contextlib.contextmanager
    def rest(self) -> Iterator[None]:
        """Time that does not count."""
        assert self._handle is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._handle.cancel()
        try:
            yield
        finally:
            rested = loop.time() - began
            self.rested += rested
            self._when += rested
            self._handle = loop.call_at(self._when, self._fire)

    def _fire(self) -> None:
        assert self._task is not None
        self._fired = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._handle is not None
        assert self._task is not None
        self._handle.cancel()
        with contextlib.suppress(ValueError):  # the loop is gone, and this is the end of its last task
            _running.reset(self._token)
        if self._fired:
            uncancel = getattr(self._task, "uncancel", None)  # Python 3.11
            left = uncancel() if uncancel else self._cancelling
            self.expired = isinstance(error, asyncio.CancelledError) and left <= self._cancelling
        self._task = None


def resting() -> contextlib.AbstractContextManager[None]:
    """`with resting(): await ...`: what is awaited does not count against the deadline of the call, if it has one."""
    deadline = _running.get()
    return contextlib.nullcontext() if deadline is None else deadline.rest()


def _cancelling(task: asyncio.Task[object]) -> int:
    cancelling = getattr(task, "cancelling", None)  # Python 3.11
    return int(cancelling()) if cancelling else 0
