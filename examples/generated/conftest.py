"""A generator LLM without a model, and the RAG under test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas import Message, ScriptedCritic

HANDBOOK = Path(__file__).parent.parent / "handbook_rag" / "handbook"


def write(messages: Sequence[Message], schema: Mapping[str, Any]) -> dict[str, str]:
    """The answer of an LLM that only turns sentences into questions: what it is asked is JSON, and so is its answer."""
    data = json.loads(messages[-1].content)
    if schema["title"] == "Asked":  # extractive: a sentence; the answer is the sentence itself
        return {"question": question(data["sentence"])}
    if schema["title"] == "Question":  # simple: a passage, and a sentence of it
        return {"question": question(data["focus"]), "answer": data["focus"]}
    if schema["title"] == "MultiContext":  # a simple question with its answer, and two passages
        other = sentences(data["contexts"][1])[0]
        clause = " ".join(other.split()[:4])
        return {
            "question": f"{data['question'].rstrip('?')}, and what of this: {clause}?",
            "answer": f"{data['answer']} {other}",
        }
    raise NotImplementedError(schema["title"])


def question(sentence: str) -> str:
    return f"Is it so that {sentence[0].lower()}{sentence[1:].rstrip('.')}?"


def sentences(passage: str) -> list[str]:
    text = re.sub(r"(?m)^#+ .*$", "", passage)
    return [" ".join(one.split()) for one in re.split(r"(?<=[.!?])\s+", text) if one.strip()]


@pytest.fixture(scope="session")
def ragas_generator_llm() -> ScriptedCritic:
    """Writes the testset where its file is missing.

    It takes no other fixture: while tests are collected there are none."""
    return ScriptedCritic(write, name="sentences-to-questions")


@pytest.fixture(scope="session")
def handbook() -> Callable[[str], dict[str, object]]:
    """The RAG: the five sections that share most words with the question, and the best sentence of each."""
    sections = [
        section
        for file in sorted(HANDBOOK.glob("*.md"))
        for section in re.split(r"(?m)^(?=## )", file.read_text(encoding="utf-8"))[1:]
    ]

    def words(text: str) -> set[str]:
        return set(re.findall(r"\w{3,}", text.casefold()))

    def ask(user_input: str) -> dict[str, object]:
        def shared(text: str) -> int:
            return len(words(text) & words(user_input))

        found = sorted(sections, key=shared, reverse=True)[:5]
        answer = [max(sentences(section), key=shared) for section in found[:2]]
        return {"response": " ".join(answer), "retrieved_contexts": found}

    return ask
