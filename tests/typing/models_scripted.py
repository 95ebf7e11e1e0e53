"""What mypy --strict must accept of the scripted models; never run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas import LLM, Answer, Embeddings, Message, ScriptedCritic, ScriptedEmbeddings


def say(messages: Sequence[Message], schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"statements": [messages[-1].content, str(schema["title"])]}


async def say_later(messages: Sequence[Message], schema: Mapping[str, Any]) -> Exception | Answer:
    return Answer(value={}) if messages else RuntimeError("nothing was asked")


critics: list[LLM] = [
    ScriptedCritic([{"statements": ["a"]}, '{"statements": []}', Answer(value={}), RuntimeError("broken")]),
    ScriptedCritic(say, name="judge", latency=0.2),
    ScriptedCritic(say_later),
    ScriptedCritic({"Statements": {"statements": []}, "Verdicts": [{"verdicts": []}]}),
]
embeddings: list[Embeddings] = [
    ScriptedEmbeddings({"Paris": [1.0, 0.0]}),
    ScriptedEmbeddings(lambda text: [float(len(text))]),
]
title: str = ScriptedCritic([]).requests[0].title
left: tuple[Any, ...] = ScriptedCritic([]).unused()
