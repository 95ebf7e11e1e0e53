"""Budgets on the wire: not one request more, where one question takes several of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.errors import BudgetError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.session import Session
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.model import Answer, Message

SCHEMA = {"title": "Value", "type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}


@pytest.fixture
def settings(openai_server: OpenAIServer) -> Settings:
    """A server that takes no schema, as the client finds out in two requests, and vectors two at a time."""
    openai_server.modes = {"json_object", "text"}
    openai_server.brain = lambda request: {"value": 1.0}
    return Settings(
        critic_llm=ModelSettings(model_name="judge", api_base=openai_server.url),
        embeddings=ModelSettings(model_name="emb", api_base=openai_server.url, options={"batch_size": 2}),
        cache="off",
    )


def on_engine(settings: Settings, work: Callable[[Any, Any], Coroutine[Any, Any, Any]]) -> tuple[Any, Session]:
    """What the work gives, or the budget's error."""
    session = Session(settings, registry())
    evaluator = session.evaluator()
    try:
        work_now = work(evaluator.critic, evaluator.embeddings)
        return session.engine.wait(session.engine.submit(lambda: work_now, order=0)), session
    except BudgetError as error:
        return error, session
    finally:
        session.close()


async def ask(critic: Any, embeddings: Any) -> Any:
    return await critic.ask([Message(role="user", content="How much?")], SCHEMA)


async def embed(critic: Any, embeddings: Any) -> Any:
    return await embeddings.embed(["one", "two", "three", "four", "five"])


def test_finding_out_how_a_server_takes_a_schema_is_paid_request_by_request(
    settings: Settings, openai_server: OpenAIServer
) -> None:
    answer, session = on_engine(replace(settings, max_calls=20), ask)
    assert isinstance(answer, Answer)
    needed = len(openai_server.chats)
    assert needed > 1
    assert session.budget.spent.calls == needed


@pytest.mark.parametrize("calls", [0, 1])
def test_what_has_no_room_while_finding_out_is_not_sent(
    settings: Settings, openai_server: OpenAIServer, calls: int
) -> None:
    answer, session = on_engine(replace(settings, max_calls=calls), ask)
    assert isinstance(answer, BudgetError)
    assert len(openai_server.chats) == session.budget.spent.calls == calls


@pytest.mark.parametrize("calls", [1, 2])
def test_batches_of_texts_are_paid_one_by_one(settings: Settings, openai_server: OpenAIServer, calls: int) -> None:
    vectors, session = on_engine(replace(settings, max_calls=3), embed)
    assert len(vectors) == 5
    assert (session.budget.spent.calls, session.budget.spent.tokens) == (3, 5)
    openai_server.reset()
    vectors, session = on_engine(replace(settings, max_calls=calls), embed)
    assert isinstance(vectors, BudgetError)
    assert len(openai_server.embeddings) == session.budget.spent.calls == calls
    assert session.budget.spent.tokens == 2 * calls  # those that were answered are paid for


def test_a_further_request_is_none_after_the_time_of_the_run(settings: Settings, openai_server: OpenAIServer) -> None:
    openai_server.latency = 0.6
    vectors, _ = on_engine(replace(settings, max_seconds=0.9), embed)
    assert isinstance(vectors, BudgetError)
    assert len(openai_server.embeddings) <= 2
