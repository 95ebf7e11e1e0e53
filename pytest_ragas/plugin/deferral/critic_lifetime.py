"""A suite's own critic LLM or embeddings are not torn down while scores that they judge are pending."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

import pytest_ragas.plugin.fixtures as ours

MODELS = frozenset({"ragas_critic_llm", "ragas_embeddings", "ragas"})
"""Fixtures whose values judge."""


class CriticLifetimes:
    """Where the suite's own models live, and thereby when they close."""

    def __init__(self, wait: Callable[[], None]) -> None:
        """
        Args:
            wait: Waits for every pending score.
        """
        self._wait = wait
        self._nodes: list[pytest.Item | pytest.Collector] = []

    def set_up(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
        """A fixture was set up."""
        if fixturedef.argname in MODELS and fixturedef.func.__module__ != ours.__name__:
            self._nodes.append(request.node)
            # For what `close_with` cannot foresee: a parametrized model that the next test wants with another
            # parameter, a fixture below the model that is torn down. Finalizers run last in, first out.
            fixturedef.addfinalizer(functools.partial(self._closes, request.node))

    def close_with(self, nextitem: pytest.Item | None) -> bool:
        """Whether the teardown that comes now closes a model of the suite's.

        Args:
            nextitem: The test that runs next: what it needs stays.
        """
        needed = nextitem.listchain() if nextitem is not None else []
        closing = [node for node in self._nodes if node not in needed]
        self._nodes = [node for node in self._nodes if node in needed]
        return bool(closing)

    def _closes(self, node: pytest.Item | pytest.Collector) -> None:
        if node in self._nodes:
            self._nodes.remove(node)
        self._wait()
