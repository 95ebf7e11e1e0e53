"""Critics that fail at random: nothing is lost, nothing is scored twice, the number of requests is known."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from scoring_clock import run_virtually
from scoring_fakes import Built, asking, guarded, sample

from pytest_ragas.errors import RejectedRequestError, StructureError, TransientModelError
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.scoring.engine import Engine
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.values.model import Message
from pytest_ragas.values.score import Score, ScoreFailure

SAMPLES = 500
METRICS = ("faithfulness", "answer_relevancy")
Results = Mapping[int, tuple[tuple[Score, ...], tuple[ScoreFailure, ...]]]


class Faulty:
    """Fails three of ten requests, in every way there is; counts what it was asked and what it answered."""

    def __init__(self, seed: int, *, rate: float = 0.3, waits: tuple[float | None, ...] = (None, 1.0)) -> None:
        self.dice = random.Random(seed)
        self.rate = rate
        self.waits = waits
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Message], schema: JSONSchema) -> Mapping[str, Any] | BaseException:
        request = messages[0].content
        self.asked[request] += 1
        if self.dice.random() < self.rate:
            error = self.dice.choice(
                (
                    TransientModelError("HTTP 429", status=429, retry_after=self.dice.choice(self.waits)),
                    TransientModelError("HTTP 500", status=500),
                    TransientModelError("dropped"),
                    StructureError("prose", raw="I think so"),
                    TimeoutError(),
                    RejectedRequestError("HTTP 400: content filter", status=400),
                )
            )
            self.rejected[request] += isinstance(error, RejectedRequestError)
            return error
        self.answered[request] += 1
        return {"value": value_of(request)}


def value_of(request: str) -> float:
    return random.Random(request).random()


def check(faulty: Faulty, results: Results, retry: Retry, meter: Meter) -> int:
    """Every sample has one thing of each metric: the score of its own answer, or a named failure. How many failed."""
    assert sorted(results) == list(range(SAMPLES))
    failed = 0
    for number, (scores, failures) in results.items():
        assert sorted(entry.metric for entry in (*scores, *failures)) == sorted(METRICS)
        for score in scores:
            request = f"{score.metric} row-{number} 0"
            assert score.value == value_of(request)
            assert faulty.answered[request] == 1
            assert faulty.asked[request] <= retry.attempts + retry.reasks
        for failure in failures:
            failed += 1
            request = f"{failure.metric} row-{number} 0"
            assert failure.sample_id == f"row-{number}"
            assert failure.error.startswith(f"{failure.metric} of row 'row-{number}' (testset.json row {number}): ")
            assert faulty.answered[request] == 0
            if failure.kind == "structure":
                assert failure.raw == "I think so"
                assert faulty.asked[request] > retry.reasks
            elif faulty.rejected[request]:
                assert "content filter" in failure.error
            else:
                assert f"gave no answer in {retry.attempts} attempts" in failure.error
                assert faulty.asked[request] >= retry.attempts
            assert failure.kind in ("critic", "structure")
    assert meter.usage.calls == sum(faulty.asked.values())
    assert meter.in_flight == 0
    return failed


@pytest.mark.parametrize("seed", range(3))
def test_random_faults_lose_nothing_and_score_nothing_twice(seed: int) -> None:
    faulty, retry, meter = Faulty(seed), Retry(seed=seed), Meter()
    llm = guarded(ScriptedCritic(faulty, latency=0.2), limit=16, retry=retry, meter=meter)
    metrics = [asking(name, llm) for name in METRICS]
    results = {}

    async def job(number: int) -> None:
        assert number not in results
        results[number] = await score_sample(sample(number), metrics)

    async def run() -> None:
        await asyncio.gather(*(job(number) for number in range(SAMPLES)))

    run_virtually(run())
    failed = check(faulty, results, retry, meter)
    # a rejection at once is one in twenty requests; nearly all else gets through
    assert 0.02 * SAMPLES * len(METRICS) < failed < 0.12 * SAMPLES * len(METRICS)


def test_the_same_through_the_engine() -> None:
    faulty, retry, meter = Faulty(7, waits=(None,)), Retry(base=0.0), Meter()
    llm = guarded(ScriptedCritic(faulty), limit=64, retry=retry, meter=meter)
    metrics = [asking(name, llm) for name in METRICS]
    engine = Engine(concurrency=64)
    try:
        futures = {
            number: engine.submit(lambda number=number: score_sample(sample(number), metrics), order=number)  # type: ignore[misc]
            for number in range(SAMPLES)
        }
        results = {number: engine.wait(future) for number, future in futures.items()}
    finally:
        engine.close()
    assert check(faulty, results, retry, meter) > 0


def busy(status: int | None = 500) -> TransientModelError:
    return TransientModelError(f"HTTP {status}", status=status)


def wrong() -> StructureError:
    return StructureError("prose", raw="prose")


def rejected() -> RejectedRequestError:
    return RejectedRequestError("HTTP 401: wrong key", status=401)


RIGHT = {"value": 0.5}


@pytest.mark.parametrize(
    ("script", "kind", "requests"),
    [
        ([RIGHT], None, 1),
        ([busy(408), busy(409), busy(425), RIGHT], None, 4),
        ([busy(429), busy(503), busy(None), RIGHT], None, 4),
        ([TimeoutError(), ConnectionResetError(), RIGHT], None, 3),
        ([busy()] * 5 + [RIGHT], None, 6),
        ([busy()] * 6, "critic", 6),
        ([wrong(), RIGHT], None, 2),
        ([wrong(), wrong(), RIGHT], None, 3),
        ([wrong()] * 3, "structure", 3),
        ([{"verdict": 1}] * 3, "structure", 3),
        ([rejected()], "critic", 1),
        ([busy(), rejected()], "critic", 2),
        ([busy(), wrong(), busy(), wrong(), RIGHT], None, 5),
        ([busy(), wrong(), busy(), wrong(), busy(), wrong()], "structure", 6),
        ([wrong(), wrong(), *[busy()] * 6], "critic", 8),
    ],
)
def test_a_sequence_of_faults_costs_an_exact_number_of_requests(
    script: list[Any], kind: str | None, requests: int
) -> None:
    critic, meter = ScriptedCritic(script), Meter()
    metric: Built = asking("faithfulness", guarded(critic, meter=meter))
    scores, failures = run_virtually(score_sample(sample(1), [metric]))
    assert [failure.kind for failure in failures] == ([kind] if kind else [])
    assert [score.value for score in scores] == ([] if kind else [0.5])
    assert len(critic.requests) == requests
    assert critic.unused() == ()
    assert meter.usage.calls == requests


@pytest.mark.parametrize("seed", range(5))
def test_a_storm_of_cancellations_among_equal_requests_loses_nobody_elses_score(seed: int) -> None:
    """Every third sample asks what others ask too; a third of the jobs is cancelled at random moments."""
    dice, meter = random.Random(seed), Meter()
    critic = ScriptedCritic(lambda messages, schema: {"value": 1.0}, latency=0.2)
    llm = guarded(critic, limit=4, meter=meter)

    async def shared(row: Any) -> Score:
        number = int(row.id.removeprefix("row-"))
        for step in range(3):
            message = Message(role="user", content=f"{number // 3} {step}")
            await llm.ask([message], {"type": "object"})
        return Score(metric="m", value=1.0)

    async def run() -> list[Any]:
        tasks = [asyncio.ensure_future(score_sample(sample(number), [Built("m", shared)])) for number in range(150)]
        doomed = dice.sample(range(150), 50)
        for number in doomed:
            asyncio.get_running_loop().call_later(dice.random() * 8, tasks[number].cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for number, result in enumerate(results):
            if isinstance(result, BaseException):
                assert isinstance(result, asyncio.CancelledError)
                assert number in doomed
            else:
                assert result == ((Score(metric="m", value=1.0),), ())
        return results

    results = run_virtually(run())
    assert any(isinstance(result, BaseException) for result in results)
    assert critic.peak <= 4
    assert meter.in_flight == 0
    assert meter.usage.calls == len(critic.requests)
