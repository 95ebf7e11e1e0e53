"""The fixtures that bring the RAG under test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rag import HandbookRag


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--broken-retriever", action="store_true", help="Break the retriever, to see the gates catch it")


@pytest.fixture(scope="session")
def rag(request: pytest.FixtureRequest) -> HandbookRag:
    """The handbook RAG."""
    return HandbookRag(
        Path(__file__).parent / "handbook", broken_retriever=request.config.getoption("--broken-retriever")
    )


@pytest.fixture(scope="session")
def handbook_target(rag: HandbookRag) -> Callable[[str], dict[str, object]]:
    """The handbook RAG as a callable, for tests that name it as their target."""

    def ask(user_input: str) -> dict[str, object]:
        answer = rag.ask(user_input)
        return {"response": answer.text, "retrieved_contexts": [section.text for section in answer.sections]}

    return ask
