"""`DaemonThreads`: blocking work off the event loop, in threads that never keep the process alive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_Task = Callable[[], None]


class DaemonThreads(ThreadPoolExecutor):
    """The engine's default executor: for `asyncio.to_thread`, name look-ups, libraries that have only a sync client.

    The interpreter waits at exit for every thread of a plain `ThreadPoolExecutor`, so that one stuck call would hold
    up a Ctrl-C for as long as it pleases. (A subclass, because event loops accept no other executor.)
    """

    def __init__(self, max_workers: int, thread_name_prefix: str) -> None:
        """
        Args:
            max_workers: Threads at most; each starts when it is first needed.
            thread_name_prefix: What their names begin with.
        """
        super().__init__(max_workers=max_workers, thread_name_prefix=thread_name_prefix)
        self._most = max_workers
        self._prefix = thread_name_prefix
        self._guard = threading.Lock()
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._free = 0
        self._daemons: list[threading.Thread] = []
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` in one of the threads."""
        future: Future[T] = Future()

        def task() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._guard:
            if self._over:
                raise RuntimeError("cannot run anything in a thread: the scoring engine is closed")
            self._tasks.put(task)
            self._free -= 1
            if self._free < 0 and len(self._daemons) < self._most:
                name = f"{self._prefix}-{len(self._daemons)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._daemons.append(thread)
                self._free += 1
                thread.start()
        return future

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            del task  # it holds its arguments
            with self._guard:
                self._free += 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work. Threads end after what they do now; nobody waits for them, whatever `wait` says."""
        with self._guard:
            self._over = True
        for _ in self._daemons:
            self._tasks.put(None)
