"""Candidates judged by their wording: who judges when, what is rejected, and what it does not judge."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from generate_made import Project, settings_of
from openai_server.server import OpenAIServer

from pytest_ragas.errors import ConfigurationError, GenerationError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.protocols import QuestionDraft
from pytest_ragas.session.generation import generation_models
from pytest_ragas.session.session import Session
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.testset.generate import quality
from pytest_ragas.testset.generate.wording import WordingCritic

EMBEDDED = {"critic_llm": ModelSettings(model_name_or_path="embedded")}
ASKED_FOR = {**EMBEDDED, "origin": {"critic_llm": "pyproject.toml"}}

ASKS = "When does the office in Lund open?"
OPENS = "The office in Lund opens at 08:30."
OPENING = "The office in Lund opens at 08:30 on working days and closes at 18:00 in the evening."
PARCELS = "The reception takes parcels until 17:00 every day. Parcels for Erik Holm wait in room 204."


def judge_of(server: OpenAIServer, folder: Any, **changes: Any) -> object:
    session = Session(settings_of(server, folder, **changes), registry())
    try:
        return generation_models(session).critic
    finally:
        session.close()


def test_who_judges(project: Project) -> None:
    def judge(**changes: Any) -> object:
        return judge_of(project.server, project.folder, **changes)

    assert judge().identity.name == "critic"
    assert judge(**EMBEDDED).identity.name == "author", "nobody is configured: the generator judges itself"
    assert isinstance(judge(**ASKED_FOR), WordingCritic)
    smollm2 = ModelSettings(model_name_or_path="smollm2")
    assert isinstance(judge(**EMBEDDED, generator_llm=smollm2), WordingCritic)
    assert judge(generator_llm=smollm2).identity.name == "critic"
    assert judge(critic_llm=smollm2).identity.name == "smollm2", "whoever is named judges"


@pytest.mark.parametrize(
    ("question", "answer", "contexts", "why"),
    [
        (ASKS, OPENS, [OPENING], ""),
        ("When does it open according to the text?", OPENS, [OPENING], quality.NOT_SELF_CONTAINED),
        ("What does this table say of the office?", OPENS, [OPENING], quality.NOT_SELF_CONTAINED),
        ("Who won the most super bowls?", OPENS, [OPENING], quality.UNANSWERED),
        (ASKS, "Dogs may not be brought along.", [OPENING], quality.UNSUPPORTED),
        (ASKS, f"{OPENS} Dogs may come.", [OPENING], quality.UNSUPPORTED),
        (ASKS, "Yes.", [OPENING], quality.UNSUPPORTED),
        (
            "Until when does the reception of the office in Lund take parcels?",
            "The office in Lund opens at 08:30. The reception takes parcels until 17:00.",
            [OPENING, PARCELS],
            "",
        ),
        (
            "Until when does the reception take parcels?",
            "The reception takes parcels until 17:00 every day.",
            [OPENING, PARCELS],
            quality.ONE_IS_ENOUGH,
        ),
    ],
)  # fmt: skip
def test_what_is_rejected(project: Project, question: str, answer: str, contexts: list[str], why: str) -> None:
    judge = judge_of(project.server, project.folder, **ASKED_FOR)
    assert isinstance(judge, WordingCritic)
    assert asyncio.run(judge.judge(QuestionDraft(question=question, answer=answer), contexts)) == why


@pytest.mark.parametrize("kind", ["simple", "multi_context", "extractive"])
def test_rows_are_made_without_a_call_to_a_critic(project: Project, kind: str) -> None:
    project.changes = ASKED_FOR
    made = project.generate(test_size=4, distribution={kind: 1.0}, attempts=10)
    assert len(made.rows) == 4
    assert {request.body["model"] for request in project.server.chats} == {"author"}
    written = {"multi_context": 2}.get(kind, 1)
    assert len(project.server.chats) <= written * made.report.candidates


@pytest.mark.parametrize(
    ("recipe", "what"),
    [
        ({"distribution": {"simple": 0.5, "reasoning": 0.5}}, "reasoning"),
        ({"distribution": {"unanswerable": 0.5, "conversational": 0.5}}, "unanswerable, conversational"),
        ({"distribution": {"simple": 1.0}, "language": "German"}, "language='German'"),
    ],
)
def test_what_takes_more_than_words_is_refused_before_any_call(project: Project, recipe: Any, what: str) -> None:
    project.changes = ASKED_FOR
    with pytest.raises(ConfigurationError, match=rf"cannot judge {what} of .*critic_llm"):
        project.generate(test_size=4, **recipe)
    assert not project.server.requests
    if "language" not in recipe:  # a type of which there is no row needs no judge
        assert len(project.generate(test_size=1, distribution={"simple": 0.9, "reasoning": 0.1}).rows) == 1


def test_what_is_rejected_is_counted(project: Project) -> None:
    project.changes = ASKED_FOR
    project.server.brain = lambda request: {"question": "Who won the most super bowls?"}
    with pytest.raises(
        GenerationError, match="extractive: 2 of 2 missing; rejected: 6 not answerable from its contexts"
    ):
        project.generate(test_size=2, distribution={"extractive": 1.0}, attempts=3)


def test_an_extractive_row_is_answered_by_a_sentence_of_its_passage(project: Project) -> None:
    made = project.generate(test_size=6, distribution={"extractive": 1.0})
    for row in made.rows:
        [context] = row.reference_contexts
        assert row.reference in " ".join(context.split())
        assert row.tags == ("extractive",)
