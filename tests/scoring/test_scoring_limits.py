"""The limiter, on a clock that never differs."""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading

import pytest
from scoring_clock import run_virtually

from pytest_ragas.errors import StructureError, TransientModelError
from pytest_ragas.scoring.limits import MAX_PAUSE, Limiter, current_order


def start(order: int, work: object) -> asyncio.Task[object]:
    """A task of a job of this order."""
    context = contextvars.copy_context()
    context.run(current_order.set, order)
    return context.run(asyncio.ensure_future, work)


async def call(limiter: Limiter, seconds: float = 1.0, error: BaseException | None = None) -> None:
    async with limiter.slot():
        await asyncio.sleep(seconds)
        if error is not None:
            raise error


async def calls(limiter: Limiter, errors: list[BaseException | None]) -> None:
    await asyncio.gather(*(call(limiter, error=error) for error in errors), return_exceptions=True)


def throttled(retry_after: float | None = None, status: int = 429) -> TransientModelError:
    return TransientModelError("too many", status=status, retry_after=retry_after)


async def now() -> float:
    return asyncio.get_running_loop().time()


def test_no_more_than_the_limit_are_in_flight_and_all_get_through() -> None:
    limiter = Limiter(3)

    async def run() -> float:
        await calls(limiter, [None] * 10)
        return await now()

    assert run_virtually(run()) == 4.0
    stats = limiter.stats()
    assert (stats.peak, stats.calls, stats.in_flight, stats.waiting) == (3, 10, 0, 0)


def test_a_free_slot_goes_to_the_smallest_order_not_to_the_first_in_line() -> None:
    limiter, served = Limiter(1), []

    async def work(order: int) -> None:
        async with limiter.slot():
            served.append(order)
            await asyncio.sleep(1)

    async def run() -> None:
        orders = [50, *random.Random(3).sample(range(50), 50)]
        tasks = [start(order, work(order)) for order in orders]
        await asyncio.gather(*tasks)

    run_virtually(run())
    assert served == [50, *range(50)]


def test_equal_orders_are_served_as_they_came() -> None:
    limiter, served = Limiter(1), []

    async def work(number: int) -> None:
        async with limiter.slot():
            served.append(number)
            await asyncio.sleep(1)

    async def run() -> None:
        await asyncio.gather(*(start(7, work(number)) for number in range(20)))

    run_virtually(run())
    assert served == list(range(20))


def test_a_cancelled_waiter_is_passed_over() -> None:
    limiter = Limiter(1)

    async def run() -> list[bool]:
        tasks = [start(order, call(limiter)) for order in range(4)]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [task.cancelled() for task in tasks]

    assert run_virtually(run()) == [False, True, False, False]
    assert limiter.stats().calls == 3


def test_a_slot_given_to_one_who_is_cancelled_in_that_moment_is_handed_on() -> None:
    limiter = Limiter(1)

    async def run() -> list[bool]:
        async with limiter.slot():
            tasks = [asyncio.ensure_future(call(limiter)) for _ in range(2)]
            await asyncio.sleep(0.5)
        while not limiter.stats().in_flight:
            await asyncio.sleep(0)
        # the first one has been given the slot just now, and has not woken up yet
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [task.cancelled() for task in tasks]

    assert run_virtually(run()) == [True, False]
    assert limiter.stats().in_flight == 0


@pytest.mark.parametrize("seed", range(10))
def test_a_storm_of_cancellations_loses_no_slot(seed: int) -> None:
    dice = random.Random(seed)
    root = Limiter(4)
    children = [root.child(), root.child(2)]

    async def run() -> int:
        tasks = [start(dice.randrange(50), call(dice.choice(children), dice.random())) for _ in range(400)]
        for _ in range(300):
            await asyncio.sleep(dice.random() / 10)
            for task in dice.sample(tasks, 3):
                task.cancel()
            assert root.stats().in_flight <= 4
            assert children[1].stats().in_flight <= 2
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(call(child) for child in children))
        return sum(result is None for result in results)

    through = run_virtually(run())
    assert 0 < through < 400
    for limiter in (root, *children):
        stats = limiter.stats()
        assert (stats.in_flight, stats.waiting) == (0, 0)
        assert stats.peak <= stats.limit


