"""`Session.generating`: the generator LLM, limited, metered, paid for and stored like the critic LLM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.errors import BudgetError, MissingJudgementError, RejectedRequestError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.session import Session
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.model import Answer, Message, Usage

SCHEMA = {"title": "Question", "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


def settings(server: OpenAIServer, folder: Path, **changes: Any) -> Settings:
    server.brain = lambda request: {"text": f"about {request['messages'][-1]['content']}"}
    critic = ModelSettings(model_name="judge", api_base=server.url)
    generator = ModelSettings(model_name="writer", api_base=server.url, structure="json_schema")
    return replace(Settings(critic_llm=critic, generator_llm=generator, cache_dir=str(folder / "cache")), **changes)


@pytest.fixture
def ask() -> Callable[..., Answer]:
    def ask(session: Session, text: str = "leave") -> Answer:
        """One question of the generator LLM, on the engine, as the generation of testsets asks."""
        llm: Any = session.generating()

        async def work() -> Answer:
            return await llm.ask([Message(role="user", content=text)], SCHEMA)  # type: ignore[no-any-return]

        return session.engine.wait(session.engine.submit(work, order=0))

    return ask


def test_it_is_one_model_with_its_own_role(openai_server: OpenAIServer, tmp_path: Path, ask) -> None:
    session = Session(settings(openai_server, tmp_path), registry())
    try:
        assert session.generator() is session.generator()
        assert session.generating() is session.generating()
        assert ask(session).value == {"text": "about leave"}
        [use] = session.models()
        assert (use.role, use.identity.name, use.usage.calls) == ("generator LLM", "writer", 1)
        assert use.usage.prompt_tokens
    finally:
        session.close()


def test_what_it_wrote_is_stored_and_replayed_without_a_call(openai_server: OpenAIServer, tmp_path: Path, ask) -> None:
    for _ in range(2):
        session = Session(settings(openai_server, tmp_path), registry())
        assert ask(session).value == {"text": "about leave"}
        session.close()
    assert len(openai_server.requests) == 1
    assert [use.usage for use in session.models()] == [Usage()]  # it took part, and cost nothing
    session = Session(settings(openai_server, tmp_path, cache="replay"), registry())
    assert ask(session).value == {"text": "about leave"}
    with pytest.raises(MissingJudgementError) as caught:
        ask(session, "travel")
    assert caught.value.role == "generator LLM"
    session.close()
    assert len(openai_server.requests) == 1


def test_it_is_retried_and_paid_from_the_budget(openai_server: OpenAIServer, tmp_path: Path, ask) -> None:
    openai_server.fault("status", status=503, times=1)
    session = Session(settings(openai_server, tmp_path, max_calls=2), registry())
    try:
        assert ask(session).value == {"text": "about leave"}
        with pytest.raises(BudgetError):
            ask(session, "travel")
    finally:
        session.close()
    assert len(openai_server.requests) == 2


def test_its_errors_say_which_model_it_was(openai_server: OpenAIServer, tmp_path: Path, ask) -> None:
    openai_server.api_key = "sk-right"
    session = Session(settings(openai_server, tmp_path), registry())
    try:
        with pytest.raises(RejectedRequestError) as caught:
            ask(session)
        assert caught.value.role == "generator LLM"
    finally:
        session.close()


def test_without_one_the_critic_llm_writes_and_its_roles_are_told_apart(
    openai_server: OpenAIServer, tmp_path: Path, ask
) -> None:
    session = Session(settings(openai_server, tmp_path, generator_llm=None), registry())
    session.evaluator()
    try:
        assert session.generator() is session.critic()
        ask(session)
        assert [(use.role, use.identity.name) for use in session.models()] == [("generator LLM", "judge")]
    finally:
        session.close()  # one client in two roles is closed once
