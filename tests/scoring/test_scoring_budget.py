"""Budgets: nothing is sent that has no room, whatever is in flight, fails, or costs more than was thought."""

from __future__ import annotations

import asyncio
import os
import random

import pytest
from scoring_clock import run_virtually
from scoring_fakes import SCHEMA, asking, sample

from pytest_ragas.errors import BudgetError, RejectedRequestError, StructureError, TransientModelError
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.scoring.budget import ANSWER, FORKED, Budget, Limits
from pytest_ragas.scoring.calls import GuardedEmbeddings, GuardedLLM
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.settings.values import Price
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage
from pytest_ragas.values.spent import Spent

IDENTITY = ModelIdentity(provider="openai", name="judge")
FREE = Price()


def paying(critic: ScriptedCritic, budget: Budget, *, price: Price = FREE, limit: int = 16, most: int | None = None):
    parameters = () if most is None else (("max_tokens", str(most)),)
    identity = ModelIdentity(provider="openai", name="judge", parameters=parameters)
    retry = Retry(seed=1, base=0.1)
    purse = budget.purse(identity, price)
    return GuardedLLM(critic, limiter=Limiter(limit), retry=retry, meter=Meter(), purse=purse)


def costing(prompt: int, completion: int, *, seconds: float = 1.0) -> ScriptedCritic:
    usage = Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion)
    return ScriptedCritic(lambda messages, schema: Answer(value={"value": 1.0}, usage=usage), latency=seconds)


async def ask_all(llm: GuardedLLM, number: int) -> list[object]:
    questions = ([Message(role="user", content=f"question {index}")] for index in range(number))
    return await asyncio.gather(*(llm.ask(question, SCHEMA) for question in questions), return_exceptions=True)


def answered(results: list[object]) -> int:
    assert all(isinstance(result, (Answer, BudgetError)) for result in results), results
    return sum(isinstance(result, Answer) for result in results)


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_a_budget_of_calls_is_spent_to_the_last_and_never_overspent(concurrency: int) -> None:
    critic, budget = costing(10, 5), Budget(Limits(calls=7))
    results = run_virtually(ask_all(paying(critic, budget, limit=concurrency), 20))
    assert answered(results) == len(critic.requests) == 7
    assert budget.spent == Spent(calls=7, tokens=7 * 15, refused=13)


def test_retries_and_questions_that_are_asked_again_are_paid_for() -> None:
    said = [TransientModelError("busy", status=503), "no JSON", {"value": 1.0}, {"value": 1.0}]
    critic, budget = ScriptedCritic(said), Budget(Limits(calls=3))

    async def run() -> list[object]:
        llm = paying(critic, budget, limit=1)
        return [*await ask_all(llm, 1), *await ask_all(llm, 1)]

    assert answered(run_virtually(run())) == 1
    assert len(critic.requests) == 3


def test_what_is_in_flight_counts() -> None:
    """Each answer takes what was set aside for it, so that only so many are ever under way."""
    critic, budget = costing(20, 100), Budget(Limits(tokens=450))
    results = run_virtually(ask_all(paying(critic, budget, most=100), 16))
    assert budget.spent.tokens <= 450
    assert answered(results) == 3
    assert critic.peak <= 3


def test_waiting_for_room_does_not_count_against_the_time_of_a_call() -> None:
    """The budget has room for one at a time; the last one's turn comes after far more than a call may take."""
    critic, budget = costing(200, 200, seconds=100), Budget(Limits(tokens=5_000))
    llm = paying(critic, budget)
    llm._retry.deadline = 150.0
    results = run_virtually(ask_all(llm, 8))
    assert answered(results) == len(critic.requests) == 8
    slow = paying(costing(200, 200, seconds=200), Budget(Limits(tokens=5_000)))
    slow._retry.deadline = 150.0
    assert "no answer within the 150 s" in str(run_virtually(ask_all(slow, 1))[0])


def test_what_was_set_aside_in_vain_is_spent_by_others() -> None:
    """The first is thought to write 1,024 tokens, and writes 10: the others know better, and all have room."""
    critic, budget = costing(20, 10), Budget(Limits(tokens=ANSWER + 500))
    results = run_virtually(ask_all(paying(critic, budget), 10))
    assert answered(results) == 10
    assert budget.spent.tokens == 300


@pytest.mark.parametrize("seed", range(30))
def test_no_order_of_events_overspends_by_more_than_one_estimate(seed: int) -> None:
    """Random lengths and speeds, within what the configuration allows; a third of the requests fail.

    A server that bills what it does not say (`prose`) is paid at the estimate.
    """
    chance = random.Random(seed)
    most, tokens = 200, chance.randrange(300, 3_000)

    async def said(messages: object, schema: object) -> object:
        await asyncio.sleep(chance.random())
        if chance.random() < 0.3:
            return chance.choice([TransientModelError("busy", status=503), "prose"])
        usage = Usage(calls=1, prompt_tokens=30, completion_tokens=chance.randrange(1, most))
        return Answer(value={"value": 1.0}, usage=usage)

    budget = Budget(Limits(tokens=tokens, usd=tokens / 1e6))
    llm = paying(ScriptedCritic(said), budget, price=Price(input=1.0, output=1.0), most=most)
    results = run_virtually(ask_all(llm, 40))
    others = [result for result in results if not isinstance(result, (Answer, BudgetError))]
    assert all(isinstance(result, (TransientModelError, StructureError)) for result in others), others
    assert budget.spent.tokens <= tokens
    assert budget.spent.usd == pytest.approx(budget.spent.tokens / 1e6)


