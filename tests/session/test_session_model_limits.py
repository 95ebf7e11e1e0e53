"""A model's own `concurrency`, below that of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.session import Session
from pytest_ragas.settings.load import load_settings
from pytest_ragas.values.sample import Sample


def peak(server: OpenAIServer, critic: str, embeddings: str, *, worker: tuple[int, int] = (0, 1)) -> int:
    """Most requests in flight at once, of 24 rows that need one of each model."""
    tables = {
        "critic_llm": f'{{"model_name": "judge", "api_base": "{server.url}"{critic}}}',
        "embeddings": f'{{"model_name": "embedder", "api_base": "{server.url}"{embeddings}}}',
        "concurrency": "6",
        "cache": "off",
    }
    settings = load_settings(rootdir=Path("none"), environ={}, command_line=tables)
    session = Session(replace(settings, places={}), registry(), worker=worker)
    server.latency = 0.02
    try:
        evaluator = session.evaluator()
        plan = evaluator.plan(metrics=["answer_relevancy", "answer_similarity"], defaults=False)
        rows = [
            Sample(id=str(n), user_input=f"What is {n}?", response=f"It is {n}.", reference=f"{n} it is.")
            for n in range(24)
        ]
        results = [ticket.result() for ticket in [evaluator.submit(row, plan) for row in rows]]
    finally:
        session.close()
    assert not [result.failures for result in results if result.failures]
    return server.peak


@pytest.mark.parametrize(
    ("critic", "embeddings", "most"),
    [
        ("", "", 6),
        (', "concurrency": 2', ', "concurrency": 1', 3),
        (', "concurrency": 1', ', "concurrency": 4', 5),
        (', "concurrency": 90', "", 6),
    ],
)
def test_each_model_has_its_own_limit(openai_server: OpenAIServer, critic: str, embeddings: str, most: int) -> None:
    assert peak(openai_server, critic, embeddings) <= most


def test_a_worker_has_its_part(openai_server: OpenAIServer) -> None:
    limits = ', "concurrency": 3'
    assert peak(openai_server, limits, limits, worker=(1, 2)) <= 2


def test_a_limit_is_a_positive_number() -> None:
    from pytest_ragas.errors import ConfigurationError

    table = '{"model_name": "judge", "api_base": "http://h/v1", "concurrency": 0}'
    with pytest.raises(ConfigurationError, match="concurrency"):
        load_settings(rootdir=Path("none"), environ={}, command_line={"critic_llm": table})
