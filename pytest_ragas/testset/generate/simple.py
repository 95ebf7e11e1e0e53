"""simple: a question that one passage answers. The others are evolved from it."""

from __future__ import annotations

from typing import Any

from pytest_ragas.protocols import QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate.prompt import version_of, write_pair


async def write(task: QuestionTask) -> QuestionDraft:
    """One call: a question about the focus, and its answer."""
    data: dict[str, Any] = {"language": task.language, "context": task.chunks[0].text, "focus": task.focus}
    return await write_pair(task.llm, "question", "Question", data)


SIMPLE = QuestionType(
    name="simple",
    write=write,
    version=version_of("question"),
    summary="one passage answers it",
    calls=1,
)
