"""`Worker`: the thread that a local LLM computes in, and the queue before it.

Requests are taken in the order in which they came, as many at once as have room; each leaves when it is answered.
"""

from __future__ import annotations

import asyncio
import functools
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_ragas.errors import ModelError, RejectedRequestError
from pytest_ragas.models.local.batch import Batch, GivenUpError, Row
from pytest_ragas.models.local.load import MORE_ROOM, is_out_of_memory
from pytest_ragas.models.local.stopping import stop_when
from pytest_ragas.models.threads import deliver

_LINGER = 0.003
"""Seconds in which an idle worker waits for requests that come together with the first."""


_AHEAD = 64
"""Waiting requests that are looked at for what their prompts share."""


@dataclass(kw_only=True)
class Request:
    """One answer that somebody waits for."""

    make: Callable[[], Row]
    """Its row, once the model is there."""
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    row: Row | None = None
    """Once the thread has taken it."""

    def __post_init__(self) -> None:
        self.future: asyncio.Future[Row] = self.loop.create_future()

    def answer(self) -> None:
        """The row is done."""
        if self.row is not None and self.row.error is not None:
            self.fail(self.row.error)
            return
        deliver(self.loop, self.future, result=self.row)

    def fail(self, error: BaseException) -> None:
        """There will be no answer."""
        deliver(self.loop, self.future, error=error)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a batch has room for."""

    rows: int
    tokens: int
    """Rows times the columns of the longest."""


class Worker:
    """Answers requests in a daemon thread, which starts with the first one and loads the model."""

    def __init__(self, load: Callable[[], tuple[Batch, Limits]], *, name: str) -> None:
        """
        Args:
            load: Called once, in the thread.
            name: Of the model, for messages.
        """
        self._load = load
        self._name = name
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._waiting: deque[Request] = deque()
        self._active: dict[int, Request] = {}
        self._rows = 0
        self._loaded = False

    async def ask(self, make: Callable[[], Row]) -> Row:
        """A row that is done.

        Args:
            make: Called in the thread.

        Raises:
            ModelError: The worker was closed.
            Exception: Whatever loading the model or `make` raised.
        """
        request = Request(make=make)
        with self._lock:
            if self._closed:
                raise ModelError(f"{self._name} was closed before it was asked")
            if self._thread is None:
                self._thread = threading.Thread(target=self._main, name="ragas-llm", daemon=True)
                self._thread.start()
            self._requests.put(request)
        return await request.future

    async def aclose(self, *, patience: float = 1.0) -> None:
        """Let the thread end after its step, waiting at most `patience` seconds for that. What is under way fails.

        One that is still loading its model cannot be stopped, and is not waited for.
        """
        with self._lock:
            self._closed = True
            self._requests.put(None)
            thread = self._thread
        loop = asyncio.get_running_loop()
        end = loop.time() + (patience if self._loaded else 0.0)
        while thread is not None and thread.is_alive() and loop.time() < end:
            await asyncio.sleep(0.005)

    # what follows runs in the thread only

    def _main(self) -> None:
        try:
            batch, limits = self._load()
        except BaseException as error:
            self._refuse(error)
            return
        import torch

        self._rows, self._loaded = limits.rows, True
        stop_when(lambda: self._closed)
        with torch.inference_mode():
            while not self._closed:
                self._gather(idle=not batch.rows and not self._waiting)
                try:
                    self._forget(batch)
                    self._admit(batch, limits)
                    if batch.rows:
                        self._settle(batch.step())
                except Exception as error:
                    self._recover(batch, error)
        self._fail_all(ModelError(f"{self._name} was closed before it answered"))

    def _refuse(self, error: BaseException) -> None:
        """Fail every request, now and later: the model cannot be loaded."""
        while not self._closed:
            request = self._requests.get()
            if request is not None:
                request.fail(error)

    def _gather(self, *, idle: bool) -> None:
        """Move requests to those that wait; blocks where there is nothing to do."""
        try:
            request = self._requests.get() if idle else self._requests.get_nowait()
            while request is not None:
                self._prepare(request)
                request = self._requests.get(timeout=_LINGER) if idle else self._requests.get_nowait()
        except queue.Empty:
            pass

    def _prepare(self, request: Request) -> None:
        # now, not when it is its turn: those before it want to know what they share with it
        if self._closed:
            self._waiting.append(request)
            return
        try:
            request.row = request.make()
        except Exception as error:
            request.fail(error)
        else:
            self._waiting.append(request)

    def _forget(self, batch: Batch) -> None:
        """Let go of requests that nobody waits for."""
        batch.drop([row for row in batch.rows if self._gave_up(self._active[id(row)])])
        here = set(map(id, batch.rows))
        self._active = {key: request for key, request in self._active.items() if key in here}

    def _admit(self, batch: Batch, limits: Limits) -> None:
        """Take in who waits, the oldest first, as long as there is room."""
        while self._waiting and len(batch.rows) < self._rows and not self._closed:
            request = self._waiting[0]
            row = request.row
            assert row is not None
            longest = max([row.most, *(other.most for other in batch.rows)])
            if batch.rows and longest * (len(batch.rows) + 1) > limits.tokens:
                return
            others = [other.row.prompt for other in list(self._waiting)[1:_AHEAD] if other.row is not None]
            try:
                batch.join(row, others, functools.partial(self._gave_up, request))
            except GivenUpError:
                self._waiting.popleft()
                continue
            self._waiting.popleft()
            self._active[id(row)] = request
            if row.done:
                self._settle([row])

    def _settle(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._active.pop(id(row)).answer()

    def _recover(self, batch: Batch, error: Exception) -> None:
        """After a failure: half as many rows where memory ran out, from their beginning; else everybody hears of it."""
        rows = list(batch.rows)
        batch.free()
        under_way = [self._active.pop(id(row)) for row in rows]
        # alone, it is the one that was to join
        stuck = under_way or ([self._waiting.popleft()] if self._waiting else [])
        if not is_out_of_memory(error):
            for request in stuck:
                request.fail(ModelError(f"{self._name} failed while it answered ({type(error).__name__}: {error})"))
        elif not under_way:
            for request in stuck:
                what = f"There is no memory left for one request to {self._name}. {MORE_ROOM}"
                request.fail(RejectedRequestError(what))
        else:
            self._rows = max(1, len(rows) // 2)
            for request in reversed(under_way):
                if request.row is not None:
                    request.row.restart()
                self._waiting.appendleft(request)

    def _gave_up(self, request: Request) -> bool:
        return self._closed or request.future.done()

    def _fail_all(self, error: ModelError) -> None:
        self._gather(idle=False)
        for request in [*self._active.values(), *self._waiting]:
            request.fail(error)
