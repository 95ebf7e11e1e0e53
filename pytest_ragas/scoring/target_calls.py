"""`TargetCalls`: the RAG under test is called in the background, so many times at once and no more."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from pytest_ragas.scoring.engine import AT_ONCE, Engine
from pytest_ragas.scoring.logs import THREADS, current_records, in_job
from pytest_ragas.scoring.loop import now
from pytest_ragas.scoring.target import is_async

THREAD_NAME = f"{THREADS}target"

_PATIENCE = 1.0
"""Seconds that an async call has to end in after it was cancelled."""
_SLICE = 0.25
"""Seconds that a wait sleeps at most: Ctrl-C does not interrupt a lock on Windows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came of one call."""

    value: Any = None
    """What the target returned, or what was read from it; None beside an error."""
    error: BaseException | None = None
    """What it raised. A value, so that nothing adds frames to its traceback on the way."""
    traceback: TracebackType | None = None
    """Of the error, from the first frame of the target's own on."""
    timed_out: bool = False
    """Whether it took too long, and was given up."""
    seconds: float = 0.0
    """From its begin to its end; waiting in line does not count."""


class Call:
    """One call: in line, under way, or over.

    Attributes:
        reply: Its reply; cancelling it cancels the call. A sync callable that is under way runs to its end all the
            same, and counts until then.
        records: What it logged, where the engine's log handler is installed.
    """

    __slots__ = ("argument", "begun", "context", "function", "late", "read", "records", "reply", "start")

    def __init__(
        self,
        function: Callable[[Any], Any],
        argument: Any,
        *,
        read: Callable[[Any], Any] | None,
        context: contextvars.Context,
    ) -> None:
        self.function = function
        self.argument = argument
        self.read = read
        self.context = context
        self.reply: Future[Reply] = Future()
        self.records: list[logging.LogRecord] = []
        self.begun = self.late = False
        self.start = 0.0
        self.reply.add_done_callback(tell_if_cancelled)

    def cancel(self) -> None:
        """Give up on it."""
        self.reply.cancel()

    def over(self, reply: Reply) -> Reply:
        """There is a reply, of which those who wait hear at once: the next call may block the event loop."""
        with contextlib.suppress(InvalidStateError):  # cancelled in the last moment, or told before
            self.reply.set_result(replace(reply, seconds=now() - self.start))
        return reply


