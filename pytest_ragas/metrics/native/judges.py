"""Two judges with different words rate the same thing from 0 to 2; the score is their mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.structure import RATING, TEXT, Verdict, read_verdict, structure
from pytest_ragas.metrics.native.together import together
from pytest_ragas.protocols import LLM
from pytest_ragas.values.score import Finding, FindingKind, Score

_STRUCTURE = structure("Rating", reason=TEXT, rating=RATING)


async def two_judges(
    llm: LLM, prompts: tuple[str, str], data: Mapping[str, Any], *, metric: str, kind: FindingKind, text: str
) -> Score:
    """Mean rating / 2. Two calls at once. A judge that gives no rating leaves no score: ragas would take the other's.

    Args:
        llm: The critic.
        prompts: Names of the two judges' prompts.
        data: What both see.
        metric: Name of the score.
        kind: What is rated, for the evidence.
        text: What is rated, for the evidence.

    Raises:
        ModelError: One of the judges did not answer, or not with 0, 1 or 2.
    """
    ratings = await together(*(_rate(llm, name, data) for name in prompts))
    first, second = ratings
    return Score(
        metric=metric,
        value=(first.value + second.value) / 4,
        reason=f"the two judges give {first.value} and {second.value} of 2",
        evidence=tuple(
            Finding(kind=kind, text=text, value=rating.value / 2, reason=rating.reason, part=f"judge {number}")
            for number, rating in enumerate(ratings, 1)
        ),
    )


async def _rate(llm: LLM, name: str, data: Mapping[str, Any]) -> Verdict:
    answer = await prompt(name).ask(llm, data, _STRUCTURE)
    return read_verdict(answer, answer.value, "rating", 2)
