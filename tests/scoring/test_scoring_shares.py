"""How the run's limit is divided among processes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_waiting import eventually

from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.share_client import ShareClient
from pytest_ragas.scoring.share_lines import BrokenLineError, connect
from pytest_ragas.scoring.share_server import ShareServer
from pytest_ragas.scoring.shares import fair_shares, static_share


@pytest.mark.parametrize(
    ("limit", "wants", "shares"),
    [
        (16, [], []),
        (16, [0], [16]),
        (16, [0, 0], [8, 8]),
        (16, [100, 0], [16, 0]),
        (16, [100, 3], [13, 3]),
        (16, [100, 100], [8, 8]),
        (16, [100, 100, 2], [7, 7, 2]),
        (16, [2, 0, 0], [7, 5, 4]),
        (3, [9, 9], [2, 1]),
        (1, [5, 5, 5], [1, 0, 0]),
        (0, [5, 5], [0, 0]),
    ],
)
def test_fair_shares(limit, wants, shares):
    assert fair_shares(limit, wants) == shares


def test_where_there_is_not_one_for_each_they_take_turns():
    assert [fair_shares(1, [5, 5, 5], turn=turn) for turn in range(4)] == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


@given(limit=st.integers(0, 500), wants=st.lists(st.integers(0, 300), min_size=1, max_size=20), turn=st.integers(0, 99))
def test_shares_are_whole_and_fair(limit, wants, turn):
    shares = fair_shares(limit, wants, turn=turn)
    assert sum(shares) == limit
    assert min(shares) >= 0
    for want, share in zip(wants, shares, strict=True):
        if share < want:  # whoever lacks something lacks it because nobody has more than one above it
            assert max(shares) <= share + 1


@given(limit=st.integers(1, 500), workers=st.integers(1, 40))
def test_static_shares_are_the_limit_where_it_is_enough(limit, workers):
    shares = [static_share(limit, workers, number) for number in range(workers)]
    assert min(shares) >= 1
    assert sum(shares) == max(limit, workers)


# ---- the server and its clients, over sockets ------------------------------------------------------


class Process:
    """What a worker has: a limiter on a loop of its own, and calls that last until they are let go."""

    def __init__(self, server: ShareServer, name: str, *, limit: int, fallback: int = 1) -> None:
        self.limiter = Limiter(limit)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.release = asyncio.Event()
        self.client = ShareClient(
            self.limiter, port=server.port, token=server.token, worker=name, limit=limit, fallback=fallback
        )

    def begin(self, calls: int) -> None:
        async def call() -> None:
            async with self.limiter.slot():
                await self.release.wait()

        for _ in range(calls):
            asyncio.run_coroutine_threadsafe(call(), self.loop)

    def finish(self) -> None:
        self.loop.call_soon_threadsafe(self.release.set)

    def close(self) -> None:
        self.client.close()
        self.finish()
        eventually(lambda: self.limiter.stats().in_flight == 0)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()


@pytest.fixture
def start(server, stack) -> Callable[..., Process]:
    def start(name: str, **options: int) -> Process:
        process = Process(server, name, **{"limit": 8, **options})
        stack.callback(process.close)
        return process

    return start


def in_flight(*processes: Process) -> list[int]:
    return [process.limiter.stats().in_flight for process in processes]


def test_one_process_has_everything(start):
    alone = start("gw0")
    alone.begin(20)
    eventually(lambda: in_flight(alone) == [8])


def test_two_idle_processes_have_the_half_each_before_they_ask(start):
    one, two = start("gw0"), start("gw1")
    eventually(lambda: [p.limiter.stats().limit for p in (one, two)] == [4, 4])


def test_who_has_no_work_gives_its_share_to_who_has(start):
    one, two = start("gw0"), start("gw1")
    two.begin(20)
    eventually(lambda: in_flight(one, two) == [0, 8])


def test_a_share_is_given_only_when_it_is_free(start):
    """The first process has all calls in flight; the second must wait until some of them have ended."""
    one, two = start("gw0"), start("gw1")
    one.begin(20)
    eventually(lambda: in_flight(one, two) == [8, 0])
    two.begin(20)
    # the server has heard of the second one's wish when it has told the first one to give something up
    eventually(lambda: one.limiter.stats().limit == 4)
    time.sleep(0.2)
    assert in_flight(one, two) == [8, 0]
    one.finish()
    eventually(lambda: two.limiter.stats().in_flight >= 4)
    assert sum(in_flight(one, two)) <= 8


def test_the_sum_never_exceeds_the_limit(start):
    """A tug of war: three processes begin and end calls as they please."""
    processes = [start(f"gw{number}") for number in range(3)]
    lock, flying, peak = threading.Lock(), 0, 0

    async def call(process: Process) -> None:
        nonlocal flying, peak
        async with process.limiter.slot():
            with lock:
                flying += 1
                peak = max(peak, flying)
            await asyncio.sleep(0.002)
            with lock:
                flying -= 1

    async def work(process: Process, calls: int) -> None:
        await asyncio.gather(*(call(process) for _ in range(calls)))

    jobs = [
        asyncio.run_coroutine_threadsafe(work(process, calls), process.loop)
        for process, calls in zip(processes, (600, 60, 300), strict=True)
    ]
    for job in jobs:
        job.result(60)
    assert 4 < peak <= 8, peak
    assert sum(process.limiter.stats().calls for process in processes) == 960


def test_one_call_for_three_processes_goes_round(start):
    processes = [start(f"gw{number}", limit=1) for number in range(3)]

    async def work(process: Process) -> None:
        for _ in range(3):
            async with process.limiter.slot():
                await asyncio.sleep(0.01)

    for job in [asyncio.run_coroutine_threadsafe(work(process), process.loop) for process in processes]:
        job.result(60)


def test_the_share_of_a_process_that_died_is_free(server, start):
    one, two = start("gw0"), start("gw1")
    one.begin(20)
    eventually(lambda: in_flight(one, two) == [8, 0])
    two.begin(20)
    server.forget("gw0")
    eventually(lambda: in_flight(two) == [8])


def test_without_a_server_a_process_has_its_static_share(server, start):
    server.close()
    process = start("gw0", fallback=3)
    process.begin(20)
    eventually(lambda: in_flight(process) == [3])


def test_a_server_that_dies_leaves_static_shares(server, start):
    one, two = start("gw0", fallback=4), start("gw1", fallback=4)
    one.begin(20)
    eventually(lambda: in_flight(one) == [8])
    server.close()
    eventually(lambda: [p.limiter.stats().limit for p in (one, two)] == [4, 4])


def test_a_process_that_cannot_connect_has_its_static_share_kept_free(server, start):
    server.reserve("gw1")
    one = start("gw0")
    one.begin(20)
    eventually(lambda: in_flight(one) == [4])


def test_workers_hear_that_the_run_is_over(server, start):
    one, two = start("gw0"), start("gw1")
    assert not one.client.stopped
    server.stop_workers()
    eventually(lambda: one.client.stopped and two.client.stopped)


@pytest.mark.parametrize(
    "said", [b"hello\n", b'{"token": "guessed", "worker": "gw0", "limit": 8}\n', b"[]\n", b"x" * 9000]
)
def test_a_stranger_is_shown_out_and_changes_nothing(server, start, said):
    line = connect(server.port, timeout=5)
    line.connection.sendall(said)
    with pytest.raises(BrokenLineError):
        list(line.receive())
    line.close()
    alone = start("gw0")
    alone.begin(20)
    eventually(lambda: in_flight(alone) == [8])


def test_closing_twice_is_harmless(server, start):
    start("gw0").client.close()
    server.close()
    server.close()
