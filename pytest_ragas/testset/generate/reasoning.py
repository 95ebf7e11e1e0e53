"""reasoning: a question whose answer must be inferred from a passage; it stands nowhere word for word."""

from __future__ import annotations

from pytest_ragas.protocols import QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate.evolve import evolve
from pytest_ragas.testset.generate.prompt import version_of


async def write(task: QuestionTask) -> QuestionDraft:
    """Two calls: a simple question, rewritten so that its answer takes an inference."""
    return (await evolve(task, "reasoning"))[1]


REASONING = QuestionType(
    name="reasoning",
    write=write,
    version=version_of("question", "reasoning"),
    summary="its answer must be inferred from one passage",
    requirement="The answer is not stated in the contexts as such: it takes an inference over what they state.",
    calls=2,
)
