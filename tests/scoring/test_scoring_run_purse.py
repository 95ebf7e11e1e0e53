"""One purse for all the processes of a run: spent to the last, never overspent, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import pytest
from scoring_fakes import SCHEMA
from scoring_waiting import eventually

from pytest_ragas.errors import BudgetError
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.scoring.budget import Budget, Limits
from pytest_ragas.scoring.calls import GuardedLLM
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.run_purse import GONE, RunPurse
from pytest_ragas.scoring.share_client import ShareClient
from pytest_ragas.scoring.share_lines import connect
from pytest_ragas.scoring.share_server import ShareServer
from pytest_ragas.settings.values import Price
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage
from pytest_ragas.values.spent import Spent

IDENTITY = ModelIdentity(provider="openai", name="judge", parameters=(("max_tokens", "100"),))


class Worker:
    """A process of the run: a loop in a thread of its own, a limiter, a budget and a critic."""

    def __init__(self, server: ShareServer, name: str, limits: Limits, critic: ScriptedCritic) -> None:
        self.name = name
        self.critic = critic
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.budget = Budget(limits)
        limiter = Limiter(4)
        self.client = ShareClient(
            limiter, port=server.port, token=server.token, worker=name, limit=16, fallback=4, budget=self.budget
        )
        purse = self.budget.purse(IDENTITY, Price(input=1.0, output=1.0))
        self.llm = GuardedLLM(critic, limiter=limiter, retry=Retry(seed=1), meter=Meter(), purse=purse)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def ask(self, number: int) -> Any:
        """Ask so many questions, all at once; a future of the answers and errors."""

        async def all_of_them() -> list[object]:
            questions = ([Message(role="user", content=f"{self.name} {index}")] for index in range(number))
            return await asyncio.gather(*(self.llm.ask(one, SCHEMA) for one in questions), return_exceptions=True)

        return self.run(all_of_them())

    def close(self) -> None:
        self.client.close()

        async def cancel() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(cancel()).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def costing(seconds: float = 0.0, *, seed: int = 0) -> ScriptedCritic:
    chance = random.Random(seed)

    async def said(messages: object, schema: object) -> Answer:
        await asyncio.sleep(seconds * chance.random())
        usage = Usage(calls=1, prompt_tokens=20, completion_tokens=chance.randrange(1, 100))
        return Answer(value={"value": 1.0}, usage=usage)

    return ScriptedCritic(said)


@pytest.fixture
def start(server: ShareServer, stack: ExitStack) -> Callable[..., Worker]:
    def start(name: str, limits: Limits, critic: ScriptedCritic | None = None) -> Worker:
        worker = Worker(server, name, limits, critic or costing())
        stack.callback(worker.close)
        return worker

    return start


def answered(results: list[object]) -> int:
    assert all(isinstance(result, (Answer, BudgetError)) for result in results), results
    return sum(isinstance(result, Answer) for result in results)


def test_one_worker_may_spend_what_the_other_does_not(server: ShareServer, start) -> None:
    one, two = start("gw0", Limits(calls=10)), start("gw1", Limits(calls=10))
    assert answered(two.ask(1).result(20)) == 1
    results = one.ask(20).result(20)
    assert answered(results) == 9
    assert str(results[-1]).startswith("the budget of 10 calls (--ragas-max-calls) has no room for another call: 10")
    assert (one.budget.spent.calls, two.budget.spent.calls) == (9, 1)
    spent = server.spent()
    assert spent is not None
    assert (spent.calls, spent.refused) == (10, 11)


@pytest.mark.parametrize("seed", range(4))
def test_a_budget_is_never_overspent_by_workers_that_spend_at_once(server: ShareServer, start, seed: int) -> None:
    """No answer takes more than the 100 tokens that are set aside for it, so that not one token is too much."""
    limits = Limits(tokens=1_500, usd=1_500 / 1e6)
    workers = [start(f"gw{number}", limits, costing(0.01, seed=seed * 10 + number)) for number in range(3)]
    results = [future.result(30) for future in [worker.ask(30) for worker in workers]]
    tokens = sum(worker.budget.spent.tokens for worker in workers)
    assert 1_500 - 130 < tokens <= 1_500
    spent = server.spent()
    assert spent is not None
    assert spent.tokens == tokens
    assert sum(map(answered, results)) == sum(len(worker.critic.requests) for worker in workers)


def test_what_was_set_aside_in_vain_is_spent_by_others(server: ShareServer, start) -> None:
    """One holds all that there is, spends little of it, and another who waits gets the rest."""
    limits = Limits(tokens=140)
    cheap = ScriptedCritic(
        lambda messages, schema: Answer(
            value={"value": 1.0}, usage=Usage(calls=1, prompt_tokens=1, completion_tokens=1)
        ),
        latency=0.3,
    )
    one, two = start("gw0", limits, cheap), start("gw1", limits)
    first = one.ask(1)
    eventually(lambda: len(cheap.requests) == 1)
    assert answered(two.ask(1).result(20)) == 1
    assert answered(first.result(20)) == 1


def test_what_a_worker_had_under_way_when_it_died_is_spent(server: ShareServer, start) -> None:
    limits = Limits(calls=3, tokens=10_000)
    dead = start("gw0", limits, ScriptedCritic({"Verdict": {"value": 1.0}}, latency=60))
    dead.ask(2)
    eventually(lambda: len(dead.critic.requests) == 2)
    dead.client._line.connection.close()  # as the kernel does for a process that is gone
    server.forget("gw0")
    other = start("gw2", limits)  # which takes its place
    assert answered(other.ask(3).result(20)) == 1
    spent = server.spent()
    assert spent is not None
    assert spent.calls == 3
    assert spent.tokens > 200  # at what was set aside


def test_a_worker_that_has_ended_leaves_what_it_spent_and_nothing_else(server: ShareServer, start) -> None:
    worker = start("gw0", Limits(calls=500))
    worker.ask(400).result(30)
    spent = Spent(calls=400, tokens=worker.budget.spent.tokens, usd=pytest.approx(worker.budget.spent.usd))
    server.forget("gw0")  # its last words may not have been read yet
    assert server.spent() == spent


def test_what_a_worker_said_before_it_ended_is_read_to_the_end(server: ShareServer) -> None:
    """More than is read at once."""
    line = connect(server.port, timeout=5)
    line.send(token=server.token, worker="gw0", limit=4, budget={"calls": 2_000, "tokens": None, "usd": None})
    line.connection.recv(100)  # its first share of the limit: it is known
    one = Spent(calls=1).to_json()
    said = [
        {"purse": purse, "number": number, "cost": one, "most": one}
        for number in range(1, 500)
        for purse in ("ask", "paid")
    ]
    line.connection.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in said))
    server.forget("gw0")
    assert server.spent() == Spent(calls=499)
    line.close()


def test_who_is_cancelled_while_the_server_thinks_gives_back_what_it_may_get() -> None:
    said: list[dict[str, Any]] = []
    purse = RunPurse(lambda **message: said.append(message))

    async def run() -> None:
        task = asyncio.ensure_future(purse.set_aside("a request", Spent(calls=1), Spent(calls=1, tokens=9)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert said == [
        {
            "purse": "ask",
            "number": 1,
            "cost": Spent(calls=1).to_json(),
            "most": Spent(calls=1, tokens=9).to_json(),
        },
        {"purse": "paid", "number": 1},
    ]


def test_without_the_server_no_call_is_made(server: ShareServer, start) -> None:
    worker = start("gw0", Limits(calls=100))
    assert answered(worker.ask(2).result(20)) == 2
    server.close()
    eventually(lambda: not worker.client._thread.is_alive())
    results = worker.ask(2).result(20)
    assert [str(result) for result in results] == [GONE, GONE]
    assert len(worker.critic.requests) == 2
    assert server.spent() is None


def test_who_waits_for_room_when_the_server_goes_does_not_wait_for_ever(server: ShareServer, start) -> None:
    worker = start("gw0", Limits(tokens=150), ScriptedCritic({"Verdict": {"value": 1.0}}, latency=1.0))
    waiting = worker.ask(3)
    eventually(lambda: len(worker.critic.requests) == 1)
    server.close()
    results = waiting.result(20)
    assert answered(results) == 1  # what was under way is paid for, and used
    assert {str(result) for result in results if isinstance(result, BudgetError)} == {GONE}


def test_a_request_that_is_cancelled_frees_what_was_set_aside(server: ShareServer, start) -> None:
    worker = start("gw0", Limits(tokens=150), ScriptedCritic({"Verdict": {"value": 1.0}}, latency=60))
    first, second = worker.ask(1), None
    eventually(lambda: len(worker.critic.requests) == 1)
    second = worker.ask(2)  # waits for room
    time.sleep(0.1)
    second.cancel()
    first.cancel()  # counts at its estimate, as it may have been answered
    eventually(lambda: worker.budget.spent.calls == 1)
    assert isinstance(worker.ask(1).result(20)[0], BudgetError)


def test_a_worker_on_another_machine_has_its_part_set_apart(server: ShareServer, start) -> None:
    limits = Limits(calls=7)
    server.reserve("gw1")  # it cannot talk to us, and keeps to 3 of 7
    assert limits.share(2, 1) == Limits(calls=3)
    assert answered(start("gw0", limits).ask(10).result(20)) == 4
    server.reserve("gw2")  # in place of one that crashed: gets nothing more
    spent = server.spent()
    assert spent is not None
    assert spent.calls == 4


def test_a_worker_on_another_machine_may_start_later(server: ShareServer, start) -> None:
    here = start("gw0", Limits(calls=7))
    assert answered(here.ask(1).result(20)) == 1
    server.reserve("gw1")
    server.spent()  # answered behind what was said before it
    assert answered(here.ask(10).result(20)) == 3