def test_cancelling_all_who_wait_leaves_nothing_behind() -> None:
    limiter = Limiter(1)

    async def run() -> int:
        async with limiter.slot():
            tasks = [asyncio.ensure_future(call(limiter)) for _ in range(1_000)]
            await asyncio.sleep(1)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return len(limiter._queue)

    assert run_virtually(run()) <= 64
    assert limiter.stats().waiting == 0


def test_an_error_gives_the_slot_back() -> None:
    limiter = Limiter(1)

    async def run() -> None:
        with pytest.raises(ZeroDivisionError):
            await call(limiter, error=ZeroDivisionError())
        await call(limiter)

    run_virtually(run())
    assert limiter.stats().in_flight == 0


@pytest.mark.parametrize("status", [429, 503])
def test_refusals_of_one_round_trip_halve_once_and_never_below_one(status: int) -> None:
    limiter = Limiter(16)
    allowed = []

    async def run() -> None:
        for _ in range(6):
            await calls(limiter, [throttled(status=status)] * limiter.stats().allowed)
            allowed.append(limiter.stats().allowed)

    run_virtually(run())
    assert allowed == [8, 4, 2, 1, 1, 1]


def test_a_burst_of_refusals_that_were_sent_together_halves_once_even_if_they_come_one_by_one() -> None:
    limiter = Limiter(16)

    async def one(seconds: float) -> None:
        async with limiter.slot():
            await asyncio.sleep(seconds)
            raise throttled()

    async def run() -> None:
        await asyncio.gather(*(one(1 + number / 100) for number in range(16)), return_exceptions=True)

    run_virtually(run())
    assert limiter.stats().allowed == 8


def test_half_of_what_is_in_flight_where_that_is_less_than_allowed() -> None:
    limiter = Limiter(64)
    run_virtually(calls(limiter, [throttled()] * 5))
    assert limiter.stats().allowed == 5


@pytest.mark.parametrize(
    "error", [TransientModelError("broken", status=500), TransientModelError("dropped"), OSError()]
)
def test_other_errors_do_not_make_it_narrower(error: BaseException) -> None:
    limiter = Limiter(8)
    run_virtually(calls(limiter, [error] * 8))
    assert limiter.stats().allowed == 8


def test_each_round_trip_of_answers_gives_one_back_up_to_the_limit() -> None:
    limiter = Limiter(8)
    allowed = []

    async def run() -> None:
        await calls(limiter, [throttled()] * 8)
        demand = asyncio.ensure_future(calls(limiter, [None] * 60))
        await asyncio.sleep(0.5)
        while not demand.done():
            allowed.append(limiter.stats().allowed)
            await asyncio.sleep(1)

    run_virtually(run())
    assert allowed == [4, 5, 6, 7, 8, 8, 8, 8, 8]


def test_answers_to_calls_sent_before_a_halving_give_nothing_back() -> None:
    limiter = Limiter(8)

    async def run() -> None:
        sent_before = [asyncio.ensure_future(call(limiter, 2.0)) for _ in range(7)]
        await calls(limiter, [throttled()])
        demand = [asyncio.ensure_future(call(limiter, 60.0)) for _ in range(20)]
        await asyncio.gather(*sent_before)
        assert limiter.stats().allowed == 4
        await asyncio.gather(*demand)

    run_virtually(run())


def test_an_answer_of_the_wrong_structure_is_an_answer() -> None:
    limiter = Limiter(8)

    async def run() -> None:
        await calls(limiter, [throttled()] * 8)
        await calls(limiter, [StructureError("no JSON")] * 8)

    run_virtually(run())
    assert limiter.stats().allowed == 5


def test_it_does_not_grow_back_where_nobody_needs_it() -> None:
    limiter = Limiter(8)

    async def run() -> None:
        await calls(limiter, [throttled()] * 8)
        for _ in range(20):
            await call(limiter)

    run_virtually(run())
    assert limiter.stats().allowed == 4


