"""Daemon threads do what a `ThreadPoolExecutor` does, except holding up the end."""

from __future__ import annotations

import threading

import pytest

from pytest_ragas.scoring.threads import DaemonThreads


def test_results_and_errors_come_back() -> None:
    pool = DaemonThreads(2, "ragas-test")
    assert list(pool.map(lambda number: number * 2, range(20))) == [number * 2 for number in range(20)]
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(60)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(print)


def test_no_more_threads_than_allowed_and_no_more_than_needed() -> None:
    pool = DaemonThreads(3, "ragas-few")
    for _ in range(10):
        pool.submit(int).result(60)
        pool.submit(int).result(60)
    # a thread that has just answered may not have said yet that it is free
    assert 1 <= len(pool._daemons) <= 3

    gate, all_in = threading.Event(), threading.Barrier(4)

    def work() -> None:
        all_in.wait(60)
        gate.wait(60)

    futures = [pool.submit(work) for _ in range(3)]
    all_in.wait(60)
    waiting = pool.submit(int)
    gate.set()
    for future in futures:
        future.result(60)
    assert waiting.result(60) == 0
    assert len(pool._daemons) == 3
    assert all(thread.daemon for thread in pool._daemons)
    pool.shutdown()
    for thread in pool._daemons:
        thread.join(60)


def test_work_cancelled_in_line_is_not_done() -> None:
    pool = DaemonThreads(1, "ragas-one")
    gate, done = threading.Event(), []
    first = pool.submit(gate.wait, 60)
    second = pool.submit(done.append, 1)
    assert second.cancel()
    gate.set()
    assert first.result(60)
    pool.submit(int).result(60)
    assert done == []
    pool.shutdown()
