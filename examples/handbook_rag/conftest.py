"""The fixture that brings the RAG under test."""

from __future__ import annotations

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
