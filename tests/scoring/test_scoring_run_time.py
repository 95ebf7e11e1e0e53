"""The time of a run: from its end on nothing is asked, nobody waits, and what is under way is let finish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from scoring_clock import run_virtually
from scoring_fakes import SCHEMA, asking, sample

from pytest_ragas.errors import TransientModelError
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.scoring.budget import Budget, Limits
from pytest_ragas.scoring.calls import GuardedLLM
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.settings.values import Price
from pytest_ragas.values.model import Answer, Message, ModelIdentity

WHY = "the time of the run is up"


def limited(
    critic: ScriptedCritic, *, seconds: float, concurrency: int = 2, budget: Budget | None = None
) -> GuardedLLM:
    root = Limiter(concurrency)
    root.close_at(time.monotonic() + seconds, WHY)
    identity = ModelIdentity(provider="openai", name="judge", parameters=(("max_tokens", "100"),))
    purse = None
    if budget is not None:
        budget.close_at(time.monotonic() + seconds, WHY)
        purse = budget.purse(identity, Price())
    return GuardedLLM(critic, limiter=root.child(), retry=Retry(seed=1), meter=Meter(), purse=purse)


async def ask(llm: GuardedLLM, number: int) -> Answer:
    return await llm.ask([Message(role="user", content=f"question {number}")], SCHEMA)


async def ask_all(llm: GuardedLLM, number: int) -> list[object]:
    return await asyncio.gather(*(ask(llm, index) for index in range(number)), return_exceptions=True)


def said(results: list[object]) -> list[str]:
    return ["answer" if isinstance(result, Answer) else str(result) for result in results]


def test_what_is_under_way_goes_on_and_nobody_else_waits() -> None:
    """Two at a time, each of 4 s: two are done at 4 s, two more begin and end at 8 s; at 5 s the others are told."""
    critic = ScriptedCritic({"Verdict": {"value": 1.0}}, latency=4.0)

    async def run() -> tuple[list[str], float, float]:
        llm, loop = limited(critic, seconds=5.0), asyncio.get_running_loop()
        tasks = [asyncio.ensure_future(ask(llm, number)) for number in range(6)]
        await asyncio.wait(tasks[4:])
        told = loop.time()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        later = said(await ask_all(llm, 1))
        return said(results) + later, told, loop.time()

    results, told, over = run_virtually(run())
    assert results == ["answer"] * 4 + [WHY] * 3
    assert told == pytest.approx(5.0, abs=0.1)
    assert over == pytest.approx(8.0, abs=0.1)
    assert len(critic.requests) == 4


def test_a_run_that_is_over_before_its_first_call_makes_none() -> None:
    critic = ScriptedCritic([])
    assert said(run_virtually(ask_all(limited(critic, seconds=-1.0), 3))) == [WHY] * 3


@pytest.mark.parametrize(
    "error",
    [lambda: TransientModelError("busy", status=503), lambda: TransientModelError("slow", status=429, retry_after=100)],
    ids=["backoff", "retry-after"],
)
def test_a_pause_before_another_attempt_ends_with_the_run(error: Callable[[], Exception]) -> None:
    critic = ScriptedCritic(lambda messages, schema: error())

    async def run() -> tuple[list[str], float]:
        results = await ask_all(limited(critic, seconds=3.0), 4)
        return said(results), asyncio.get_running_loop().time()

    results, over = run_virtually(run())
    assert results == [WHY] * 4
    assert over <= 3.1


def test_who_waits_for_room_in_the_budget_is_not_asked_afterwards() -> None:
    """The second waits for what the first one may not spend; when it is there, the time is up."""
    critic = ScriptedCritic({"Verdict": {"value": 1.0}}, latency=0.4)
    budget = Budget(Limits(tokens=220))

    async def run() -> list[str]:  # in real time, which the budget goes by
        return said(await ask_all(limited(critic, seconds=0.2, budget=budget), 2))

    assert asyncio.run(run()) == ["answer", WHY]
    assert len(critic.requests) == 1


def test_a_slot_that_is_waited_for_can_be_given_up_in_the_moment_of_the_end() -> None:
    async def run() -> list[int]:
        root = Limiter(1)
        root.close_at(time.monotonic() + 60.0, WHY)

        async def call() -> None:
            async with root.slot():
                await asyncio.sleep(4.0)

        first, second = (asyncio.ensure_future(call()) for _ in range(2))
        await asyncio.sleep(0.5)
        root._close()
        second.cancel()  # it has been told, and has not heard it yet
        await asyncio.gather(second, return_exceptions=True)
        under_way = root.stats()
        await first
        return [under_way.in_flight, under_way.waiting, root.stats().in_flight]

    assert run_virtually(run()) == [1, 0, 0]


def test_a_metric_whose_time_is_up_is_not_run() -> None:
    critic = ScriptedCritic({"Verdict": {"value": 1.0}}, latency=2.0)

    async def run() -> object:
        return await score_sample(sample(1), [asking("faithfulness", limited(critic, seconds=3.0), steps=3)])

    scores, failures = run_virtually(run())  # type: ignore[misc]
    assert not scores
    assert [failure.kind for failure in failures] == ["not run"]
    assert WHY in failures[0].error
    assert len(critic.requests) == 2