def test_retry_after_holds_back_every_call() -> None:
    limiter = Limiter(4)
    starts = []

    async def one() -> None:
        async with limiter.slot():
            starts.append(await now())

    async def run() -> None:
        await calls(limiter, [throttled(retry_after=30.0), throttled(retry_after=10.0)])
        await asyncio.gather(one(), one())

    run_virtually(run())
    assert starts == [31.0, 31.0]


def test_a_retry_after_beyond_reason_holds_back_nobody() -> None:
    limiter = Limiter(4)

    async def run() -> float:
        await calls(limiter, [throttled(retry_after=MAX_PAUSE + 1)])
        await call(limiter)
        return await now()

    assert run_virtually(run()) == 2.0


def test_where_even_one_at_a_time_is_too_much_calls_are_spaced_until_answers_come() -> None:
    limiter = Limiter(2)
    gaps = []

    async def run() -> None:
        await call(limiter, 0.4)
        for _ in range(5):
            await calls(limiter, [throttled()])
            gaps.append(limiter.stats().gap)
        starts = []
        for _ in range(3):
            async with limiter.slot():
                starts.append(await now())
        assert starts[1] - starts[0] == pytest.approx(1.6)
        assert starts[2] - starts[1] == pytest.approx(1.6 * 0.9)
        for _ in range(60):
            await call(limiter, 0.01)

    run_virtually(run())
    # the first refusal may be one now and then; then half a round-trip, and the double with each further one
    assert gaps == pytest.approx([0.0, 0.2, 0.4, 0.8, 1.6])
    assert limiter.stats().gap == 0.0


def test_refusals_now_and_then_space_nothing() -> None:
    limiter = Limiter(2)

    async def run() -> None:
        for _ in range(20):
            await calls(limiter, [throttled()])
            for _ in range(4):
                await call(limiter)
            assert limiter.stats().gap == 0.0

    run_virtually(run())
    assert limiter.stats().halved == 20


def test_a_waiter_of_a_closed_loop_that_is_cancelled_late_takes_nothing_from_the_next_one() -> None:
    limiter = Limiter(1)
    left: list[object] = []

    async def leave() -> None:
        left.extend(asyncio.ensure_future(call(limiter, 60)) for _ in range(2))
        await asyncio.sleep(0.1)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    for task in left:
        task.cancel()  # type: ignore[attr-defined]
    limiter._pid = -1  # as if the loop were the parent's of a fork
    run_virtually(call(limiter))
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))  # type: ignore[call-overload]
    loop.close()
    stats = limiter.stats()
    assert (stats.in_flight, stats.waiting) == (0, 0)


def test_calls_of_children_count_at_the_root() -> None:
    root = Limiter(3)
    llm, embeddings = root.child(), root.child(1)

    async def run() -> float:
        await asyncio.gather(calls(llm, [None] * 4), calls(embeddings, [None] * 4))
        return await now()

    assert run_virtually(run()) == 5.0
    assert root.stats().peak == 3
    assert root.stats().calls == 8
    assert embeddings.stats().peak == 1


def test_a_child_that_is_full_does_not_hold_up_the_others() -> None:
    root = Limiter(8)
    full, free = root.child(1), root.child()

    async def run() -> float:
        tasks = [start(0, call(full)) for _ in range(5)]
        await asyncio.sleep(0)
        await start(99, call(free))
        at = await now()
        await asyncio.gather(*tasks)
        return at

    assert run_virtually(run()) == 1.0


def test_the_smallest_order_goes_first_across_children() -> None:
    root = Limiter(1)
    children = [root.child(), root.child()]
    served = []

    async def work(order: int) -> None:
        async with children[order % 2].slot():
            served.append(order)
            await asyncio.sleep(1)

    async def run() -> None:
        await asyncio.gather(*(start(order, work(order)) for order in (9, 5, 4, 1, 2, 3, 0, 8)))

    run_virtually(run())
    assert served == [9, 0, 1, 2, 3, 4, 5, 8]


