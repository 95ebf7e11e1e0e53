"""unanswerable: a question that suits the documents and that they do not answer; the right answer is to say so."""

from __future__ import annotations

from typing import Any

from pytest_ragas.protocols import QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate.prompt import version_of, write_pair


async def write(task: QuestionTask) -> QuestionDraft:
    """One call: a question near the focus that the passage leaves open, and the words that decline."""
    data: dict[str, Any] = {"language": task.language, "context": task.chunks[0].text, "focus": task.focus}
    return await write_pair(task.llm, "unanswerable", "Unanswerable", data)


UNANSWERABLE = QuestionType(
    name="unanswerable",
    write=write,
    version=version_of("unanswerable"),
    summary="the documents do not say; the right answer is to decline",
    requirement="The answer says that the information is not available, and gives no other answer.",
    answerable=False,
    calls=1,
)