class TargetCalls:
    """Calls targets on an engine of their own: sync ones in threads, async ones on the one event loop of its thread.

    All async calls share a loop, because clients keep connections that belong to one. It is not the loop that judges:
    a target that blocks it stalls other async targets, and no score.

    Each call runs in a copy of a given context. A call that waits in line costs no thread.
    """

    def __init__(self, *, concurrency: int, timeout: float | None = None) -> None:
        """
        Args:
            concurrency: Calls under way at once, at least 1.
            timeout: Seconds that one call may take; None for as long as it likes.
        """
        self._engine = Engine(concurrency=concurrency, window=concurrency, name=THREAD_NAME)
        self.timeout = timeout
        self._changed = threading.Condition()
        self._under_way: set[Call] = set()

    # ---- for callers of any thread --------------------------------------------------------------

    def call(
        self,
        function: Callable[[Any], Any],
        argument: Any,
        *,
        order: int,
        read: Callable[[Any], Any] | None = None,
        context: contextvars.Context | None = None,
    ) -> Call:
        """Call a function, sync or async, in the background.

        Args:
            function: Takes the argument.
            argument: Of the function.
            order: Place in line: smallest first.
            read: Makes of what it returned what the reply holds, right after the call and in its thread: an object
                may change later.
            context: The context to call it in, a copy of it; None for an empty one.

        Raises:
            RuntimeError: The run is over.
        """
        call = Call(function, argument, read=read, context=context or contextvars.Context())
        self._submit(call, order)
        return call

    def wait(self, call: Call) -> Reply:
        """Wait for a reply. Ctrl-C gets through.

        Raises:
            CancelledError: The call was cancelled.
        """
        self.hurry(call)
        return self._engine.wait(call.reply)

    def hurry(self, call: Call) -> None:
        """Somebody waits for it: begin it also while the others are held (`quiet`)."""
        if not call.begun and not call.reply.done() and self._engine.stats().held:
            self._submit(call, AT_ONCE)

    def settle(self, function: Callable[[Any], Any], seconds: float) -> bool:
        """Wait until this function runs no more, for nobody's sake. Ctrl-C gets through.

        Args:
            function: Its calls were all waited for, or cancelled.
            seconds: To wait at most.

        Returns:
            Whether it runs no more.
        """
        until = now() + seconds
        with self._changed:
            while any(call.function is function for call in self._under_way):
                left = until - now()
                if left <= 0:
                    return False
                self._changed.wait(min(left, _SLICE))
        return True

    def quiet(self) -> contextlib.AbstractContextManager[None]:
        """No call is under way inside this block, save those that somebody waits for. Waits for those that are."""
        return self._engine.quiet()

    def close(self) -> None:
        """Cancel every call and end the thread. Takes 2 s at most; may be called twice."""
        self._engine.close()

    def _submit(self, call: Call, order: int) -> None:
        job = self._engine.submit(functools.partial(self._run, call), order=order, records=call.records)
        call.reply.add_done_callback(functools.partial(_cancel_too, job))
        job.add_done_callback(functools.partial(_cancel_too, call.reply))

    # ---- on the loop ----------------------------------------------------------------------------

    async def _run(self, call: Call) -> None:
        if call.begun:  # it was hurried, and this is its first place in line
            return
        call.begun = True
        call.start = now()
        context = call.context.copy()
        context.run(_enter, call.records)
        try:
            reply = await self._reply(call, context)
        except asyncio.CancelledError:
            call.cancel()
            raise
        except Exception as error:  # no thread could be started
            reply = Reply(error=error)
        call.over(reply)

    async def _reply(self, call: Call, context: contextvars.Context) -> Reply:
        loop = asyncio.get_running_loop()
        until = None if self.timeout is None else loop.time() + self.timeout
        if is_async(call.function):
            task = context.run(loop.create_task, self._awaited(call, call.function, call.argument))
            return await _within(until, call, task)
        reply = await _within(until, call, loop.run_in_executor(None, context.run, self._called, call))
        if reply.error is None and inspect.isawaitable(reply.value):  # lambda user_input: rag.aask(user_input)
            task = context.run(loop.create_task, self._awaited(call, _same, reply.value))
            return await _within(until, call, task)
        return reply

    def _called(self, call: Call) -> Reply:
        """In a thread."""
        if not self._enters(call):
            return Reply()
        try:
            value = call.function(call.argument)
            if inspect.isawaitable(value):
                return Reply(value=value)
            reply = _read(call, value)
        except BaseException as error:  # SystemExit too: it is the target's, not the thread's
            reply = _raised(error)
        finally:
            self._leaves(call)
        return call.over(reply)

    async def _awaited(self, call: Call, make: Callable[[Any], Awaitable[Any]], argument: Any) -> Reply:
        if not self._enters(call):
            raise asyncio.CancelledError
        try:
            reply = _read(call, await make(argument))
        except GeneratorExit:
            raise
        except asyncio.CancelledError as error:
            if call.late or call.reply.done():
                raise
            reply = _raised(error)
        except BaseException as error:
            reply = _raised(error)
        finally:
            self._leaves(call)
        return call.over(reply)

    def _enters(self, call: Call) -> bool:
        with self._changed:
            if call.reply.done():  # cancelled in the last moment
                return False
            self._under_way.add(call)
            return True

    def _leaves(self, call: Call) -> None:
        with self._changed:
            self._under_way.discard(call)
            self._changed.notify_all()


def tell_if_cancelled(future: Future[Any]) -> None:
    """A callback of a future that nobody else runs: those who wait for it with others hear that it was cancelled."""
    if future.cancelled():
        future.set_running_or_notify_cancel()


def _cancel_too(other: Future[Any], future: Future[Any]) -> None:
    if future.cancelled():
        other.cancel()


def _enter(records: list[logging.LogRecord]) -> None:
    in_job.set(True)
    current_records.set(records)


def _same(awaitable: Awaitable[Any]) -> Awaitable[Any]:
    return awaitable


def _read(call: Call, value: Any) -> Reply:
    __tracebackhide__ = True  # a property of the user's may raise
    return Reply(value=value if call.read is None else call.read(value))


def _raised(error: BaseException) -> Reply:
    # the first frame is ours, of the call
    return Reply(error=error, traceback=error.__traceback__ and error.__traceback__.tb_next)


async def _within(until: float | None, call: Call, task: asyncio.Future[Reply]) -> Reply:
    """The task's reply, or that it takes too long."""
    left = None if until is None else max(0.0, until - asyncio.get_running_loop().time())
    try:
        done, _ = await asyncio.wait({task}, timeout=left)
        if done:
            return task.result()
        call.late = True
        if isinstance(task, asyncio.Task):
            await _end(task)
        # A thread cannot be stopped. It does not count any more: others, which hang too, would wait for ever.
    except asyncio.CancelledError:
        if isinstance(task, asyncio.Task):
            await _end(task)
        else:  # it counts until it ends, or is cancelled once more: the engine closes
            await asyncio.wait({task})
        raise
    return Reply(timed_out=True)


async def _end(task: asyncio.Task[Reply]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=_PATIENCE)
