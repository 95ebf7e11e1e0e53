"""conversational: a follow-up that only the conversation before it makes clear."""

from __future__ import annotations

from dataclasses import replace

from pytest_ragas.protocols import QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate.evolve import evolve
from pytest_ragas.testset.generate.prompt import version_of


async def write(task: QuestionTask) -> QuestionDraft:
    """Two calls: a simple question with its answer as the first turn, and the follow-up."""
    first, follow_up = await evolve(task, "conversational")
    return replace(follow_up, history=((first.question, first.answer),))


CONVERSATIONAL = QuestionType(
    name="conversational",
    write=write,
    version=version_of("question", "conversational"),
    summary="a follow-up that only the turn before it makes clear",
    requirement="The last question of the conversation cannot be understood without the turns before it.",
    calls=2,
)
