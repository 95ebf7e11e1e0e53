"""What the guards add to a model: one request for equal ones, a meter, errors that name who asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from scoring_clock import run_virtually
from scoring_fakes import SCHEMA, guarded

from pytest_ragas.errors import (
    ConfigurationError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import LLM, Embeddings
from pytest_ragas.scoring.calls import GuardedEmbeddings, GuardedLLM, current_repeat, current_request
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage


def question(text: str = "?") -> list[Message]:
    return [Message(role="user", content=text)]


def slow(*, seconds: float = 1.0, error: BaseException | None = None) -> ScriptedCritic:
    return ScriptedCritic(lambda messages, schema: error or {"value": 1.0}, latency=seconds)


async def ask(llm: LLM, text: str = "?", *, request: str = "", repeat: int = 0) -> Answer:
    current_request.set(request)
    current_repeat.set(repeat)
    return await llm.ask(question(text), SCHEMA)


def test_a_guard_is_a_model_itself() -> None:
    critic, embeddings = slow(), ScriptedEmbeddings({"a": [1.0]})
    llm = guarded(critic)
    assert isinstance(llm, LLM)
    assert llm.identity == critic.identity
    guard = GuardedEmbeddings(embeddings, limiter=Limiter(1), retry=Retry(), meter=Meter())
    assert isinstance(guard, Embeddings)
    assert guard.identity == embeddings.identity


def test_equal_requests_in_flight_are_sent_once() -> None:
    critic, meter = slow(), Meter()
    llm = guarded(critic, meter=meter)

    async def run() -> list[Answer]:
        # a schema that is equal, but another object
        other = GuardedLLM.ask(llm, question(), {**SCHEMA})
        return await asyncio.gather(*(asyncio.ensure_future(ask(llm)) for _ in range(20)), other)

    assert {answer.value["value"] for answer in run_virtually(run())} == {1.0}
    assert len(critic.requests) == 1
    assert meter.usage.calls == 1


def test_requests_that_differ_in_anything_are_different() -> None:
    critic = slow()
    llm = guarded(critic)

    async def run() -> None:
        tasks = [ask(llm, "a"), ask(llm, "b"), ask(llm, "a", repeat=1)]
        await asyncio.gather(
            *map(asyncio.ensure_future, tasks),
            llm.ask(question("a"), {**SCHEMA, "description": "another"}),
            llm.ask([Message(role="system", content="a")], SCHEMA),
            llm.ask([*question("a"), *question("a")], SCHEMA),
        )

    run_virtually(run())
    assert len(critic.requests) == 6


def test_an_answer_that_came_is_not_kept() -> None:
    critic = slow()
    llm = guarded(critic)

    async def run() -> None:
        await ask(llm)
        await ask(llm)

    run_virtually(run())
    assert len(critic.requests) == 2


@pytest.mark.parametrize("cancelled", [0, 1, 2])
def test_cancelling_one_who_waits_leaves_the_request_to_the_others(cancelled: int) -> None:
    critic = slow()
    llm = guarded(critic)

    async def run() -> list[object]:
        tasks = [asyncio.ensure_future(ask(llm)) for _ in range(3)]
        await asyncio.sleep(0.5)
        tasks[cancelled].cancel()
        return [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)]

    expected: list[object] = [Answer] * 3
    expected[cancelled] = asyncio.CancelledError
    assert run_virtually(run()) == expected
    # with the one who sent it, the request is cancelled too: it is sent anew, once
    assert len(critic.requests) == (2 if cancelled == 0 else 1)


def test_when_the_last_one_goes_the_request_is_cancelled_and_the_next_is_sent_anew() -> None:
    critic, meter = slow(), Meter()
    llm = guarded(critic, meter=meter, limit=1)

    async def run() -> float:
        tasks = [asyncio.ensure_future(ask(llm)) for _ in range(3)]
        await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        newcomer = asyncio.ensure_future(ask(llm))
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await newcomer).value == {"value": 1.0}
        return asyncio.get_running_loop().time()

    assert run_virtually(run()) == 1.5
    assert len(critic.requests) == 2
    assert meter.in_flight == 0
    assert meter.usage.calls == 2


def test_cancelled_in_the_moment_of_the_answer_is_cancelled() -> None:
    llm = guarded(slow())

    async def run() -> None:
        task = asyncio.ensure_future(ask(llm))
        asyncio.get_running_loop().call_later(1.0, task.cancel)
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    run_virtually(run())


@pytest.mark.parametrize(
    "error",
    [
        TransientModelError("busy", status=500),
        RejectedRequestError("wrong key", status=401),
        StructureError("prose", raw="I think so"),
        ModelError("ran dry"),
    ],
)
def test_each_who_waited_is_told_its_own_name(error: ModelError) -> None:
    critic = slow(error=error)
    llm = guarded(critic, retry=Retry(attempts=1, reasks=0))

    async def run() -> list[Any]:
        asks = [ask(llm, request=f"faithfulness of row {number}") for number in range(2)]
        return await asyncio.gather(*map(asyncio.ensure_future, asks), return_exceptions=True)

    raised = run_virtually(run())
    assert len(critic.requests) == 1
    for number, told in enumerate(raised):
        assert type(told) is type(error)
        assert str(told).startswith(f"faithfulness of row {number}: ")
        assert str(error) in str(told)
        assert told.role == "critic LLM"
        assert getattr(told, "status", None) == getattr(error, "status", None)
        assert getattr(told, "raw", None) == getattr(error, "raw", None)
    assert raised[0] is not raised[1]


def test_somebodys_own_error_is_raised_as_it_is() -> None:
    class OverBudgetError(ModelError):
        pass

    error = OverBudgetError("no money left")
    with pytest.raises(OverBudgetError) as caught:
        run_virtually(ask(guarded(slow(error=error)), request="row 1"))
    assert caught.value is error


def test_the_meter_counts_every_request_and_the_tokens_of_answers() -> None:
    script = [
        TransientModelError("busy", status=500),
        StructureError("prose", raw="prose"),
        Answer(value={"value": 1.0}, usage=Usage(calls=2, prompt_tokens=30, completion_tokens=4)),
        Answer(value={"value": 1.0}, usage=Usage(prompt_tokens=1)),
    ]
    meter = Meter()
    llm = guarded(ScriptedCritic(script), meter=meter)

    async def run() -> None:
        await ask(llm, "a")
        await ask(llm, "b")

    run_virtually(run())
    assert meter.usage == Usage(calls=5, prompt_tokens=31, completion_tokens=4)
    assert meter.in_flight == 0


def test_the_meter_shows_what_is_in_flight() -> None:
    meter = Meter()
    llm = guarded(slow(), meter=meter, limit=3)

    async def run() -> int:
        tasks = [asyncio.ensure_future(ask(llm, str(number))) for number in range(5)]
        await asyncio.sleep(0.5)
        seen = meter.in_flight
        await asyncio.gather(*tasks)
        return seen

    assert run_virtually(run()) == 3


class OwnLLM:
    """A model that a user wrote, without our errors."""

    identity = ModelIdentity(provider="own", name="own")

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.closed = 0

    async def ask(self, messages: Sequence[Message], schema: object) -> Any:
        said = self.script.pop(0)
        if isinstance(said, BaseException):
            raise said
        return said

    async def embed(self, texts: Sequence[str]) -> Any:
        return await self.ask((), texts)

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("error", [TimeoutError(), asyncio.TimeoutError("late"), ConnectionResetError("reset")])
def test_a_dropped_connection_in_pythons_words_is_sent_again(error: Exception) -> None:
    own = OwnLLM(error, Answer(value=1))
    assert run_virtually(guarded(own).ask(question(), SCHEMA)).value == 1
    own = OwnLLM(error, [[1.0]])
    guard = GuardedEmbeddings(own, limiter=Limiter(1), retry=Retry(seed=1), meter=Meter())
    assert run_virtually(guard.embed(["a"])) == [[1.0]]


def test_a_model_that_returns_no_answer_is_told_what_to_write() -> None:
    with pytest.raises(ConfigurationError, match=r"OwnLLM returned dict, not an Answer\. Write: return Answer"):
        run_virtually(guarded(OwnLLM({"value": 1})).ask(question(), SCHEMA))


def test_closing_the_guard_closes_the_model() -> None:
    own = OwnLLM()
    run_virtually(guarded(own).aclose())
    run_virtually(GuardedEmbeddings(own, limiter=Limiter(1), retry=Retry(), meter=Meter()).aclose())
    assert own.closed == 2


def test_a_guard_works_on_a_second_loop_where_the_first_left_requests_in_flight() -> None:
    critic = slow(seconds=60)
    llm = guarded(critic)

    async def leave() -> asyncio.Task[Answer]:
        left = asyncio.ensure_future(ask(llm))
        await asyncio.sleep(0)
        return left

    # as after a fork: the first loop is there, and nobody runs it any more
    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave())
    llm._limiter._root._pid = -1
    assert run_virtually(ask(llm)).value == {"value": 1.0}
    assert len(critic.requests) == 2
    left.cancel()
    loop.run_until_complete(asyncio.gather(left, return_exceptions=True))
    loop.close()


class SlowEmbeddings(ScriptedEmbeddings):
    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        await asyncio.sleep(0.1)
        return await super().embed(texts)


def test_equal_embeddings_in_flight_are_sent_once_and_metered() -> None:
    embeddings, meter = SlowEmbeddings({"a": [1.0, 0.0], "b": [0.0, 1.0]}), Meter()
    guard = GuardedEmbeddings(embeddings, limiter=Limiter(4), retry=Retry(), meter=meter)

    async def run() -> list[Any]:
        return await asyncio.gather(guard.embed(["a", "b"]), guard.embed(("a", "b")), guard.embed(["b"]))

    assert [list(map(list, vectors)) for vectors in run_virtually(run())] == [
        [[1.0, 0.0], [0.0, 1.0]],
        [[1.0, 0.0], [0.0, 1.0]],
        [[0.0, 1.0]],
    ]
    assert len(embeddings.requests) == 2
    assert meter.usage == Usage(calls=2)


def test_embeddings_that_fail_say_whose_fault_it_is() -> None:
    guard = GuardedEmbeddings(OwnLLM([[1.0], [2.0]]), limiter=Limiter(1), retry=Retry(), meter=Meter())
    with pytest.raises(ModelError, match="own gave 2 vectors for 1 texts") as caught:
        run_virtually(guard.embed(["a"]))
    assert caught.value.role == "embeddings"
