"""How long a generation takes where only answers take time: a clock that nothing else moves."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generate_made import CHUNK, SEED_DISTRIBUTION, write_docs
from openai_server.author import author
from openai_server.lexical import bag_of_words
from test_generate_docs import TYPES

from pytest_ragas.metrics.native.faithfulness import Faithfulness
from pytest_ragas.scoring.limits import Limiter, current_order
from pytest_ragas.testset.documents.read import read_documents
from pytest_ragas.testset.generate.generate import generate
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.values.model import Answer, ModelIdentity


class VirtualClock(asyncio.SelectorEventLoop):
    """Jumps to the next timer as soon as nothing is left to do."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class OneTick:
    """An answer takes one tick; so many are in flight at once, by the limiter of real runs."""

    identity = ModelIdentity(provider="scripted", name="author")

    def __init__(self, in_flight: int) -> None:
        self.limiter = Limiter(in_flight)
        self.calls = 0

    async def ask(self, messages: Any, schema: Any) -> Answer:
        await self._tick()
        return Answer(value=author({"title": schema["title"], "data": json.loads(messages[1].content)}))

    async def embed(self, texts: Any) -> list[list[float]]:
        await self._tick()
        return [bag_of_words(text) for text in texts]

    async def aclose(self) -> None:
        pass

    async def _tick(self) -> None:
        async with self.limiter.slot():
            self.calls += 1
            await asyncio.sleep(1)


def ticks(
    folder: Path, in_flight: int, urgent: Callable[[int], object] = lambda calls: None, **recipe: Any
) -> tuple[int, int]:
    """Ticks and calls of a generation."""
    write_docs(folder)
    loop, model = VirtualClock(), OneTick(in_flight)
    try:
        loop.run_until_complete(
            generate(
                read_documents(["docs"], root=folder),
                Recipe(chunk_size=CHUNK, **recipe),
                llm=model,
                embeddings=model,
                faithfulness=lambda critic: Faithfulness(name="faithfulness", llm=critic),
                urgent=urgent,
            )
        )
        return round(loop.now), model.calls
    finally:
        loop.close()


@pytest.mark.parametrize("kind", TYPES)
def test_the_longest_chain_is_what_the_docs_say(tmp_path: Path, kind: str) -> None:
    calls, chain = TYPES[kind][1:]
    # unanswerable: the passages nearest to the question are looked for between its calls, by vectors
    lookups = {"unanswerable": 1}.get(kind, 0)
    took, asked = ticks(tmp_path, 1000, test_size=1, distribution={kind: 1.0})
    assert took == chain + lookups
    assert asked >= calls


@pytest.mark.parametrize("in_flight", [8, 16, 64])
def test_the_limit_of_its_dependent_calls_is_nearly_reached(tmp_path: Path, in_flight: int) -> None:
    recipe = {"test_size": 20, "distribution": SEED_DISTRIBUTION}
    chain, _ = ticks(tmp_path, 1000, **recipe)
    took, calls = ticks(tmp_path, in_flight, lambda left: current_order.set(-1 - left), **recipe)
    unordered, _ = ticks(tmp_path, in_flight, **recipe)
    floor = max(chain, math.ceil(calls / in_flight))
    assert took <= 1.3 * floor
    assert took <= unordered
