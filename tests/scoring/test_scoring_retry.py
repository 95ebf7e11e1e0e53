"""The one retry layer: exact numbers of requests, on a clock that never differs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from scoring_clock import run_virtually

from pytest_ragas.errors import (
    ConfigurationError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.retry import RAW_SHOWN, Retry, correction
from pytest_ragas.values.model import Answer, Message

QUESTION = (Message(role="user", content="Is it supported?"),)
STATUSES = [408, 409, 425, 429, 500, 502, 503, 504, None]


class Server:
    """Answers from a list, one entry a request; an exception is raised, a number is slept for."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.conversations: list[tuple[Message, ...]] = []
        self.times: list[float] = []

    @property
    def requests(self) -> int:
        return len(self.times)

    async def ask(self, messages: Sequence[Message] = ()) -> Answer:
        self.conversations.append(tuple(messages))
        self.times.append(asyncio.get_running_loop().time())
        said = self.script.pop(0)
        if isinstance(said, BaseException):
            raise said
        if isinstance(said, float):
            await asyncio.sleep(said)
        return Answer(value="answer")


def ask(server: Server, retry: Retry | None = None, limiter: Limiter | None = None) -> Answer:
    policy = retry or Retry(seed=1)
    return run_virtually(policy.ask(server.ask, QUESTION, limiter=limiter or Limiter(4), model="critic"))


def failing(status: int | None = 500, retry_after: float | None = None) -> TransientModelError:
    return TransientModelError(f"HTTP {status}", status=status, retry_after=retry_after)


def wrong(text: str = "prose") -> StructureError:
    return StructureError("no JSON in it", raw=text)


@pytest.mark.parametrize("status", STATUSES)
def test_what_may_pass_is_sent_again_until_it_is_answered(status: int | None) -> None:
    server = Server(failing(status), failing(status), 0.0)
    assert ask(server).value == "answer"
    assert server.requests == 3


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("attempts", [1, 2, 6])
def test_a_call_that_never_gets_an_answer_says_how_often_and_why(status: int | None, attempts: int) -> None:
    server = Server(*(failing(status) for _ in range(20)))
    with pytest.raises(TransientModelError) as caught:
        ask(server, Retry(seed=1, attempts=attempts))
    assert server.requests == attempts
    assert f"critic gave no answer in {attempts} attempt{'s' if attempts > 1 else ''} over " in str(caught.value)
    assert str(caught.value).endswith(f"Last error: HTTP {status}")
    assert caught.value.status == status


@pytest.mark.parametrize(
    "error",
    [
        RejectedRequestError("401", status=401),
        ConfigurationError("no key"),
        ModelError("ran dry"),
        StructureError("cut short", final=True),
        ZeroDivisionError("a bug"),
    ],
)
def test_what_cannot_pass_is_sent_once_and_raised_as_it_is(error: Exception) -> None:
    server = Server(error)
    with pytest.raises(type(error)) as caught:
        ask(server)
    assert caught.value is error
    assert server.requests == 1


def test_pauses_double_up_to_a_cap_and_are_jittered_over_their_whole_length() -> None:
    retry = Retry(base=1.0, cap=10.0, seed=5)
    for failed, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (5_000, 10.0)):
        pauses = [retry.pause(failed) for _ in range(500)]
        assert 0.0 <= min(pauses) < 0.1 * longest
        assert 0.9 * longest < max(pauses) <= longest


def test_a_seed_makes_the_pauses_the_same() -> None:
    first, second = Server(*[failing()] * 5, 0.0), Server(*[failing()] * 5, 0.0)
    ask(first, Retry(seed=3))
    ask(second, Retry(seed=3))
    assert first.times == second.times


def test_retry_after_is_waited_for() -> None:
    server = Server(failing(429, retry_after=30.0), failing(503, retry_after=0.0), 0.0)
    ask(server)
    assert 30.0 <= server.times[1] <= 30.5
    assert server.times[2] - server.times[1] <= 0.5 + 30.5


def test_a_server_that_asks_to_wait_too_long_is_not_asked_again() -> None:
    server = Server(failing(429, retry_after=3600.0), 0.0)
    with pytest.raises(TransientModelError, match=r"it asks to wait 3600 s; we wait 120 s at most") as caught:
        ask(server)
    assert server.requests == 1
    assert caught.value.retry_after == 3600.0


def test_a_request_that_hangs_is_cut_off_at_the_deadline() -> None:
    server = Server(1e9)
    with pytest.raises(TransientModelError, match=r"1 attempt over 60\.0 s\. Last error: no answer within the 60 s"):
        ask(server, Retry(deadline=60))
    assert server.requests == 1


