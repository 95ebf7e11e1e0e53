"""What the `ragas` fixture gives: scores inside a test, at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.plugin.results import note
from pytest_ragas.plugin.verdicts.outcomes import unscored_error
from pytest_ragas.reports.failure import error_text
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

if TYPE_CHECKING:  # they import models, engine and metrics; by the time one is made they are there
    from pytest_ragas.session.evaluator import Evaluator
    from pytest_ragas.session.plan import Ticket


class RagasEvaluator:
    """Scores samples for one test, with the test's critic LLM and embeddings.

    ```python
    def test_contexts(ragas):
        scores = ragas.score(Sample(...), ["context_precision", "context_recall"])
        assert scores["context_recall"].value >= scores["context_precision"].value
    ```
    """

    def __init__(self, evaluator: Evaluator, item: pytest.Item) -> None:
        """
        Args:
            evaluator: The models and their metrics.
            item: The test that the results belong to.
        """
        self.evaluator = evaluator
        self._item = item

    def __repr__(self) -> str:
        return f"<ragas: {self.evaluator!r}>"

    def score(self, sample: Sample, metrics: Sequence[str] | str) -> dict[str, Score]:
        """Score a sample now, without asserting anything; the metrics run concurrently.

        Args:
            sample: With every field that the metrics need.
            metrics: Names of metrics, or one name.

        Returns:
            The scores by the names that were asked for.

        Raises:
            PytestRagasError: A score is missing; the message says which and why. The test is then an ERROR.
        """
        __tracebackhide__ = True
        names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        return by_name(self.evaluate(sample, metrics=names), self.evaluator, names)

    async def ascore(self, sample: Sample, metrics: Sequence[str] | str) -> dict[str, Score]:
        """`score()` for async tests: the test's own event loop goes on meanwhile."""
        __tracebackhide__ = True
        names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        return by_name(await self.aevaluate(sample, metrics=names), self.evaluator, names)

    def evaluate(
        self, sample: Sample, *, metrics: Sequence[str] = (), thresholds: Mapping[str, float] | None = None
    ) -> SampleResult:
        """Score a sample and hold it to thresholds; the result is part of the run, and nothing is raised for it."""
        __tracebackhide__ = True
        return self._noted(self._submit(sample, metrics, thresholds).result())

    async def aevaluate(
        self, sample: Sample, *, metrics: Sequence[str] = (), thresholds: Mapping[str, float] | None = None
    ) -> SampleResult:
        """`evaluate()` for async tests."""
        __tracebackhide__ = True
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "The async functions of pytest-ragas wait on asyncio, which does not run here. Under trio, run the "
                "sync one in a thread: await trio.to_thread.run_sync(assert_scores, ...)."
            ) from None
        return self._noted(await self._submit(sample, metrics, thresholds).aresult())

    def _submit(self, sample: Sample, metrics: Sequence[str], thresholds: Mapping[str, float] | None) -> Ticket:
        from pytest_ragas.scoring.engine import AT_ONCE

        __tracebackhide__ = True
        plan = self.evaluator.plan(metrics=metrics, thresholds=thresholds, defaults=False)
        return self.evaluator.submit(sample, plan, nodeid=self._item.nodeid, order=AT_ONCE)

    def _noted(self, result: SampleResult) -> SampleResult:
        note(self._item, result)
        return result


def by_name(result: SampleResult, evaluator: Evaluator, names: Sequence[str]) -> dict[str, Score]:
    """The scores by the names that were asked for.

    Raises:
        ScoringError: One is missing.
    """
    __tracebackhide__ = True
    if result.failures:
        raise unscored_error(error_text(result), [result])
    found = {score.metric: score for score in result.scores}
    return {name: found[evaluator.canonical(name)] for name in names}
