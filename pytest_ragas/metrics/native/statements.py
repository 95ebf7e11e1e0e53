"""Statements: found in a text, and judged against contexts. Most metrics are made of these two requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.structure import (
    TEXT,
    Verdict,
    array,
    numbered,
    read_texts,
    read_verdicts,
    structure,
    verdicts_structure,
)
from pytest_ragas.protocols import LLM
from pytest_ragas.values.score import Finding

FINDING = "statements"
JUDGING = "verdicts"
"""Names of the two prompts."""

_STATEMENTS = structure("Statements", statements=array(TEXT))


async def find_statements(llm: LLM, question: str, text: str) -> list[str]:
    """The statements of an answer to a question, in its order; empty if it states nothing. One call.

    The response's statements are the same request for every metric, so that they are asked for only once.
    """
    answer = await prompt(FINDING).ask(llm, {"question": question, "text": text}, _STATEMENTS)
    return read_texts(answer, "statements")


async def judge_statements(
    llm: LLM, contexts: Sequence[str], statements: Sequence[str], *, question: str = ""
) -> list[Verdict]:
    """Whether the contexts support each statement, in order. One call; none where there is no text to support it.

    Args:
        llm: The critic.
        contexts: Texts that may support the statements.
        statements: At least one.
        question: What the statements answer, where they cannot be understood without it.

    Raises:
        StructureError: The verdicts do not match the statements one to one.
    """
    if not any(context.strip() for context in contexts):
        return [Verdict(0, "The context is empty.") for _ in statements]
    data: dict[str, Any] = {"contexts": list(contexts)}
    if question:
        data["question"] = question
    data["statements"] = numbered(statements)
    answer = await prompt(JUDGING).ask(llm, data, verdicts_structure(len(statements)))
    return read_verdicts(answer, "verdicts", len(statements))


def statement_findings(statements: Sequence[str], verdicts: Sequence[Verdict], part: str) -> tuple[Finding, ...]:
    """Evidence: each statement with its verdict."""
    return tuple(
        Finding(kind="statement", text=statement, value=verdict.value, reason=verdict.reason, part=part)
        for statement, verdict in zip(statements, verdicts, strict=True)
    )


def supported(verdicts: Sequence[Verdict]) -> int:
    """How many verdicts are 1."""
    return sum(verdict.value for verdict in verdicts)
