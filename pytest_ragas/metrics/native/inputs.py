"""What a sample gives to a metric: never empty, or there is nothing to judge."""

from __future__ import annotations

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.requirements import row_of
from pytest_ragas.values.sample import Sample

_MEND = {
    "response": "See why the RAG answered nothing; a row that it should decline needs a test of its own.",
    "retrieved_contexts": "See why the RAG retrieved nothing, or judge the row with metrics that need no contexts.",
    "reference": "Write the right answer into the testset, or judge the row with metrics that need no reference.",
    "user_input": "Write the question into the testset.",
}


def text_of(sample: Sample, field: str, metric: str) -> str:
    """A text of the sample.

    Args:
        sample: The row.
        field: "user_input", "response" or "reference".
        metric: Who asks, for the message.

    Raises:
        NothingToJudgeError: It is absent, empty or blank.
    """
    value = getattr(sample, field)
    if not isinstance(value, str) or not value.strip():
        raise nothing_in(sample, field, metric)
    return value


def contexts_of(sample: Sample, metric: str) -> list[str]:
    """The retrieved contexts, best first; some may be blank, not all.

    Raises:
        NothingToJudgeError: There are none, or all are blank.
    """
    contexts = list(sample.retrieved_contexts or ())
    if not any(context.strip() for context in contexts):
        raise nothing_in(sample, "retrieved_contexts", metric)
    return contexts


def nothing_in(sample: Sample, field: str, metric: str) -> NothingToJudgeError:
    """The error for a field that is there, but holds nothing."""
    state = "are" if field.endswith("s") else "is"
    return NothingToJudgeError(f"{metric} of {row_of(sample)}: the {field} {state} empty. {_MEND[field]}")


def nothing_found(sample: Sample, what: str, field: str, metric: str) -> NothingToJudgeError:
    """The error for a text in which the critic found nothing to judge.

    Args:
        sample: The row.
        what: What was looked for: "statement", "claim", "entity".
        field: Where: "response" or "reference".
        metric: Who asked.
    """
    return NothingToJudgeError(
        f"{metric} of {row_of(sample)}: the critic LLM found no {what} in the {field}, so there is nothing to judge."
    )
