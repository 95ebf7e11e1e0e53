"""Blocking work off the loop: results, errors, cancellation, gathering, closing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import pytest

from pytest_ragas.errors import ModelError
from pytest_ragas.models.threads import GatheringWorker, in_thread


def test_a_call_runs_in_a_daemon_thread_of_its_own() -> None:
    thread = asyncio.run(in_thread(threading.current_thread, name="ragas-call"))
    assert thread is not threading.current_thread()
    assert thread.daemon
    assert thread.name == "ragas-call"


def test_an_exception_reaches_the_caller() -> None:
    def fail() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        asyncio.run(in_thread(fail, name="ragas-call"))


def test_an_exit_in_the_thread_does_not_end_the_loop() -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(ModelError, match="SystemExit"):
        asyncio.run(in_thread(leave, name="ragas-call"))


def test_calls_run_at_once() -> None:
    together = threading.Barrier(20, timeout=30)

    async def all_at_once() -> None:
        await asyncio.gather(*(in_thread(together.wait, name="ragas-call") for _ in range(20)))

    asyncio.run(all_at_once())  # the barrier breaks if fewer than 20 threads run


def test_a_stuck_call_does_not_keep_the_process() -> None:
    """A thread pool would be joined at exit."""
    program = """
import asyncio, threading
from pytest_ragas.models.threads import in_thread
async def main():
    try:
        await asyncio.wait_for(in_thread(threading.Event().wait, name="stuck"), 0.05)
    except asyncio.TimeoutError:
        print("gave up")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "gave up\n", "")


def test_a_late_result_of_a_closed_loop_is_dropped() -> None:
    release = threading.Event()

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(in_thread(release.wait, name="late"), 0.01)

    asyncio.run(give_up())
    (late,) = [thread for thread in threading.enumerate() if thread.name == "late"]
    release.set()
    late.join(30)  # pytest turns an exception of the thread into an error
    assert not late.is_alive()


class Doubler:
    """Work that remembers what came together, and can be held up."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()
        self.worker: GatheringWorker[int, int] = GatheringWorker(self.work, name="ragas-doubler")

    def work(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        self.go.wait(30)
        if -13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


def test_requests_that_come_while_it_works_are_answered_in_one_go() -> None:
    doubler = Doubler()

    async def main() -> list[Sequence[int]]:
        doubler.go.clear()
        first = asyncio.ensure_future(doubler.worker.ask([0]))
        while not doubler.calls:
            await asyncio.sleep(0.001)
        others = [asyncio.ensure_future(doubler.worker.ask([number, number + 100])) for number in range(1, 20)]
        await asyncio.sleep(0)
        doubler.go.set()
        results = await asyncio.gather(first, *others)
        await doubler.worker.aclose()
        return results

    results = asyncio.run(main())
    assert results[0] == [0]
    assert results[1:] == [[2 * number, 2 * number + 200] for number in range(1, 20)]
    assert len(doubler.calls) == 2, "the first one, then all that waited"


def test_no_call_takes_much_more_than_it_should() -> None:
    calls: list[int] = []

    def work(items: Sequence[int]) -> Sequence[int]:
        calls.append(len(items))
        return items

    async def main() -> None:
        worker: GatheringWorker[int, int] = GatheringWorker(work, name="ragas-small", most=10)
        await asyncio.gather(*(worker.ask([1, 2, 3, 4]) for _ in range(30)))
        await worker.aclose()

    asyncio.run(main())
    assert sum(calls) == 120
    assert max(calls) <= 13


def test_an_error_fails_those_who_asked_and_nobody_else() -> None:
    doubler = Doubler()

    async def main() -> None:
        with pytest.raises(ValueError, match="unlucky"):
            await doubler.worker.ask([-13])
        assert await doubler.worker.ask([4]) == [8]
        await doubler.worker.aclose()

    asyncio.run(main())


def test_closing_fails_what_was_not_begun_and_ends_the_thread() -> None:
    doubler = Doubler()

    async def main() -> None:
        doubler.go.clear()
        begun = asyncio.ensure_future(doubler.worker.ask([1]))
        while not doubler.calls:
            await asyncio.sleep(0.001)
        waiting = asyncio.ensure_future(doubler.worker.ask([2]))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(doubler.worker.aclose(patience=30))
        await asyncio.sleep(0)
        doubler.go.set()
        await closing
        assert await begun == [2]
        with pytest.raises(ModelError, match="ragas-doubler was closed before it answered"):
            await waiting
        with pytest.raises(ModelError, match="ragas-doubler was closed before it was asked"):
            await doubler.worker.ask([3])
        await doubler.worker.aclose()

    asyncio.run(main())
    assert not [thread for thread in threading.enumerate() if thread.name == "ragas-doubler"]


def test_closing_waits_only_so_long() -> None:
    doubler = Doubler()

    async def main() -> None:
        doubler.go.clear()
        stuck = asyncio.ensure_future(doubler.worker.ask([1]))
        while not doubler.calls:
            await asyncio.sleep(0.001)
        await doubler.worker.aclose(patience=0.02)
        stuck.cancel()

    asyncio.run(main())
    doubler.go.set()
    while any(thread.name == "ragas-doubler" for thread in threading.enumerate()):
        time.sleep(0.001)


def test_closing_an_unused_worker_starts_nothing() -> None:
    asyncio.run(Doubler().worker.aclose())
    assert not [thread for thread in threading.enumerate() if thread.name == "ragas-doubler"]
