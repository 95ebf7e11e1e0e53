"""One step of evolution: a question becomes another one, of another kind.

Source:
    The manner of Evol-Instruct, Xu et al. 2023, arXiv:2304.12244: a simple instruction is rewritten by an LLM into
    a harder one, and a judge throws away what did not become harder. The steps and prompts are ours.
"""

from __future__ import annotations

from typing import Any

from pytest_ragas.protocols import QuestionDraft, QuestionTask
from pytest_ragas.testset.generate import simple
from pytest_ragas.testset.generate.prompt import write_pair

_TITLES = {"reasoning": "Reasoning", "multi_context": "MultiContext", "conversational": "FollowUp"}
"""Prompt -> name of the structure that it asks for."""


async def evolve(task: QuestionTask, step: str) -> tuple[QuestionDraft, QuestionDraft]:
    """Two calls, one after the other: a simple question, unless the task has one, and what the prompt makes of it.

    Returns:
        The simple question, and the evolved one.

    Raises:
        ModelError: The generator LLM did not answer, or not in the structure.
    """
    seed = task.seed or await simple.write(task)
    data: dict[str, Any] = {
        "language": task.language,
        "contexts": [chunk.text for chunk in task.chunks],
        "question": seed.question,
        "answer": seed.answer,
    }
    return seed, await write_pair(task.llm, step, _TITLES[step], data)
