"""Oldest first, not first come first served: verdicts come steadily, from the first second on."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import Future

import pytest
from scoring_clock import run_virtually
from scoring_fakes import asking, guarded, sample

from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.scoring.calls import GuardedLLM
from pytest_ragas.scoring.engine import Engine
from pytest_ragas.scoring.limits import Limiter, current_order
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample

SAMPLES, METRICS, STEPS, LATENCY, LIMIT = 200, 2, 3, 0.2, 8
FLOOR = SAMPLES * METRICS * STEPS * LATENCY / LIMIT


def verdict_times(*, oldest_first: bool) -> list[float]:
    """When each sample's scores were there, on the virtual clock, for all samples handed over at once."""
    critic = ScriptedCritic(lambda messages, schema: {"value": 1.0}, latency=LATENCY)
    llm = guarded(critic, limit=LIMIT)
    metrics = [asking(f"m{number}", llm, steps=STEPS) for number in range(METRICS)]
    times = [0.0] * SAMPLES

    async def job(number: int) -> None:
        current_order.set(number if oldest_first else 0)
        scores, failures = await score_sample(sample(number), metrics)
        assert (len(scores), failures) == (METRICS, ())
        times[number] = asyncio.get_running_loop().time()

    async def run() -> None:
        await asyncio.gather(*(contextvars.Context().run(asyncio.ensure_future, job(n)) for n in range(SAMPLES)))

    run_virtually(run())
    assert len(critic.requests) == SAMPLES * METRICS * STEPS
    assert critic.peak == LIMIT
    return times


def test_two_hundred_samples_at_once_give_the_first_verdict_early_and_the_last_no_later() -> None:
    oldest, first_come = verdict_times(oldest_first=True), verdict_times(oldest_first=False)
    # one chain of calls
    assert min(oldest) == pytest.approx(LATENCY * STEPS)
    # first come first served moves all samples in lockstep: nothing is there before two thirds of the run are over
    assert min(first_come) > FLOOR * (STEPS - 1) / STEPS
    # at most one chain longer at the very end
    assert max(oldest) <= FLOOR + LATENCY * STEPS
    # half of the verdicts are there after half of the time, in about the order of the samples
    assert sorted(oldest)[SAMPLES // 2] <= 0.55 * FLOOR
    assert sum(first_come) > 1.5 * sum(oldest)
    for number, time in enumerate(oldest):
        assert abs(time - FLOOR * (number + 1) / SAMPLES) <= LATENCY * (STEPS + 1)


def test_the_engine_hands_its_order_to_the_limiter() -> None:
    """Step by step: a critic that answers only when it is told, and a limit of one call."""
    begun: list[str] = []
    step: asyncio.Queue[None] = asyncio.Queue()
    seen = threading.Condition()

    async def answer(messages: object, schema: object) -> dict[str, float]:
        with seen:
            begun.append(messages[-1].content)  # type: ignore[index]
            seen.notify_all()
        await step.get()
        return {"value": 1.0}

    engine = Engine(concurrency=1)
    llm = GuardedLLM(ScriptedCritic(answer), limiter=Limiter(1), retry=Retry(), meter=Meter())
    metric = asking("m", llm, steps=2)

    def submit(number: int) -> Future[object]:
        return engine.submit(lambda: score_sample(sample(number), [metric]), order=number)

    try:
        with engine.quiet():
            futures = [submit(number) for number in (5, 3, 1, 4, 2, 0)]
        for count in range(1, 13):
            with seen:
                assert seen.wait_for(lambda count=count: len(begun) == count, timeout=60)

            async def go_on() -> None:
                step.put_nowait(None)

            engine.wait(engine.submit(go_on, order=-1))
        for future in futures:
            engine.wait(future)
    finally:
        engine.close()
    assert [int(text.split()[1].removeprefix("row-")) for text in begun] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
