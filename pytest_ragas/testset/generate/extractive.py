"""extractive: a question whose answer is a sentence of one passage, word for word. Small LLMs can write it, too.

An LLM of 135M parameters loses the thread of a passage, and of its own answer. Here it reads a single sentence and
writes a single one; that the answer is right is not its business.
"""

from __future__ import annotations

from typing import Any

from pytest_ragas.protocols import QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate.prompt import TEXT, prompt, read_text, structure, version_of

_ASKED = structure("Asked", question=TEXT)


async def write(task: QuestionTask) -> QuestionDraft:
    """One call: the question that the focus answers."""
    about = ", ".join(task.chunks[0].headings)
    data: dict[str, Any] = {"language": task.language, "about": about, "sentence": task.focus}
    answer = await prompt("extractive").ask(task.llm, data, _ASKED)
    return QuestionDraft(question=read_text(answer, "question"), answer=task.focus)


EXTRACTIVE = QuestionType(
    name="extractive",
    write=write,
    version=version_of("extractive"),
    summary="one passage answers it, by a sentence of its own, word for word; small LLMs write it, too",
    calls=1,
)
