"""`Engine`: one background thread with one event loop per process, where all scoring happens."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import functools
import heapq
import itertools
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator, MutableSequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pytest_ragas.scoring.limits import current_order
from pytest_ragas.scoring.logs import THREADS, current_records, in_job
from pytest_ragas.scoring.loop import Closer, EngineLoop, cancel_all, let_go_first, now, run_closer
from pytest_ragas.scoring.threads import DaemonThreads

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]
log = logging.getLogger("pytest_ragas.engine")

_ENGINES: weakref.WeakSet[Engine] = weakref.WeakSet()
THREAD_NAME = f"{THREADS}engine"
AT_ONCE = -1
"""Order of a job that somebody waits for right now: it is begun at once, and gets free slots first."""

_SLICE = 0.25
"""Seconds that a wait sleeps at most: Ctrl-C does not interrupt a lock on Windows."""
_CLOSING = 2.0
"""Seconds that `close()` takes at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineStats:
    """What the engine does right now; read it from any thread."""

    queued: int
    """Jobs that are not begun."""
    running: int
    """Jobs that are under way."""
    done: int
    """Jobs that ended, well or not."""
    held: bool
    """Whether somebody keeps it `quiet()`: only what is submitted `AT_ONCE` is begun."""


class _Job(Generic[T]):
    __slots__ = ("__weakref__", "future", "order", "records", "task", "work")

    def __init__(self, work: Work[T], order: int, records: MutableSequence[logging.LogRecord] | None) -> None:
        self.work = work
        self.order = order
        self.records = records
        self.future: Future[T] = Future()
        self.task: asyncio.Task[None] | None = None


