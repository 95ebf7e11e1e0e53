"""Servers that do their worst to a budget: none gets more out of it than it holds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.session import Session
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings, Price, Settings
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample

PRICE = Price(input=2.0, output=8.0)


class Meanest:
    """Counts a token for each byte that it reads, writes as much as it pleases, and bills all of it.

    An answer is padded within its JSON; one that is longer than `max_tokens` is stopped there, as OpenAI's are.
    """

    def __init__(self, server: OpenAIServer, longest: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.longest = longest
        self.read = self.written = 0
        self.stopped = 0
        self.largest = 0
        self.dearest = 0.0
        server.complete = self

    def __call__(self, body: dict[str, Any], completion: dict[str, Any]) -> dict[str, Any]:
        read = sum(len(turn["content"].encode()) for turn in body["messages"])
        # most are short, some a hundred times as long
        wanted = int(min(self.longest, 20 * self.chance.paretovariate(0.6)))
        allowed = body.get("max_tokens")
        written = wanted if allowed is None else min(wanted, allowed)
        [choice] = completion["choices"]
        if written < wanted:
            self.stopped += 1
            choice["finish_reason"] = "length"
            choice["message"]["content"] = choice["message"]["content"][: len(choice["message"]["content"]) // 2]
        self.read += read
        self.written += written
        self.largest = max(self.largest, read + written)
        completion["usage"] = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return completion

    @property
    def tokens(self) -> int:
        return self.read + self.written

    @property
    def usd(self) -> float:
        return (self.read * PRICE.input + self.written * PRICE.output) / 1e6


def rows(count: int) -> list[Sample]:
    return [
        Sample(
            id=f"r{number}",
            user_input=f"What is series {number}?",
            response=f"Series {number} is blue. It weighs {number} tonnes.",
            retrieved_contexts=[f"Series {number} is blue.", f"Série {number} pèse {number} tonnes – 重い。"],
        )
        for number in range(count)
    ]


def judged(server: OpenAIServer, tmp_path: Path, count: int, **changes: Any) -> tuple[list[SampleResult], Session]:
    settings = Settings(
        critic_llm=ModelSettings(model_name="judge", api_base=server.url, api_key=Secret("sk-1")),
        cache="off",
        concurrency=16,
        prices={"judge": PRICE},
        cache_dir=str(tmp_path),
        **changes,
    )
    session = Session(settings, registry())
    try:
        evaluator = session.evaluator()
        plan = evaluator.plan(metrics=["faithfulness"], defaults=False)
        return [ticket.result() for ticket in [evaluator.submit(row, plan) for row in rows(count)]], session
    finally:
        session.close()


def kinds(results: list[SampleResult]) -> set[str]:
    return {failure.kind for result in results for failure in result.failures}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", ["tokens", "usd", "both"])
def test_no_budget_is_overspent_whatever_the_server_writes(
    openai_server: OpenAIServer, tmp_path: Path, limit: str, seed: int
) -> None:
    """The first answers are short, a later one may be a hundred times as long; a token is a byte."""
    chance = random.Random(seed)
    openai_server.latency = 0.002
    server = Meanest(openai_server, longest=20_000, seed=seed)
    tokens = chance.randrange(6_000, 120_000)
    usd = tokens * 4e-6
    changes = {"max_tokens": tokens if limit != "usd" else None, "max_usd": usd if limit != "tokens" else None}
    results, session = judged(openai_server, tmp_path, 40, **changes)
    if limit != "usd":
        assert server.tokens <= tokens
    if limit != "tokens":
        assert server.usd <= usd * 1.000001
    assert session.budget.spent.tokens == server.tokens
    assert session.budget.spent.usd == pytest.approx(server.usd)
    assert session.models()[0].usage.completion_tokens == server.written
    assert len(results) == 40
    assert kinds(results) <= {"not run", "structure"}


def test_a_budget_that_is_large_enough_stops_no_answer_twice(openai_server: OpenAIServer, tmp_path: Path) -> None:
    """A model that writes much (it reasons) is stopped once or twice, then has the room that it needs."""
    server = Meanest(openai_server, longest=9_000, seed=1)
    server.chance.paretovariate = lambda alpha: 1e9  # type: ignore[method-assign]  # always the longest
    results, _ = judged(openai_server, tmp_path, 10, max_tokens=50_000_000)
    assert [score.value for result in results for score in result.scores] == pytest.approx([0.5] * 10)
    assert server.stopped <= 20  # the statements of ten rows at once; then the verdicts, likewise


def test_an_answer_that_is_stopped_for_want_of_budget_is_not_run_and_says_so(
    openai_server: OpenAIServer, tmp_path: Path
) -> None:
    server = Meanest(openai_server, longest=9_000, seed=1)
    server.chance.paretovariate = lambda alpha: 1e9  # type: ignore[method-assign]
    results, _ = judged(openai_server, tmp_path, 1, max_tokens=3_000)
    [failure] = results[0].failures
    assert failure.kind == "not run"
    assert "what was left of the budget of the run had room for an answer of" in failure.error
    assert server.tokens <= 3_000
    assert len(openai_server.requests) == 1


def test_what_is_left_finishes_rows_and_does_not_begin_all(openai_server: OpenAIServer, tmp_path: Path) -> None:
    """Room for 20 requests, one after the other, and 40 rows of two: not the first halves of 20."""
    openai_server.latency = 0.002
    Meanest(openai_server, longest=1, seed=1)
    results, session = judged(openai_server, tmp_path, 40, max_tokens=28_000)
    calls = session.budget.spent.calls
    assert calls > 10
    # half of what could be, at least: on a slow machine some miss their head start
    assert sum(bool(result.scores) for result in results) >= calls // 4


def test_room_is_asked_for_only_where_a_budget_needs_it(openai_server: OpenAIServer, tmp_path: Path) -> None:
    judged(openai_server, tmp_path, 1)
    judged(openai_server, tmp_path, 1, max_calls=10)
    assert all("max_tokens" not in request.body for request in openai_server.requests)
    openai_server.reset()
    judged(openai_server, tmp_path, 1, max_usd=1.0)
    assert [request.body["max_tokens"] for request in openai_server.requests] == [4_096, 4_096]


@pytest.mark.parametrize(("most", "asked"), [(1_500, [4_096, 1_024]), (10, [4_096, 1_024, 256, 64])])
def test_a_model_that_has_room_for_less_is_asked_for_less(
    openai_server: OpenAIServer, tmp_path: Path, most: int, asked: list[int]
) -> None:
    """vLLM refuses what prompt and `max_tokens` exceed together; what is too long anyhow is said as ever."""
    openai_server.refuse = lambda body: (
        "This model's maximum context length is 2048 tokens. However, you requested 4600 tokens."
        if body["max_tokens"] > most
        else ""
    )
    results, _ = judged(openai_server, tmp_path, 1, max_tokens=100_000)
    assert [request.body["max_tokens"] for request in openai_server.requests][: len(asked)] == asked
    if most > 64:
        assert len(results[0].scores) == 1
    else:
        assert "retrieve fewer or shorter contexts" in results[0].failures[0].error
        assert len(openai_server.requests) == len(asked)


def test_what_was_paid_before_a_further_request_of_the_same_call_had_no_room_is_counted(
    openai_server: OpenAIServer, tmp_path: Path
) -> None:
    """The server takes the schema and does nothing about it: the next form would be the second request."""
    openai_server.ignores = {"json_schema"}
    server = Meanest(openai_server, longest=500, seed=1)
    results, session = judged(openai_server, tmp_path, 1, max_calls=1)
    assert kinds(results) == {"not run"}
    assert len(openai_server.requests) == 1
    [use] = session.models()
    assert (use.usage.calls, use.usage.prompt_tokens, use.usage.completion_tokens) == (1, server.read, server.written)
    assert session.budget.spent.calls == 1


def test_what_was_paid_before_a_call_was_cut_off_is_counted_without_a_budget(
    openai_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request of the call hangs until the call's time is up."""
    monkeypatch.setattr("pytest_ragas.scoring.retry.DEADLINE", 0.6)
    openai_server.ignores = {"json_schema"}
    server = Meanest(openai_server, longest=500, seed=1)
    openai_server.fault("hang", when=lambda body: body.get("response_format", {}).get("type") != "json_schema")
    settings_timeout = ModelSettings(model_name="judge", api_base=openai_server.url, timeout=0.2)
    session = Session(Settings(critic_llm=settings_timeout, cache="off", cache_dir=str(tmp_path)), registry())
    try:
        evaluator = session.evaluator()
        plan = evaluator.plan(metrics=["faithfulness"], defaults=False)
        assert evaluator.submit(rows(1)[0], plan).result().failures
    finally:
        session.close()
    [use] = session.models()
    assert use.usage.calls == len(openai_server.requests)
    assert use.usage.prompt_tokens == server.read > 0


def test_a_request_that_may_have_reached_the_model_is_paid_for(openai_server: OpenAIServer, tmp_path: Path) -> None:
    """A connection that breaks, a time-out: the model may have worked. A refusal and a dead port cost nothing."""
    openai_server.fault("drop", times=1)
    _, session = judged(openai_server, tmp_path, 1, max_tokens=100_000)
    paid = session.budget.spent.tokens - session.models()[0].usage.prompt_tokens
    assert paid > 1_024
    openai_server.reset()
    openai_server.fault("status", status=503, times=1)
    _, session = judged(openai_server, tmp_path, 1, max_tokens=100_000)
    usage = session.models()[0].usage
    assert session.budget.spent.tokens == usage.prompt_tokens + usage.completion_tokens