def test_pauses_count_against_the_deadline() -> None:
    server = Server(*[failing(429, retry_after=25.0)] * 9)
    with pytest.raises(TransientModelError, match=r"HTTP 429 \(a call may take 60 s\)"):
        ask(server, Retry(deadline=60, attempts=99, seed=1))
    assert server.requests == 3


def test_waiting_for_a_slot_does_not_count_against_the_deadline() -> None:
    limiter, retry = Limiter(1), Retry(deadline=60, seed=1)
    server = Server(50.0, failing(), 50.0, 50.0, 50.0)

    async def run() -> list[Answer]:
        asks = [retry.ask(server.ask, QUESTION, limiter=limiter, model="critic") for _ in range(4)]
        return await asyncio.gather(*asks)

    assert len(run_virtually(run())) == 4
    assert server.requests == limiter.stats().calls == 5
    assert limiter.stats().peak == 1


def test_the_slot_is_free_during_a_pause() -> None:
    limiter, retry = Limiter(1), Retry(base=8.0, seed=1)
    failing_one, other = Server(failing(), 0.0), Server(1.0, 1.0)

    async def run() -> None:
        first = asyncio.ensure_future(retry.ask(failing_one.ask, QUESTION, limiter=limiter, model="critic"))
        await asyncio.sleep(0)
        await retry.ask(other.ask, QUESTION, limiter=limiter, model="critic")
        assert not first.done()
        await first

    run_virtually(run())
    assert other.times == [0.0]
    assert failing_one.times[1] > 1.0


@pytest.mark.parametrize("wrongs", [1, 2])
def test_a_wrong_structure_is_asked_again_with_what_is_wrong(wrongs: int) -> None:
    server = Server(*[wrong("I think so.")] * wrongs, 0.0)
    assert ask(server).value == "answer"
    assert server.requests == wrongs + 1
    assert server.conversations[0] == QUESTION
    last = server.conversations[-1]
    assert last[:1] == QUESTION
    assert last[1] == Message(role="assistant", content="I think so.")
    assert last[2].role == "user"
    assert "no JSON in it" in last[2].content
    assert len(last) == 3


def test_a_structure_that_never_comes_is_given_up_after_two_more_questions() -> None:
    server = Server(wrong("1"), wrong("2"), wrong("3"), 0.0)
    with pytest.raises(StructureError) as caught:
        ask(server)
    assert server.requests == 3
    assert str(caught.value) == (
        "critic never answered in the structure that was asked for (3 answers). The last one: no JSON in it"
    )
    assert caught.value.raw == "3"


def test_an_empty_answer_is_not_shown_back_and_a_long_one_is_cut() -> None:
    assert [message.role for message in correction(wrong("  "))] == ["user"]
    assert len(correction(wrong("x" * 99_999))[0].content) == RAW_SHOWN


def test_attempts_and_questions_have_one_budget_each() -> None:
    server = Server(failing(), wrong(), failing(), failing(), wrong(), failing(), failing(), 0.0)
    assert ask(server, Retry(attempts=6, seed=1)).value == "answer"
    assert server.requests == 8  # attempts - 1 without an answer, reasks wrong ones, the right one

    server = Server(*[failing(), wrong()] * 2, *[failing()] * 9)
    with pytest.raises(TransientModelError, match="6 attempts"):
        ask(server, Retry(attempts=6, seed=1))
    assert server.requests == 8


def test_cancelling_during_a_request_is_no_deadline() -> None:
    server, limiter = Server(60.0), Limiter(4)

    async def run() -> None:
        task = asyncio.ensure_future(Retry().ask(server.ask, QUESTION, limiter=limiter, model="critic"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(run())
    assert limiter.stats().in_flight == 0


def test_cancelling_during_a_pause_ends_the_call() -> None:
    server, limiter = Server(failing(429, retry_after=60.0), 0.0), Limiter(4)

    async def run() -> None:
        task = asyncio.ensure_future(Retry().ask(server.ask, QUESTION, limiter=limiter, model="critic"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(run())
    assert server.requests == 1
    assert limiter.stats().in_flight == 0


@pytest.mark.parametrize("options", [{"attempts": 0}, {"reasks": -1}, {"base": -1.0}, {"cap": -1.0}, {"deadline": 0.0}])
def test_a_policy_that_cannot_be_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))}={next(iter(options.values()))}"):
        Retry(**options)  # type: ignore[arg-type]
