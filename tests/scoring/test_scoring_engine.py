"""The engine from inside one process: jobs, order, cancelling, waiting, closing."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from pytest_ragas.scoring.engine import AT_ONCE, THREAD_NAME, Engine
from pytest_ragas.scoring.limits import Limiter, current_order


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(concurrency=4)
    yield engine
    engine.close()


def engine_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


async def give(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


async def forever() -> None:
    await asyncio.Event().wait()


def test_there_is_no_thread_before_the_first_job(engine: Engine) -> None:
    before = len(engine_threads())
    engine.stats()
    engine.on_close(lambda: give(1))
    with engine.quiet():
        pass
    assert len(engine_threads()) == before
    assert engine.wait(engine.submit(lambda: give(1), order=0)) == 1
    assert len(engine_threads()) == before + 1


def test_all_jobs_run_on_one_daemon_thread(engine: Engine) -> None:
    async def where() -> tuple[str, bool, int]:
        thread = threading.current_thread()
        return thread.name, thread.daemon, id(asyncio.get_running_loop())

    futures = [engine.submit(where, order=number) for number in range(20)]
    seen = {engine.wait(future) for future in futures}
    assert len(seen) == 1
    assert next(iter(seen))[:2] == (THREAD_NAME, True)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_a_job_raises_is_raised_where_it_is_waited_for(engine: Engine, error: BaseException) -> None:
    future = engine.submit(lambda: fail(error), order=0)
    with pytest.raises(type(error)) as caught:
        engine.wait(future)
    assert caught.value is error
    assert not any(entry.path.name == "engine.py" and entry.name == "_run" for entry in caught.traceback)
    assert engine.wait(engine.submit(lambda: give("still here"), order=0)) == "still here"


def test_work_that_is_no_coroutine_function_fails_its_own_job_only(engine: Engine) -> None:
    def broken() -> Coroutine[Any, Any, None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        engine.wait(engine.submit(broken, order=0))
    assert engine.wait(engine.submit(lambda: give(1), order=0)) == 1


def test_a_task_of_a_metric_that_raises_system_exit_does_not_end_the_thread(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def careless() -> str:
        task = asyncio.ensure_future(fail(SystemExit(1)))
        await asyncio.wait({task})
        assert isinstance(task.exception(), SystemExit)
        return "survived"

    assert engine.wait(engine.submit(careless, order=0)) == "survived"
    assert "scoring goes on after SystemExit" in caplog.text


def test_a_metric_that_stops_the_loop_stops_nothing(engine: Engine) -> None:
    async def careless() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        return "survived"

    assert engine.wait(engine.submit(careless, order=0)) == "survived"


def test_a_job_knows_its_order_and_nothing_of_the_submitters_context(engine: Engine) -> None:
    theirs: contextvars.ContextVar[str] = contextvars.ContextVar("theirs", default="unset")
    theirs.set("of the running test")

    async def look() -> tuple[int, str]:
        return current_order.get(), theirs.get()

    assert engine.wait(engine.submit(look, order=42)) == (42, "unset")
    assert current_order.get() == 0


def test_jobs_are_begun_in_their_order(engine: Engine) -> None:
    begun = []

    async def work(number: int) -> None:
        begun.append(number)

    numbers = [(number * 37) % 200 for number in range(200)]
    with engine.quiet():
        futures = [engine.submit(lambda number=number: work(number), order=number) for number in numbers]
        assert begun == []
    concurrent.futures.wait(futures, timeout=60)
    assert begun == list(range(200))


def test_only_a_window_of_jobs_is_under_way(engine: Engine) -> None:
    narrow = Engine(concurrency=1, window=5)
    gates: list[asyncio.Event] = []
    peak = 0

    async def work() -> None:
        nonlocal peak
        peak = max(peak, narrow.stats().running)
        await asyncio.sleep(0.001)

    try:
        futures = [narrow.submit(work, order=number) for number in range(50)]
        for future in futures:
            narrow.wait(future)
        assert peak == 5
        assert gates == []
        assert narrow.stats().queued == 0
    finally:
        narrow.close()


def test_a_job_that_somebody_waits_for_is_begun_past_the_window() -> None:
    narrow = Engine(concurrency=1, window=1)
    try:
        stuck = narrow.submit(forever, order=0)
        waiting = narrow.submit(lambda: give(1), order=1)
        assert narrow.wait(narrow.submit(lambda: give(2), order=AT_ONCE)) == 2
        assert not waiting.done()
        stuck.cancel()
        assert narrow.wait(waiting) == 1
    finally:
        narrow.close()


def test_cancelling_a_future_cancels_its_job(engine: Engine) -> None:
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    future = engine.submit(work, order=0)
    assert began.wait(60)
    assert future.cancel()
    assert ended.wait(60)
    with pytest.raises(concurrent.futures.CancelledError):
        engine.wait(future)
    # those who use concurrent.futures' own wait are told too
    assert concurrent.futures.wait([future], timeout=60).done == {future}


def test_a_job_cancelled_in_line_is_never_begun(engine: Engine) -> None:
    begun = []

    async def work() -> None:
        begun.append(1)

    with engine.quiet():
        future = engine.submit(work, order=0)
        future.cancel()
    engine.wait(engine.submit(lambda: give(1), order=1))
    assert begun == []


def test_a_job_that_cancels_itself_is_cancelled(engine: Engine) -> None:
    future = engine.submit(lambda: fail(asyncio.CancelledError()), order=0)
    with pytest.raises(concurrent.futures.CancelledError):
        engine.wait(future)


def test_waiting_on_the_engines_own_thread_is_refused(engine: Engine) -> None:
    other = engine.submit(forever, order=0)

    async def work() -> None:
        engine.wait(other)

    with pytest.raises(RuntimeError, match="would wait for itself"):
        engine.wait(engine.submit(work, order=1))


def test_a_running_loop_of_the_test_goes_on_meanwhile(engine: Engine) -> None:
    async def test() -> tuple[int, int]:
        ticks = 0
        future = engine.submit(lambda: asyncio.sleep(0.05, result=7), order=0)
        waiting = asyncio.ensure_future(engine.await_result(future))
        while not waiting.done():
            ticks += 1
            await asyncio.sleep(0.001)
        return await waiting, ticks

    value, ticks = asyncio.run(test())
    assert value == 7
    assert ticks > 1


def test_the_blocking_wait_works_inside_a_running_loop_too(engine: Engine) -> None:
    async def test() -> int:
        return engine.wait(engine.submit(lambda: give(7), order=0))

    assert asyncio.run(test()) == 7


def test_cancelling_who_awaits_cancels_the_job(engine: Engine) -> None:
    async def test() -> None:
        future = engine.submit(forever, order=0)
        waiting = asyncio.ensure_future(engine.await_result(future))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert future.cancelled()

    asyncio.run(test())


def test_trio_can_await_a_job(engine: Engine) -> None:
    trio = pytest.importorskip("trio")

    async def test() -> int:
        with trio.move_on_after(0.01):
            await engine.await_result(stuck)
        return int(await engine.await_result(engine.submit(lambda: give(7), order=0)))

    stuck = engine.submit(forever, order=0)
    assert trio.run(test) == 7
    assert stuck.cancelled()


def test_quiet_waits_for_what_is_under_way_and_holds_back_the_rest(engine: Engine) -> None:
    done = []

    async def work(number: int) -> None:
        await asyncio.sleep(0.02)
        done.append(number)

    first = engine.submit(lambda: work(1), order=0)
    while not engine.stats().running:
        time.sleep(0.001)
    with engine.quiet():
        assert first.done()
        second = engine.submit(lambda: work(2), order=1)
        with engine.quiet():
            assert engine.wait(engine.submit(lambda: give("blocking"), order=AT_ONCE)) == "blocking"
        assert done == [1]
    engine.wait(second)
    assert done == [1, 2]


def test_a_test_that_freezes_the_clock_does_not_freeze_scoring(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.wait(engine.submit(lambda: give(1), order=0))
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    assert engine.wait(engine.submit(lambda: asyncio.sleep(0.01, result="on time"), order=0)) == "on time"


def test_closing_cancels_what_is_under_way_and_what_waits() -> None:
    engine = Engine(concurrency=1, window=2)
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append(1)

    futures = [engine.submit(work, order=number) for number in range(10)]
    while engine.stats().running < 2:
        time.sleep(0.001)
    engine.close()
    assert all(future.cancelled() for future in futures)
    assert len(cleaned) == 2
    assert not [thread for thread in engine_threads() if thread is engine._thread]
    with pytest.raises(RuntimeError, match="the scoring engine is closed"):
        engine.submit(work, order=0)
    engine.close()


def test_closing_wakes_a_thread_that_waits() -> None:
    engine = Engine(concurrency=1)
    future = engine.submit(forever, order=0)
    raised = []

    def wait() -> None:
        try:
            engine.wait(future)
        except concurrent.futures.CancelledError:
            raised.append(1)

    thread = threading.Thread(target=wait)
    thread.start()
    engine.close()
    thread.join(60)
    assert raised == [1]


def test_closing_an_engine_that_never_ran_does_nothing() -> None:
    engine = Engine(concurrency=1)
    called = []

    async def closer() -> None:
        called.append(1)

    engine.on_close(closer)
    engine.close()
    engine.close()
    assert called == []


def test_closers_run_on_the_loop_last_first_after_the_jobs_ended(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(concurrency=1)
    events: list[object] = []

    async def work() -> None:
        events.append(id(asyncio.get_running_loop()))
        try:
            await forever()
        finally:
            events.append("job ended")

    def closer(name: str) -> Any:
        async def close() -> None:
            events.append((name, id(asyncio.get_running_loop())))

        return close

    async def broken() -> None:
        raise OSError("already gone")

    engine.on_close(closer("first"))
    future = engine.submit(work, order=0)
    engine.on_close(broken)
    engine.on_close(closer("second"))
    while not events:
        time.sleep(0.001)
    engine.close()
    loop = events[0]
    assert events[1:] == ["job ended", ("second", loop), ("first", loop)]
    assert future.cancelled()
    assert "closing failed" in caplog.text
    assert "OSError: already gone" in caplog.text


def test_a_closer_that_hangs_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(concurrency=1)
    closed = []

    async def closer() -> None:
        closed.append(1)

    engine.on_close(closer)
    engine.on_close(forever)
    engine.wait(engine.submit(lambda: give(1), order=0))
    engine.close()
    assert closed == [1]
    assert "closing did not end in time" in caplog.text


def test_a_job_that_swallows_its_cancellation_is_cancelled_again() -> None:
    engine = Engine(concurrency=1)
    began, swallowed = threading.Event(), []

    async def stubborn() -> None:
        for _ in range(3):
            try:
                began.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed.append(1)

    future = engine.submit(stubborn, order=0)
    assert began.wait(60)
    engine.close()
    assert future.done()
    assert len(swallowed) == 3
    assert not engine._thread.is_alive()  # type: ignore[union-attr]


def test_a_job_that_blocks_the_thread_is_left_behind_and_who_waits_is_told(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(concurrency=1)
    began, release = threading.Event(), threading.Event()

    async def blocking() -> None:
        began.set()
        release.wait(60)

    future = engine.submit(blocking, order=0)
    assert began.wait(60)
    engine.close()
    assert "thread ragas-engine did not end within" in caplog.text
    with pytest.raises(concurrent.futures.CancelledError):
        engine.wait(future)
    # when it lets go at last, the thread ends by itself
    release.set()
    engine._thread.join(60)  # type: ignore[union-attr]
    assert not engine._thread.is_alive()  # type: ignore[union-attr]


def test_closing_amid_calls_in_flight_leaves_every_slot_free() -> None:
    engine, limiter = Engine(concurrency=4), Limiter(4)

    async def work() -> None:
        for _ in range(1_000):
            async with limiter.slot():
                await asyncio.sleep(0.001)

    futures = [engine.submit(work, order=number) for number in range(40)]
    while limiter.stats().calls < 20:
        time.sleep(0.001)
    engine.close()
    assert all(future.cancelled() for future in futures)
    stats = limiter.stats()
    assert (stats.in_flight, stats.waiting) == (0, 0)
    assert stats.peak <= 4


def test_what_a_job_hands_to_a_thread_runs_in_a_daemon_thread_of_ours(engine: Engine) -> None:
    async def work() -> tuple[str, bool, int]:
        def blocking() -> tuple[str, bool, int]:
            thread = threading.current_thread()
            return thread.name, thread.daemon, current_order.get()

        return await asyncio.to_thread(blocking)

    name, daemon, order = engine.wait(engine.submit(work, order=5))
    assert name.startswith("ragas-pool")
    assert daemon
    assert order == 5
