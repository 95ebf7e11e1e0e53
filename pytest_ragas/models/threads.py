"""Blocking work off the event loop: one call in a thread of its own, or a worker that gathers requests.

Daemon threads, not the loop's executor: that one has as few threads as the machine has cores, and the
interpreter waits for each of them at exit, so that one stuck call would hang the end of a run.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from pytest_ragas.errors import ModelError

T = TypeVar("T")
U = TypeVar("U")


async def in_thread(function: Callable[[], T], *, name: str) -> T:
    """Call `function` in a daemon thread and await what it returns or raises.

    Cancelling the caller abandons the call: the thread goes on, and nobody hears its result.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def call() -> None:
        try:
            result = context.run(function)
        except BaseException as error:
            deliver(loop, future, error=error)
        else:
            deliver(loop, future, result=result)

    threading.Thread(target=call, name=name, daemon=True).start()
    return await future


class GatheringWorker(Generic[T, U]):
    """One daemon thread that answers requests of several items, those that come together in one go.

    `work` is only ever called in that thread, one call at a time: for models that are not thread-safe.
    The thread starts with the first request.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[U]],
        *,
        name: str,
        linger: float = 0.003,
        most: int = 512,
    ) -> None:
        """
        Args:
            work: Items in, one result each out, in order. Blocking.
            name: The thread's name.
            linger: Seconds to wait for further requests once one is there. Those that arrive while `work`
                is busy are taken together anyway.
            most: Items after which no further request is taken into the same call.
        """
        self._work = work
        self._name = name
        self._linger = linger
        self._most = most
        self._requests: queue.SimpleQueue[_Request[T, U] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def ask(self, items: Sequence[T]) -> Sequence[U]:
        """Results of `items`, in order.

        Raises:
            ModelError: The worker was closed.
            Exception: Whatever `work` raised.
        """
        request = _Request[T, U](tuple(items))
        with self._lock:
            if self._closed:
                raise ModelError(f"{self._name} was closed before it was asked")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._requests.put(request)
        return await request.future

    async def aclose(self, *, patience: float = 1.0) -> None:
        """Let the thread end after what it does now, waiting at most `patience` seconds for that.

        Requests that it has not begun fail.
        """
        with self._lock:
            self._closed = True
            self._requests.put(None)
            thread = self._thread
        end = time.monotonic() + patience
        while thread is not None and thread.is_alive() and time.monotonic() < end:
            await asyncio.sleep(0.005)

    def _run(self) -> None:
        last = False
        while not last:
            gathered, last = self._gather()
            if self._closed:
                for request in gathered:
                    request.fail(ModelError(f"{self._name} was closed before it answered"))
            elif gathered:
                self._answer(gathered)

    def _gather(self) -> tuple[list[_Request[T, U]], bool]:
        """The requests of one call, and whether the thread shall end."""
        first = self._requests.get()
        if first is None:
            return [], True
        gathered, items = [first], len(first.items)
        end = time.monotonic() + self._linger
        while items < self._most:
            try:
                request = self._requests.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if request is None:
                return gathered, True
            gathered.append(request)
            items += len(request.items)
        return gathered, False

    def _answer(self, requests: Sequence[_Request[T, U]]) -> None:
        try:
            results = self._work([item for request in requests for item in request.items])
        except BaseException as error:
            for request in requests:
                request.fail(error)
            return
        start = 0
        for request in requests:
            end = start + len(request.items)
            request.answer(results[start:end])
            start = end


class _Request(Generic[T, U]):
    """Items of one caller, and the future on the caller's loop that waits for their results."""

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Sequence[U]] = self._loop.create_future()

    def answer(self, results: Sequence[U]) -> None:
        deliver(self._loop, self.future, result=results)

    def fail(self, error: BaseException) -> None:
        deliver(self._loop, self.future, error=error)


def deliver(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    *,
    result: Any = None,
    error: BaseException | None = None,
) -> None:
    """Hand a result to the loop that waits for it, if it still does."""

    def set_it() -> None:
        if future.done():  # cancelled meanwhile
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, Exception):
            # StopIteration cannot be set on a future
            future.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)
        else:
            # SystemExit and KeyboardInterrupt would end the loop's thread; here they are only news
            failure = ModelError(f"{type(error).__name__} in a model's thread")
            failure.__cause__ = error
            future.set_exception(failure)

    try:
        loop.call_soon_threadsafe(set_it)
    except RuntimeError:
        pass  # the loop was closed: nobody waits any more