def test_dollars_are_what_the_price_table_says() -> None:
    budget = Budget(Limits(usd=0.01))
    llm = paying(costing(1_000, 500), budget, price=Price(input=2.0, output=8.0), limit=1, most=500)
    results = run_virtually(ask_all(llm, 5))
    assert answered(results) == 1  # $0.006 each
    assert budget.spent.usd == pytest.approx(0.006)
    assert str(results[-1]) == (
        "the budget of $0.0100 (--ragas-max-usd) has no room for another call: $0.0060 are spent, and this call may "
        "cost $0.0060"
    )


def test_a_refusal_costs_a_call_and_no_tokens() -> None:
    budget = Budget(Limits(tokens=10_000))
    llm = paying(ScriptedCritic([RejectedRequestError("wrong key", status=401)]), budget)
    assert isinstance(run_virtually(ask_all(llm, 1))[0], RejectedRequestError)
    assert budget.spent == Spent(calls=1)


def test_a_wrong_answer_is_paid_for() -> None:
    wrong = StructureError("no JSON", raw="prose")
    wrong.usage = Usage(calls=1, prompt_tokens=40, completion_tokens=7)
    budget = Budget(Limits(tokens=10_000))
    run_virtually(ask_all(paying(ScriptedCritic([wrong] * 3), budget), 1))
    assert budget.spent == Spent(calls=3, tokens=3 * 47)


def test_a_server_that_counts_no_tokens_is_paid_at_the_estimate() -> None:
    budget = Budget(Limits(tokens=100_000))
    run_virtually(ask_all(paying(ScriptedCritic({"Verdict": {"value": 1.0}}), budget, most=50), 2))
    assert budget.spent.calls == 2
    assert 100 < budget.spent.tokens < 250


def test_a_request_that_is_cut_off_is_paid_at_the_estimate_and_frees_its_place() -> None:
    budget = Budget(Limits(calls=2))
    llm = paying(costing(10, 5, seconds=60), budget)

    async def run() -> None:
        task = asyncio.ensure_future(ask_all(llm, 1))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(1)

    run_virtually(run())
    assert budget.spent.calls == 1
    assert budget.spent.tokens > 5


def test_embeddings_are_paid_for_by_their_texts() -> None:
    budget = Budget(Limits(calls=2, tokens=1_000))
    model = ScriptedEmbeddings(lambda text: [1.0, 0.0])
    purse = budget.purse(model.identity, FREE)
    llm = GuardedEmbeddings(model, limiter=Limiter(1), retry=Retry(), meter=Meter(), purse=purse)

    async def run() -> list[object]:
        texts = (["a" * 300], ["b" * 300], ["c" * 300])
        return await asyncio.gather(*map(llm.embed, texts), return_exceptions=True)

    results = run_virtually(run())
    assert isinstance(results[-1], BudgetError)
    assert budget.spent == Spent(calls=2, tokens=202, refused=1)


def test_a_metric_without_room_is_not_run_and_no_failure_of_anybody() -> None:
    critic, budget = costing(10, 5), Budget(Limits(calls=1))
    metric = asking("faithfulness", paying(critic, budget), steps=2)
    scores, failures = run_virtually(score_sample(sample(1), [metric]))
    assert not scores
    assert [failure.kind for failure in failures] == ["not run"]
    assert "the budget of 1 call (--ragas-max-calls) has no room for another call: 1 was made" in failures[0].error


@pytest.mark.parametrize(("limit", "workers"), [(10, 3), (1, 4), (0, 2), (8, 8)])
def test_the_parts_of_workers_are_the_whole(limit: int, workers: int) -> None:
    limits = Limits(calls=limit, tokens=limit * 7, usd=float(limit))
    parts = [limits.share(workers, number) for number in range(workers)]
    assert sum(part.calls or 0 for part in parts) == limit
    assert sum(part.tokens or 0 for part in parts) == limit * 7
    assert sum(part.usd or 0 for part in parts) == pytest.approx(limit)
    assert Limits().share(workers, 0) == Limits()
    # the place of a worker that crashed, which has spent nobody knows how much
    assert limits.share(workers, workers) == Limits(calls=0, tokens=0, usd=0.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
def test_a_fork_makes_no_calls_that_nobody_would_count() -> None:
    critic, budget = costing(10, 5), Budget(Limits(calls=7))
    llm = paying(critic, budget)
    if (child := os.fork()) == 0:
        results = run_virtually(ask_all(llm, 3))
        os._exit(0 if [str(result) for result in results] == [FORKED] * 3 and not critic.requests else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert answered(run_virtually(ask_all(llm, 3))) == 3


def test_what_is_spent_travels_as_json() -> None:
    spent = Spent(calls=3, tokens=100, usd=0.25, refused=1)
    assert Spent.from_json(spent.to_json()) == spent