def test_a_429_of_one_model_does_not_slow_the_other() -> None:
    root = Limiter(8)
    llm, embeddings = root.child(), root.child()
    run_virtually(calls(embeddings, [throttled(retry_after=60)] * 8))
    assert (llm.stats().allowed, embeddings.stats().allowed, root.stats().allowed) == (8, 4, 8)


def test_a_new_limit_counts_at_once_for_those_who_wait() -> None:
    root = Limiter(1)
    child = root.child()

    async def run() -> float:
        tasks = [asyncio.ensure_future(call(child)) for _ in range(5)]
        await asyncio.sleep(0.5)
        root.set_limit(5)
        await asyncio.gather(*tasks)
        return await now()

    assert run_virtually(run()) == 1.5
    assert child.stats().limit == 5


def test_a_smaller_limit_lets_what_is_in_flight_end() -> None:
    limiter = Limiter(4)

    async def run() -> float:
        tasks = [asyncio.ensure_future(call(limiter)) for _ in range(8)]
        await asyncio.sleep(0.5)
        limiter.set_limit(1)
        await asyncio.gather(*tasks)
        return await now()

    assert run_virtually(run()) == 5.0


def test_a_limit_of_nothing_pauses_until_there_is_more() -> None:
    limiter = Limiter(2)

    async def run() -> float:
        limiter.set_limit(0)
        tasks = [asyncio.ensure_future(call(limiter)) for _ in range(2)]
        await asyncio.sleep(10)
        assert limiter.stats().in_flight == 0
        limiter.set_limit(2)
        await asyncio.gather(*tasks)
        return await now()

    assert run_virtually(run()) == 11.0


def test_a_limit_changed_from_another_thread_wakes_those_who_wait() -> None:
    limiter = Limiter(1)

    async def run() -> int:
        gate = asyncio.Event()

        async def one() -> None:
            async with limiter.slot():
                if limiter.stats().in_flight == 3:
                    gate.set()
                await gate.wait()

        tasks = [asyncio.ensure_future(one()) for _ in range(3)]
        await asyncio.sleep(0)
        threading.Thread(target=limiter.set_limit, args=(3,)).start()
        await asyncio.gather(*tasks)
        return limiter.stats().peak

    assert asyncio.run(run()) == 3


def test_a_second_loop_starts_anew_where_the_first_left_calls_in_flight() -> None:
    limiter = Limiter(1)

    async def leave() -> None:
        left = [asyncio.ensure_future(call(limiter, 60)) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in left)

    run_virtually(leave())
    run_virtually(call(limiter))
    assert limiter.stats().in_flight == 0


def test_two_loops_at_once_are_refused() -> None:
    limiter = Limiter(1)

    async def first() -> None:
        await call(limiter, 0)
        raised = []

        def other() -> None:
            try:
                run_virtually(call(limiter))
            except RuntimeError as error:
                raised.append(str(error))

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert raised == ["one limiter was used on two event loops at once: give each loop its own"]

    asyncio.run(first())


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limiter_that_lets_nothing_through_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limiter(limit)
    with pytest.raises(ValueError, match="no sense"):
        Limiter(1).set_limit(-1)


def test_a_limit_that_comes_back_before_the_loop_has_heard_of_it_is_not_settled() -> None:
    """3, then 5, then 3 again: the loop will let five through in between, and nobody may think that they are three."""
    limiter = Limiter(3)

    def there_and_back() -> None:
        limiter.set_limit(5)
        limiter.set_limit(3)

    async def run() -> None:
        waiting = [asyncio.ensure_future(call(limiter)) for _ in range(5)]
        await asyncio.sleep(0.1)
        thread = threading.Thread(target=there_and_back)
        thread.start()
        thread.join()  # the loop does nothing meanwhile
        assert limiter.stats().limit == 3
        assert not limiter.stats().settled
        await asyncio.sleep(0.1)
        assert limiter.stats().settled
        assert limiter.stats().in_flight == 5
        await asyncio.gather(*waiting)

    asyncio.run(run())
    assert limiter.stats().peak == 5
