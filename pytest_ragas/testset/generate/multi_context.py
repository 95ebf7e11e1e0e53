"""multi_context: a question that needs two related passages; neither answers it alone."""

from __future__ import annotations

from pytest_ragas.protocols import QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate.evolve import evolve
from pytest_ragas.testset.generate.prompt import version_of


async def write(task: QuestionTask) -> QuestionDraft:
    """Two calls: a simple question on the first passage, rewritten so that it needs the second one too."""
    return (await evolve(task, "multi_context"))[1]


MULTI_CONTEXT = QuestionType(
    name="multi_context",
    write=write,
    version=version_of("question", "multi_context", "alone"),
    summary="needs two related passages; neither answers it alone",
    chunks=2,
    calls=2,
    evolves=True,
)
