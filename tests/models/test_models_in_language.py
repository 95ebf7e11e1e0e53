"""`reason_language`: what the critic LLM is told, and that nothing else changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pytest_ragas.models.in_language import InLanguage
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.protocols import LLM
from pytest_ragas.values.model import Message

SCHEMA = {"title": "Verdict", "type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]}


@pytest.mark.parametrize(
    "asked",
    [
        [Message(role="system", content="Judge."), Message(role="user", content="{}")],
        [Message(role="user", content="{}")],
    ],
    ids=["native", "ragas"],
)
def test_the_instructions_end_with_the_language(asked: list[Message]) -> None:
    critic = ScriptedCritic({"Verdict": {"reason": "weil"}})
    told = InLanguage(critic, "German")
    assert isinstance(told, LLM)
    assert asyncio.run(told.ask(asked, SCHEMA)).value == {"reason": "weil"}
    system, user = critic.requests[0].messages
    assert "Write every reason, explanation and justification in German." in system.content
    assert system.content.startswith("Judge." if len(asked) == 2 else "Write")
    assert user == asked[-1]


def test_it_is_another_critic_than_one_that_was_told_nothing() -> None:
    critic = ScriptedCritic({})
    identities = {critic.identity, InLanguage(critic, "German").identity, InLanguage(critic, "French").identity}
    assert len(identities) == 3
    assert {(identity.provider, identity.name) for identity in identities} == {("scripted", "scripted")}


def test_the_language_of_a_task_dict_reaches_the_critic(
    openai_server: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the wire; and what is stored is what was asked."""
    from pytest_ragas import run_task

    monkeypatch.chdir(tmp_path)
    (tmp_path / "testset.json").write_text(
        '[{"user_input": "Where is it?", "response": "It is in Lund.", "retrieved_contexts": ["It is in Lund."]}]',
        encoding="utf-8",
    )
    llm = {"model_name": "critic", "api_base": openai_server.url, "structure": "json_schema"}
    part = {"testset_file": "testset.json", "critic_llm": llm, "metrics": ["faithfulness"], "language": "german"}
    task = {"eval_backend": "RAGEval", "eval_config": {"tool": "RAGAS", "eval": part}}
    assert run_task(task)["faithfulness"] == 1.0
    said = [request.body["messages"][0] for request in openai_server.chats]
    assert len(said) == 2
    assert all(message["role"] == "system" for message in said)
    assert all("justification in german. " in message["content"] for message in said)
    run_task(task)
    assert len(openai_server.chats) == 2, "stored under what was asked"
    part["language"] = "french"
    run_task(task)
    assert len(openai_server.chats) == 4, "another language is asked for anew"
