"""The RAG under test is called in the background: how many at once, in what order, and what comes of a call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import logging
import logging.handlers
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_ragas.scoring.logs import JobLogHandler, not_from_engine
from pytest_ragas.scoring.target_calls import Call, TargetCalls

Make = Callable[..., TargetCalls]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes what the test calls targets with."""
    made: list[TargetCalls] = []

    def make(concurrency: int = 4, timeout: float | None = None) -> TargetCalls:
        made.append(TargetCalls(concurrency=concurrency, timeout=timeout))
        return made[-1]

    yield make
    for calls in made:
        calls.close()


class Meeting:
    """A sync and an async target that come together in twos, threes …: nobody leaves before all are there."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.together = threading.Barrier(size)
        self.lock = threading.Lock()
        self.now = self.most = 0

    def ask(self, argument: Any) -> Any:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.together.wait(60)
        with self.lock:
            self.now -= 1
        return argument

    async def aask(self, argument: Any) -> Any:
        return await asyncio.to_thread(self.ask, argument)


@pytest.mark.parametrize("kind", ["ask", "aask"])
def test_so_many_are_called_at_once_and_no_more(make: Make, kind: str) -> None:
    calls, meeting = make(concurrency=3), Meeting(3)
    made = [calls.call(getattr(meeting, kind), number, order=number) for number in range(12)]
    assert [calls.wait(call).value for call in made] == [*range(12)]
    assert meeting.most == 3


def test_sync_and_async_calls_share_the_limit(make: Make) -> None:
    calls, meeting = make(concurrency=2), Meeting(2)
    made = [calls.call((meeting.ask, meeting.aask)[number % 2], number, order=number) for number in range(8)]
    assert [calls.wait(call).value for call in made] == [*range(8)]
    assert meeting.most == 2


def test_the_line_goes_by_order(make: Make) -> None:
    calls, seen = make(concurrency=1), []
    begun, go_on = threading.Event(), threading.Event()

    def ask(number: int) -> None:
        seen.append(number)
        if number == 100:
            begun.set()
            go_on.wait(60)

    first = calls.call(ask, 100, order=100)
    assert begun.wait(60)
    made = [first, *(calls.call(ask, order, order=order) for order in (7, 3, 9, 0))]
    go_on.set()
    for call in made:
        calls.wait(call)
    assert seen == [100, 0, 3, 7, 9]


def test_all_async_calls_run_on_one_loop_and_sync_ones_beside_it(make: Make) -> None:
    calls = make()

    async def where(_: object) -> tuple[str, int]:
        return threading.current_thread().name, id(asyncio.get_running_loop())

    found = {calls.wait(calls.call(where, None, order=0)).value for _ in range(5)}
    assert [name for name, _ in found] == ["ragas-target"]
    name = calls.wait(calls.call(lambda _: threading.current_thread().name, None, order=0)).value
    assert name != "ragas-target"
    assert name.startswith("ragas-")


def test_a_lambda_may_return_a_coroutine(make: Make) -> None:
    async def ask(user_input: str, k: int) -> str:
        await asyncio.sleep(0)
        return f"{user_input} {k} {threading.current_thread().name}"

    calls = make()
    reply = calls.wait(calls.call(lambda user_input: ask(user_input, 4), "How?", order=0))
    assert reply.value == "How? 4 ragas-target"
    assert reply.seconds >= 0


def fails(argument: str) -> None:
    inner(argument)


def inner(argument: str) -> None:
    raise ValueError(argument)


async def afails(argument: str) -> None:
    await asyncio.sleep(0)
    inner(argument)


@pytest.mark.parametrize("target", [fails, afails, lambda argument: afails(argument)], ids=["sync", "async", "lambda"])
def test_an_exception_comes_with_its_own_frames_and_no_others(make: Make, target: Callable[..., Any]) -> None:
    calls = make()
    call = calls.call(target, "broken", order=0)
    for _ in range(2):  # and looking twice adds nothing
        reply = calls.wait(call)
    assert isinstance(reply.error, ValueError)
    names = [frame.name for frame in traceback.extract_tb(reply.traceback)]
    assert names == ["afails" if target is not fails else "fails", "inner"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration(1)])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_whatever_is_raised_is_a_value(make: Make, error: BaseException, kind: str) -> None:
    def ask(_: object) -> None:
        raise error

    async def aask(_: object) -> None:
        raise error

    calls = make()
    reply = calls.wait(calls.call(ask if kind == "sync" else aask, None, order=0))
    if kind == "async" and isinstance(error, StopIteration):
        assert isinstance(reply.error, RuntimeError)  # Python's own rule for coroutines
    else:
        assert reply.error is error
    assert calls.wait(calls.call(lambda _: "goes on", None, order=0)).value == "goes on"


def test_what_is_returned_is_read_at_once_and_what_that_raises_is_a_value_too(make: Make) -> None:
    def read(value: str) -> str:
        if value == "nonsense":
            raise TypeError(value)
        return f"{value} read in {threading.current_thread().name}"

    calls = make()
    assert calls.wait(calls.call(lambda _: "text", None, order=0, read=read)).value.startswith("text read in ragas-")
    reply = calls.wait(calls.call(lambda _: "nonsense", None, order=0, read=read))
    assert isinstance(reply.error, TypeError)


def test_calls_run_in_copies_of_the_given_context(make: Make) -> None:
    tenant = contextvars.ContextVar("tenant", default="nobody")

    def ask(name: str) -> str:
        found = tenant.get()
        tenant.set(name)
        return found

    async def aask(name: str) -> str:
        return ask(name)

    context = contextvars.Context()
    context.run(tenant.set, "acme")
    calls = make()
    tenant.set("somebody else")
    for target in (ask, aask, lambda name: aask(name)):
        assert calls.wait(calls.call(target, "other", order=0, context=context)).value == "acme"
        assert calls.wait(calls.call(target, "other", order=0)).value == "nobody"
    assert context[tenant] == "acme"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_it_logs_is_filed_under_the_call(make: Make, kind: str) -> None:
    log = logging.getLogger("rag")
    files, theirs = JobLogHandler(), logging.handlers.BufferingHandler(1000)
    theirs.addFilter(not_from_engine)

    def ask(argument: str) -> None:
        log.warning("asked %s", argument)

    async def aask(argument: str) -> None:
        await asyncio.to_thread(ask, argument)

    log.addHandler(files)
    log.addHandler(theirs)
    try:
        calls = make()
        made = [calls.call(ask if kind == "sync" else aask, str(number), order=0) for number in range(3)]
        for call in made:
            calls.wait(call)
    finally:
        log.removeHandler(files)
        log.removeHandler(theirs)
    assert [[record.getMessage() for record in call.records] for call in made] == [
        ["asked 0"],
        ["asked 1"],
        ["asked 2"],
    ]
    assert theirs.buffer == []


# ---- giving up -----------------------------------------------------------------------------------


def under_way(calls: TargetCalls, kind: str) -> tuple[Call, threading.Event, list[str]]:
    """A call that is under way until the event is set, and what it did."""
    begun, go_on, did = threading.Event(), threading.Event(), ["began"]

    def ask(_: object) -> None:
        begun.set()
        go_on.wait(60)
        did.append("ended")

    async def aask(_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            did.append("cancelled")
            raise

    call = calls.call(ask if kind == "sync" else aask, None, order=0)
    assert begun.wait(60)
    return call, go_on, did


def test_a_call_that_is_cancelled_in_line_is_never_made(make: Make) -> None:
    calls = make(concurrency=1)
    call, go_on, _ = under_way(calls, "sync")
    seen: list[int] = []
    made = [calls.call(seen.append, number, order=number) for number in (1, 2, 3)]
    made[1].cancel()
    go_on.set()
    for other in (call, made[0], made[2]):
        calls.wait(other)
    assert seen == [1, 3]
    with pytest.raises(concurrent.futures.CancelledError):
        calls.wait(made[1])
    assert concurrent.futures.wait([made[1].reply], timeout=60).not_done == set()


def test_an_async_call_under_way_is_cancelled(make: Make) -> None:
    calls = make()
    call, _, did = under_way(calls, "async")
    call.cancel()
    assert calls.settle(call.function, 60)
    assert did == ["began", "cancelled"]


def test_a_sync_call_under_way_ends_by_itself_and_can_be_waited_for(make: Make) -> None:
    calls = make(concurrency=1)
    call, go_on, did = under_way(calls, "sync")
    second = calls.call(lambda _: did.append("second"), None, order=1)
    call.cancel()
    assert not calls.settle(call.function, 0.05)
    assert did == ["began"]
    go_on.set()
    assert calls.settle(call.function, 60)
    calls.wait(second)
    assert did == ["began", "ended", "second"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_call_that_takes_too_long_is_given_up_and_its_place_is_free(make: Make, kind: str) -> None:
    calls = make(concurrency=1, timeout=0.05)
    call, go_on, did = under_way(calls, kind)
    assert calls.wait(call).timed_out
    assert calls.wait(calls.call(lambda _: "next", None, order=0)).value == "next"
    go_on.set()
    assert calls.settle(call.function, 60)
    assert did[1] == ("ended" if kind == "sync" else "cancelled")


def test_nothing_is_called_while_it_is_quiet_but_what_somebody_waits_for(make: Make) -> None:
    calls, seen = make(), []
    call, go_on, _ = under_way(calls, "sync")
    threading.Timer(0.02, go_on.set).start()
    with calls.quiet():
        assert call.reply.done()
        made = [calls.call(lambda number: seen.append(number) or number, number, order=number) for number in (1, 2)]
        assert calls.wait(made[1]).value == 2
        assert seen == [2]
    assert calls.wait(made[0]).value == 1
    assert seen == [2, 1]  # and the second one is not called again, in its first place in line


def test_closing_cancels_what_is_under_way_and_in_line_and_does_not_wait_for_threads(make: Make) -> None:
    calls = make(concurrency=1)
    call, go_on, _ = under_way(calls, "sync")
    waiting = calls.call(lambda _: None, None, order=1)
    calls.close()
    for one in (call, waiting):
        with pytest.raises(concurrent.futures.CancelledError):
            calls.wait(one)
    with pytest.raises(RuntimeError, match="closed"):
        calls.call(lambda _: None, None, order=2)
    go_on.set()


def test_there_is_no_thread_before_the_first_call(make: Make) -> None:
    before = threading.active_count()
    calls = make()
    with calls.quiet():
        pass
    assert calls.settle(print, 0)
    calls.close()
    assert threading.active_count() == before
    assert sys.exc_info() == (None, None, None)
