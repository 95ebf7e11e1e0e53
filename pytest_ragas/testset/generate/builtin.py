"""The question types that come with the package, registered through the hook that others use."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ragas.hookspecs import hookimpl
from pytest_ragas.protocols import QuestionType
from pytest_ragas.testset.generate.conversational import CONVERSATIONAL
from pytest_ragas.testset.generate.extractive import EXTRACTIVE
from pytest_ragas.testset.generate.multi_context import MULTI_CONTEXT
from pytest_ragas.testset.generate.reasoning import REASONING
from pytest_ragas.testset.generate.simple import SIMPLE
from pytest_ragas.testset.generate.types import QuestionTypes
from pytest_ragas.testset.generate.unanswerable import UNANSWERABLE


@hookimpl
def pytest_ragas_register_question_types(register: Callable[[QuestionType], None]) -> None:
    """Register every question type of ours."""
    for kind in (SIMPLE, MULTI_CONTEXT, REASONING, UNANSWERABLE, CONVERSATIONAL, EXTRACTIVE):
        register(kind)


def question_types() -> QuestionTypes:
    """The built-in question types, for callers without a plugin manager."""
    known = QuestionTypes()
    pytest_ragas_register_question_types(known.register)
    return known
