"""`Plan`: what one test is scored with, and `Ticket`: one sample that was handed over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from pytest_ragas.metrics.registry import BuiltMetric
from pytest_ragas.scoring.engine import Engine
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What one test is scored with, and what it is held to."""

    metrics: tuple[BuiltMetric, ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """One sample that was handed over for scoring."""

    sample: Sample
    nodeid: str
    future: Future[SampleResult]
    engine: Engine
    records: Sequence[logging.LogRecord] = ()
    """What scoring it logged, where the engine's log handler is installed."""
    error: BaseException | None = None
    """Why no answer came that could be scored; None for one that was handed over."""

    def done(self) -> bool:
        """Whether every score, or the reason why there is none, is there."""
        return self.future.done()

    def result(self) -> SampleResult:
        """Wait for the scores. Ctrl-C gets through."""
        return self.engine.wait(self.future)

    async def aresult(self) -> SampleResult:
        """Wait for the scores without blocking the caller's event loop."""
        return await self.engine.await_result(self.future)

    def cancel(self) -> None:
        """Give up: what is in flight is cancelled."""
        self.future.cancel()
