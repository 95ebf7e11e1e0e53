"""`Deadline` cuts off its own block, and takes nobody else's cancellation for its own."""

from __future__ import annotations

import asyncio
import sys

import pytest
from scoring_clock import run_virtually

from pytest_ragas.scoring.deadline import Deadline


def at(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def test_it_cuts_off_what_is_late_and_leaves_the_task_usable() -> None:
    async def run() -> float:
        with pytest.raises(asyncio.CancelledError):
            with Deadline(at(5)) as deadline:
                await asyncio.sleep(60)
        assert deadline.expired
        await asyncio.sleep(1)
        return at(0)

    assert run_virtually(run()) == 6.0


def test_what_is_in_time_is_left_alone_also_later() -> None:
    async def run() -> bool:
        with Deadline(at(5)) as deadline:
            await asyncio.sleep(4)
        await asyncio.sleep(10)
        return deadline.expired

    assert run_virtually(run()) is False


def test_a_cancellation_from_outside_is_not_ours() -> None:
    seen = []

    async def work() -> None:
        try:
            with Deadline(at(5)) as deadline:
                await asyncio.sleep(60)
        finally:
            seen.append(deadline.expired)

    async def run() -> None:
        task = asyncio.ensure_future(work())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    run_virtually(run())
    assert seen == [False]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not count cancellations")
def test_a_cancellation_in_the_very_moment_of_the_deadline_wins() -> None:
    seen = []

    async def work() -> None:
        try:
            with Deadline(at(5)) as deadline:
                await asyncio.sleep(60)
        finally:
            seen.append(deadline.expired)

    async def run() -> None:
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(5.0, task.cancel)
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    run_virtually(run())
    assert seen == [False]
