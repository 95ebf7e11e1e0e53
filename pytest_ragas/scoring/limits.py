"""`Limiter`: how many calls may be in flight, who goes next, and how that adapts to a server that says 429."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import os
import time
from dataclasses import dataclass
from types import TracebackType

from pytest_ragas.errors import BudgetError, StructureError, TransientModelError
from pytest_ragas.scoring.allowance import Allowance

current_order: contextvars.ContextVar[int] = contextvars.ContextVar("ragas_order", default=0)
"""The order of the job that runs: free slots go to the smallest first. The engine sets it."""

THROTTLED = frozenset({429, 503})
"""HTTP statuses by which a server says that there are too many calls."""

MAX_PAUSE = 120.0
"""Seconds of `Retry-After` that are waited for; a server that asks for more is not asked again."""
_HOPS = 8
"""Steps of the loop that a free slot waits for the next call of the job that gave it back, some microseconds.

An answer needs two to six steps to travel up to the metric and its next question down again. Handed on at once,
the slot would go to a younger job, and the jobs would advance in lockstep after all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimiterStats:
    """What a limiter does right now; read it from any thread."""

    settled: bool
    """Whether every change of the limit has been carried out; until then an earlier one may still let calls through."""
    limit: int
    """Calls that may be in flight at most."""
    allowed: int
    """Calls that may be in flight now: less than `limit` after a 429."""
    in_flight: int
    """Calls in flight."""
    waiting: int
    """Calls that wait for a slot."""
    peak: int
    """Most calls that ever were in flight at once."""
    calls: int
    """Slots given so far."""
    halved: int
    """How often a 429 made it narrower."""
    gap: float
    """Seconds between two calls where even one at a time is too much for the server; else 0."""


