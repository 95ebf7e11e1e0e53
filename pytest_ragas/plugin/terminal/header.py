"""The line below "collected N items": who judges, with which embeddings, on which metrics.

Not in pytest's own header, which comes before collection: only then is it known whether the suite uses us,
and a suite that does not should not read settings. Names only, never an endpoint or a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.settings.values import ModelSettings


def header_line(suite: Suite, items: Sequence[pytest.Item]) -> str:
    """`ragas: critic LLM gpt-4o-mini, embeddings minilm, metrics faithfulness, answer_relevancy`."""
    settings = suite.settings
    critic = _overridden(items, "ragas_critic_llm") or _name(settings.critic_llm)
    embeddings = _overridden(items, "ragas_embeddings") or _name(settings.embeddings)
    parts = [f"critic LLM {critic}", f"embeddings {embeddings}"]
    if suite.metrics:
        parts.append(f"metrics {', '.join(suite.metrics)}")
    return f"ragas: {', '.join(parts)}"


def _name(model: ModelSettings | None) -> str:
    return "none" if model is None else model.model_name or model.model_name_or_path


def _overridden(items: Sequence[pytest.Item], fixture: str) -> str:
    """Where the suite brings its own model; empty where the first test that asks for one gets ours."""
    for item in items:
        known: dict[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
        if fixture in known:
            function = known[fixture][-1].func
            if function.__module__ == "pytest_ragas.plugin.fixtures":
                return ""
            return f"of a fixture in {Path(function.__code__.co_filename).name}"
    return ""