class Engine:
    """Runs coroutines in the background. The thread starts with the first job; an idle suite has none.

    Jobs run in a context of their own, not in a copy of the submitter's: what a test sets in context variables
    (a tracer's span, sniffio's idea of the current library) must not reach scoring that goes on after it.

    At most `window` jobs are under way, in the order of `order`; the others wait in line. That bounds the memory
    of 10,000 recorded answers handed over at once, and costs no time: the window is larger than the limit of
    calls. A job that somebody waits for (`order=AT_ONCE`) is begun whatever the window says.
    """

    def __init__(self, *, concurrency: int, window: int | None = None, name: str = THREAD_NAME) -> None:
        """
        Args:
            concurrency: Calls in flight that the jobs will be allowed; sets the default of `window`.
            window: Jobs under way at once; four times the concurrency, and 64 at least, if not given.
            name: Of its thread; begins with `THREADS`.
        """
        self._name = name
        self._window = max(64, 4 * concurrency) if window is None else window
        self._begin()

        _ENGINES.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._loop: EngineLoop | None = None
        self._thread: threading.Thread | None = None
        self._queue: list[tuple[int, int, _Job[Any]]] = []
        self._sequence = itertools.count()
        self._running: set[_Job[Any]] = set()
        self._idle = threading.Event()
        self._idle.set()
        self._held = 0
        self._done = 0
        self._admitting = False
        self._closers: list[Closer] = []
        self._closed = False
        self._stopping = False
        self._shutdown: asyncio.Task[None] | None = None

    def _forked(self) -> None:
        """In a forked child: the parent's thread is not here, its lock may be held for ever, its jobs are its own."""
        if self._loop is not None:
            for task in asyncio.all_tasks(self._loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
        closed = self._closed
        self._begin()
        self._closed = closed

    # ---- for callers of any thread --------------------------------------------------------------

    def submit(
        self, work: Work[T], *, order: int, records: MutableSequence[logging.LogRecord] | None = None
    ) -> Future[T]:
        """Run a coroutine on the engine's loop.

        Args:
            work: Called there; makes the coroutine.
            order: Place in line, for being begun and for slots of a `Limiter`: smallest first. `AT_ONCE` for
                what somebody waits for.
            records: Where a `JobLogHandler` puts what the job logs.

        Returns:
            Its future. Cancelling it cancels the coroutine.

        Raises:
            RuntimeError: The engine is closed.
        """
        job = _Job(work, order, records)
        with self._lock:
            if self._closed:
                raise RuntimeError("the scoring engine is closed: nothing is scored after the end of the run")
            loop = self._started()
            heapq.heappush(self._queue, (order, next(self._sequence), job))
            wake, self._admitting = not self._admitting, True
        # weak: future -> callback -> job -> future would be a cycle for each of 10,000 jobs
        job.future.add_done_callback(functools.partial(self._cancelled, weakref.ref(job)))
        if wake:
            loop.call_soon_threadsafe(self._admit)
        return job.future

    def wait(self, future: Future[T]) -> T:
        """Wait for a job's result. Ctrl-C gets through.

        Raises:
            CancelledError: The job was cancelled, e.g. by `close()`.
            RuntimeError: Called on the engine's own thread, which would wait for itself.
            BaseException: Whatever the job raised.
        """
        if not future.done():
            self._not_on_the_loop()
            done = threading.Event()
            future.add_done_callback(lambda _: done.set())
            while not done.wait(_SLICE):
                pass
        return future.result()

    async def await_result(self, future: Future[T]) -> T:
        """Wait for a job's result on the caller's event loop, asyncio's or trio's, which goes on meanwhile.

        Cancelling the caller cancels the job.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return await self._await_on_trio(future)
        return await asyncio.wrap_future(future)

    async def _await_on_trio(self, future: Future[T]) -> T:
        import trio  # type: ignore[import-not-found, unused-ignore]

        done = trio.Event()
        token = trio.lowlevel.current_trio_token()

        def wake(_: Future[T]) -> None:
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(done.set)

        future.add_done_callback(wake)
        try:
            await done.wait()
        except BaseException:
            future.cancel()
            raise
        return future.result()

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing is scored inside this block, save what is submitted `AT_ONCE`.

        For tests that patch sockets or clocks. Waits until the jobs under way have ended; those in line stay
        there. Ctrl-C gets through.
        """
        self._not_on_the_loop()
        with self._lock:
            self._held += 1
        try:
            while not self._idle.wait(_SLICE):
                pass
            yield
        finally:
            with self._lock:
                self._held -= 1
                loop = self._loop
            if loop is not None:
                with contextlib.suppress(RuntimeError):  # closed meanwhile
                    loop.call_soon_threadsafe(self._admit)

    def take_first_steps(self) -> None:
        """Let the engine's thread go first, until it has sent the first requests of what was submitted; for a moment.

        The first one imports the client. If tests ran meanwhile, both would take turns at Python's lock, and the calls
        of the whole run would begin that much later. Nothing is waited for where nothing was submitted.
        """
        if (loop := self._loop) is not None:
            let_go_first(loop)

    def on_close(self, closer: Closer) -> None:
        """Register a coroutine function that lets go of something, e.g. of a client's connections.

        `close()` runs it on the loop, last registered first, after all jobs have ended. It does not run if the
        engine never started: then nothing was ever opened on its loop.
        """
        with self._lock:
            self._closers.append(closer)

    def stats(self) -> EngineStats:
        """What it does right now."""
        return EngineStats(queued=len(self._queue), running=len(self._running), done=self._done, held=bool(self._held))

    def close(self) -> None:
        """Cancel every job, run the closers, end the thread. Takes 2 s at most; may be called twice.

        Jobs that do not end in time are left to the daemon thread; whoever waits for one gets a `CancelledError`.
        """
        with self._lock:
            self._closed = True
            waiting = [job for _, _, job in self._queue]
            self._queue.clear()
            loop, thread = self._loop, self._thread
        for job in waiting:
            job.future.cancel()
        if loop is None or thread is None:
            return
        deadline = now() + _CLOSING
        with contextlib.suppress(RuntimeError):  # closed by an earlier call
            loop.call_soon_threadsafe(self._stop, deadline)
        if threading.current_thread() is thread:
            return
        thread.join(max(0.0, deadline - now()))
        with self._lock:
            unfinished = tuple(self._running)
        for job in unfinished:
            job.future.cancel()
        atexit.unregister(self.close)  # once is enough, also for a thread that did not end
        if thread.is_alive():
            log.warning("thread %s did not end within %g s: something blocks it", self._name, _CLOSING)

    def _started(self) -> EngineLoop:
        if self._loop is None:
            loop = EngineLoop()
            loop.set_default_executor(DaemonThreads(max(32, self._window), f"{THREADS}pool"))
            thread = threading.Thread(target=self._main, args=(loop,), name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                loop.close()
                raise
            self._loop, self._thread = loop, thread
            atexit.register(self.close)
        return self._loop

    def _not_on_the_loop(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "a blocking helper was called on the thread that scores, which would wait for itself. "
                "Inside a metric, write await: ascore(), aassert_scores()."
            )

    def _cancelled(self, of: weakref.ref[_Job[Any]], future: Future[Any]) -> None:
        """Where a future was cancelled, by whomever: tell those who wait for it, and its coroutine."""
        if not future.cancelled():
            return
        with contextlib.suppress(InvalidStateError):
            future.set_running_or_notify_cancel()
        job, loop = of(), self._loop
        task = job.task if job is not None else None
        if loop is not None and task is not None and not task.done():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing runs there any more
                loop.call_soon_threadsafe(task.cancel)

    # ---- on the loop ----------------------------------------------------------------------------

    def _main(self, loop: EngineLoop) -> None:
        try:
            while not self._stopping:
                try:
                    # returns early only if a metric stops a loop that is not its own,
                    # and raises if one raises SystemExit in a task of its own: the other jobs go on
                    loop.run_forever()
                except BaseException as error:
                    log.error("scoring goes on after %s in a background task", type(error).__name__)
        finally:
            for task in asyncio.all_tasks(loop):
                # they outlived two cancellations and the time for closing: nothing is gained by a message for each
                task._log_destroy_pending = False  # type: ignore[attr-defined]
            loop.close()

    def _admit(self) -> None:
        """Begin jobs, smallest order first, while the window has room."""
        while True:
            with self._lock:
                self._admitting = False
                if not self._queue or self._stopping:
                    return
                full = self._held or len(self._running) >= self._window
                if full and self._queue[0][0] > AT_ONCE:
                    return
                job = heapq.heappop(self._queue)[2]
                if job.future.cancelled():
                    continue
                self._running.add(job)
                self._idle.clear()
            contextvars.Context().run(self._launch, job)

    def _launch(self, job: _Job[Any]) -> None:
        assert self._loop is not None
        current_order.set(job.order)
        current_records.set(job.records)
        in_job.set(True)
        job.task = self._loop.create_task(self._run(job))
        if job.future.cancelled():  # in the moment between
            job.task.cancel()
        job.task.add_done_callback(lambda task: self._ended(job, task))

    async def _run(self, job: _Job[T]) -> None:
        try:
            result = await job.work()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # SystemExit too: it must not end the thread of all
            # without this frame, which is ours and would make a cycle of job, future and error
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            with contextlib.suppress(InvalidStateError):
                job.future.set_exception(error)
        else:
            with contextlib.suppress(InvalidStateError):  # cancelled in the last moment
                job.future.set_result(result)

    def _ended(self, job: _Job[Any], task: asyncio.Task[None]) -> None:
        if task.cancelled():
            job.future.cancel()
        with self._lock:
            self._running.discard(job)
            self._done += 1
            if not self._running:
                self._idle.set()
        self._admit()

    def _stop(self, deadline: float) -> None:
        if not self._stopping:
            self._stopping = True
            assert self._loop is not None
            self._shutdown = self._loop.create_task(self._let_go(deadline))

    async def _let_go(self, deadline: float) -> None:
        assert self._loop is not None
        try:
            await cancel_all(deadline - 0.8)
            with self._lock:
                closers, self._closers = self._closers[::-1], []
            for closer in closers:
                await run_closer(closer, deadline - 0.3)
            await cancel_all(deadline - 0.2)  # what a closer began
            await self._loop.shutdown_asyncgens()
            await asyncio.sleep(0)  # transports say good-bye in the next step
        finally:
            self._loop.stop()


def _in_forked_child() -> None:
    for engine in tuple(_ENGINES):
        engine._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