class Limiter:
    """At most `limit` calls in flight; a free slot goes to the waiting call of the smallest `current_order`.

    First come, first served would move all tests in lockstep, every first call, then every second one, and
    deliver nearly all verdicts at the end of the run. Oldest first delivers them steadily.

    **Adaptive.** It starts at the limit. A 429 or 503 halves what is allowed, at most once per round-trip and never
    below 1; each round-trip of answers with all allowed slots in use gives 1 back. Where one or two at a time are
    refused, calls are also spaced (`allowance.py`). A `Retry-After` holds back every call of this limiter, not
    only the one that got it.

    Measured on a virtual clock, `benchmarks/limiter_start.py`, 80 samples of 3 calls of 0.2 s: starting at a limit of
    64 is 3.8 times faster than starting at 4 where the server takes all, and costs 2 refusals more where it takes 8
    at once. Giving back more than 1 at a time gives 3 to 5 times the refusals. Where the server takes 1 call a second,
    all samples are scored, at 48 refusals; without spacing 76 of the 80 used up their attempts.

    **A tree.** `child()` makes a limiter whose calls count here too: one root for the run, one child for each
    model, so that a 429 of the critic LLM does not slow the embeddings. Only the limiter whose slot it was adapts.

    All calls belong to one event loop; `set_limit()` and `stats()` may be called from any thread.
    """

    def __init__(self, limit: int, *, parent: Limiter | None = None, start: int | None = None) -> None:
        """
        Args:
            limit: Calls in flight at most, at least 1.
            parent: Where calls count too; `child()` says it for you.
            start: Calls allowed at first, if not `limit`.
        """
        if limit < 1:
            raise ValueError(f"a limiter of {limit} calls would never let one through: give at least 1")
        self._root: Limiter = self if parent is None else parent._root
        self._path: tuple[Limiter, ...] = (self,) if parent is None else (self, *parent._path)
        self._follows = False
        self._allowance = Allowance(limit, start=start)
        self._asked = self._carried_out = 0  # changes of the limit: the loop carries them out in order
        self._in_flight = self._waiting = self._peak = self._calls = 0
        # (order, sequence, future): cancelled waiters stay until they are popped
        self._queue: list[tuple[int, int, asyncio.Future[int]]] = []
        self._pause: asyncio.TimerHandle | None = None
        # of the root only
        self._nodes: list[Limiter] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._loops = 0
        self._hops = 0
        self._sequence = itertools.count()
        self._closes: float | None = None
        self._why = ""
        self._closed = False
        self._closer: asyncio.TimerHandle | None = None
        self._sleepers: set[asyncio.Future[None]] = set()
        self._root._nodes.append(self)

    def child(self, limit: int | None = None) -> Limiter:
        """A limiter for one model: its calls count here too, its 429s do not.

        Args:
            limit: Calls in flight at once through the child; None for as many as here, also after `set_limit()`.
        """
        own = self._allowance.limit
        child = Limiter(max(1, own) if limit is None else limit, parent=self)
        if limit is None:
            child._follows = True
            child._change(own)
        return child

    def slot(self) -> Slot:
        """The right to make one call: `async with limiter.slot(): ...`. Use it once.

        What leaves the block tells the limiter how the call went: a `TransientModelError` of status 429 or 503
        makes it narrower, an answer makes it grow back.
        """
        return Slot(self)

    def set_limit(self, limit: int) -> None:
        """Change the limit, from any thread, at any time: a share of the run's limit under xdist.

        What is in flight goes on; 0 lets nothing through until there is more.
        """
        if limit < 0:
            raise ValueError(f"a limit of {limit} calls makes no sense")
        self._asked += 1
        loop = self._root._loop
        if loop is not None and self._root._pid == os.getpid() and not _runs_here(loop):
            try:
                loop.call_soon_threadsafe(self._carry_out, limit, self._asked)
            except RuntimeError:  # that loop is closed
                pass
            else:
                return
        self._carry_out(limit, self._asked)

    def close_at(self, moment: float, why: str) -> None:
        """Give no slot any more from some moment on: who waits then, and who comes later, gets a `BudgetError`.

        What is in flight goes on. Of the root, before its first call.

        Args:
            moment: As `time.monotonic()` says it.
            why: What the error says.
        """
        self._root._closes, self._root._why = moment, why

    async def rest(self, seconds: float) -> None:
        """Sleep before the next attempt of a call.

        Raises:
            BudgetError: There will be none.
        """
        root = self._root
        if root._closes is None:
            await asyncio.sleep(seconds)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        handle = asyncio.get_running_loop().call_later(seconds, _wake, sleeper)
        root._sleepers.add(sleeper)
        try:
            if not root._closed:
                await sleeper
        finally:
            root._sleepers.discard(sleeper)
            handle.cancel()
        if root._closed:
            raise BudgetError(root._why)

    def stats(self) -> LimiterStats:
        """What it does right now; may be read from any thread."""
        return LimiterStats(
            settled=self._carried_out == self._asked,
            limit=self._allowance.limit,
            allowed=self._allowance.calls,
            in_flight=self._in_flight,
            waiting=self._waiting if self is not self._root else sum(node._waiting for node in self._nodes),
            peak=self._peak,
            calls=self._calls,
            halved=self._allowance.halved,
            gap=self._allowance.gap,
        )

    # ---- on the loop ----------------------------------------------------------------------------

    async def _enter(self) -> tuple[int, int]:
        """Wait for a slot; answer on which of the loops it was given, and after how many halvings."""
        root = self._root
        loop = asyncio.get_running_loop()
        if loop is not root._loop:
            root._move_to(loop)
        if root._closed:
            raise BudgetError(root._why)
        if self._free() and not root._hops:
            self._take()
            return root._loops, self._allowance.halved
        loops = root._loops
        turn: asyncio.Future[int] = loop.create_future()
        heapq.heappush(self._queue, (current_order.get(), next(root._sequence), turn))
        self._waiting += 1
        try:
            halved = await turn
        except asyncio.CancelledError:
            if loops != root._loops:
                pass  # nothing of a loop that was left behind is counted any more
            elif turn.cancelled():
                self._waiting -= 1
                self._forget_cancelled()
            elif turn.exception() is not None:
                pass  # cancelled in the moment of the end: no slot was given
            else:  # cancelled in the moment that the slot was given: hand it on
                self._give_back()
                root._dispatch()
            raise
        return loops, halved

    def _leave(self, loops: int, halved: int, seconds: float, error: BaseException | None) -> None:
        root = self._root
        if loops != root._loops:
            return  # nothing of a loop that was left behind is counted any more
        if isinstance(error, TransientModelError) and error.status in THROTTLED:
            if self._allowance.refused(halved=halved, in_flight=self._in_flight):
                self._hold(self._allowance.gap)
            if error.retry_after and error.retry_after <= MAX_PAUSE:
                self._hold(error.retry_after)
        elif error is None or isinstance(error, StructureError):
            needed = self._waiting > 0 or self._in_flight >= self._allowance.calls
            self._allowance.answered(halved=halved, seconds=seconds, needed=needed)
        self._give_back()
        if not root._hops and any(node._queue for node in root._nodes):
            root._hops = _HOPS
            root._hop()

    def _free(self) -> bool:
        return all(node._in_flight < node._allowance.calls and node._pause is None for node in self._path)

    def _take(self) -> None:
        for node in self._path:
            node._in_flight += 1
            node._calls += 1
            node._peak = max(node._peak, node._in_flight)
        self._hold(self._allowance.gap)

    def _give_back(self) -> None:
        for node in self._path:
            node._in_flight -= 1

    def _hold(self, seconds: float) -> None:
        """Let no call through for so long, or as long as it was held already."""
        if seconds <= 0:
            return
        loop = self._root._loop
        assert loop is not None
        until = loop.time() + seconds
        if self._pause is not None:
            if self._pause.when() >= until:
                return
            self._pause.cancel()
        self._pause = loop.call_at(until, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._root._dispatch()

    def _carry_out(self, limit: int, asked: int) -> None:
        self._change(limit)
        self._carried_out = max(self._carried_out, asked)

    def _change(self, limit: int) -> None:
        self._allowance.resize(limit)
        for node in self._root._nodes:
            if node._follows and node._path[1] is self:
                node._change(limit)
        self._root._dispatch()

    def _hop(self) -> None:
        """Of the root: hand free slots on, some steps of the loop later."""
        self._hops -= 1
        if not self._hops:
            self._dispatch()
        elif self._loop is not None:
            self._loop.call_soon(self._hop)

    def _dispatch(self) -> None:
        """Of the root: give free slots to those who wait, smallest order first."""
        while True:
            best: Limiter | None = None
            smallest: tuple[int, int] | None = None
            for node in self._nodes:
                first = node._first() if node._queue and node._free() else None
                if first is not None and (smallest is None or first < smallest):
                    best, smallest = node, first
            if best is None:
                return
            turn = heapq.heappop(best._queue)[2]
            best._waiting -= 1
            best._take()
            # now, not when the call wakes up: a neighbour of the same moment may be refused before
            turn.set_result(best._allowance.halved)

    def _first(self) -> tuple[int, int] | None:
        """Order of the first who still waits; None if all who waited were cancelled."""
        while self._queue and self._queue[0][2].done():
            heapq.heappop(self._queue)
        return self._queue[0][:2] if self._queue else None

    def _forget_cancelled(self) -> None:
        # a storm of cancellations must not leave a heap of the dead
        if len(self._queue) > 64 and len(self._queue) > 2 * self._waiting:
            self._queue = [entry for entry in self._queue if not entry[2].done()]
            heapq.heapify(self._queue)

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Of the root: belong to another loop, after a fork or where the first one is closed."""
        if self._loop is not None and not self._loop.is_closed() and self._pid == os.getpid():
            raise RuntimeError("one limiter was used on two event loops at once: give each loop its own")
        self._loop, self._pid = loop, os.getpid()
        self._loops += 1
        self._hops = 0
        for node in self._nodes:
            node._queue = []
            node._in_flight = node._waiting = 0
            node._pause = None
        self._sleepers = set()
        if self._closes is not None:
            left = self._closes - time.monotonic()
            self._closed = left <= 0
            self._closer = None if self._closed else loop.call_later(left, self._close)

    def _close(self) -> None:
        """Of the root: the moment is there after which no slot is given."""
        self._closed = True
        for node in self._nodes:
            queue, node._queue = node._queue, []
            for _, _, turn in queue:
                if not turn.done():
                    node._waiting -= 1
                    turn.set_exception(BudgetError(self._why))
        for sleeper in self._sleepers:
            _wake(sleeper)


class Slot:
    """The right to make one call, as an async context manager."""

    __slots__ = ("_halved", "_limiter", "_loops", "_start")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._loops = self._halved = 0
        self._start = 0.0

    async def __aenter__(self) -> None:
        self._loops, self._halved = await self._limiter._enter()
        self._start = asyncio.get_running_loop().time()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        seconds = asyncio.get_running_loop().time() - self._start
        self._limiter._leave(self._loops, self._halved, seconds, error)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
