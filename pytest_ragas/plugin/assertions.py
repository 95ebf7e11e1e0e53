"""The assertion helpers: score a sample inside any test, at once, and fail where a threshold is broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.plugin.current import current_item
from pytest_ragas.plugin.evaluator import RagasEvaluator, by_name
from pytest_ragas.plugin.handle import SampleHandle
from pytest_ragas.plugin.marker import read_bound
from pytest_ragas.plugin.suite import suite_of
from pytest_ragas.plugin.verdicts.outcomes import ThresholdFailure
from pytest_ragas.reports.failure import failure_text
from pytest_ragas.testset.rows import sample_from_row
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

if TYPE_CHECKING:
    import pytest

AnySample = Sample | SampleHandle | Mapping[str, Any]
"""A sample, the `ragas_sample` of a test, or a row as a testset holds it."""


def assert_scores(
    sample: AnySample, thresholds: Mapping[str, float] | None = None, /, **metrics: float
) -> dict[str, Score]:
    """Score a sample now and fail the test if a score breaks its threshold; the metrics run concurrently.

    ```python
    def test_answer():
        sample = Sample(user_input=..., response=..., retrieved_contexts=[...])
        assert_scores(sample, faithfulness=0.8, answer_relevancy=0.7)
        assert_scores(sample, {"ragas:faithfulness": 0.8})
    ```

    Args:
        sample: With every field that the metrics need.
        thresholds: Bounds in [0, 1] by metric, for names that are no Python identifiers.
        metrics: Bounds in [0, 1] by metric.

    Returns:
        The scores by the names that were asked for.

    Raises:
        ThresholdFailure: A score broke its bound: the test fails.
        PytestRagasError: A score is missing, and the others held: the test is an ERROR.
    """
    __tracebackhide__ = True
    evaluator = _evaluator("assert_scores()")
    bounds = _bounds({**(thresholds or {}), **metrics}, "assert_scores()")
    return _judged(evaluator.evaluate(_sample(sample), thresholds=bounds), evaluator, bounds)


async def aassert_scores(
    sample: AnySample, thresholds: Mapping[str, float] | None = None, /, **metrics: float
) -> dict[str, Score]:
    """`assert_scores()` for async tests: the test's own event loop goes on meanwhile."""
    __tracebackhide__ = True
    evaluator = _evaluator("aassert_scores()")
    bounds = _bounds({**(thresholds or {}), **metrics}, "aassert_scores()")
    return _judged(await evaluator.aevaluate(_sample(sample), thresholds=bounds), evaluator, bounds)


def assert_faithfulness(sample: AnySample, threshold: float | None = None) -> Score:
    """Fail the test unless what the response says is supported by its retrieved contexts.

    Args:
        sample: With user_input, response and retrieved_contexts.
        threshold: Lower bound in [0, 1]; without it the configured threshold.

    Returns:
        The score, with the verdict on each statement as its evidence.

    Raises:
        ThresholdFailure: The score is below the threshold: the test fails.
        PytestRagasError: There is no score: the test is an ERROR.
    """
    __tracebackhide__ = True
    return _assert_one("faithfulness", sample, threshold)


def assert_answer_relevancy(sample: AnySample, threshold: float | None = None) -> Score:
    """Fail the test unless the response answers the question. See `assert_faithfulness`.

    Args:
        sample: With user_input and response.
        threshold: Lower bound in [0, 1]; without it the configured threshold.
    """
    __tracebackhide__ = True
    return _assert_one("answer_relevancy", sample, threshold)


def assert_context_precision(sample: AnySample, threshold: float | None = None) -> Score:
    """Fail the test unless useful contexts rank above useless ones. See `assert_faithfulness`.

    Args:
        sample: With user_input, retrieved_contexts and reference.
        threshold: Lower bound in [0, 1]; without it the configured threshold.
    """
    __tracebackhide__ = True
    return _assert_one("context_precision", sample, threshold)


def assert_context_recall(sample: AnySample, threshold: float | None = None) -> Score:
    """Fail the test unless the retrieved contexts hold what the reference says. See `assert_faithfulness`.

    Args:
        sample: With user_input, retrieved_contexts and reference.
        threshold: Lower bound in [0, 1]; without it the configured threshold.
    """
    __tracebackhide__ = True
    return _assert_one("context_recall", sample, threshold)


def assert_context_relevancy(sample: AnySample, threshold: float | None = None) -> Score:
    """Fail the test unless the retrieved contexts are about the question. See `assert_faithfulness`.

    Args:
        sample: With user_input and retrieved_contexts.
        threshold: Lower bound in [0, 1]; without it the configured threshold.
    """
    __tracebackhide__ = True
    return _assert_one("context_relevancy", sample, threshold)


def assert_answer_correctness(sample: AnySample, threshold: float | None = None) -> Score:
    """Fail the test unless the response says what the reference says. See `assert_faithfulness`.

    Args:
        sample: With user_input, response and reference.
        threshold: Lower bound in [0, 1]; without it the configured threshold.
    """
    __tracebackhide__ = True
    return _assert_one("answer_correctness", sample, threshold)


def _assert_one(metric: str, sample: AnySample, threshold: float | None) -> Score:
    __tracebackhide__ = True
    caller = f"assert_{metric}()"
    evaluator = _evaluator(caller)
    bounds = _bounds({metric: _configured(metric, caller) if threshold is None else threshold}, caller)
    return _judged(evaluator.evaluate(_sample(sample), thresholds=bounds), evaluator, bounds)[metric]


def _judged(result: SampleResult, evaluator: RagasEvaluator, asked: Mapping[str, float]) -> dict[str, Score]:
    from pytest_ragas.session.judging import breaches

    __tracebackhide__ = True
    if broken := breaches(result):
        raise ThresholdFailure(failure_text(result, broken), [result])
    return by_name(result, evaluator.evaluator, tuple(asked))


def _bounds(given: Mapping[str, Any], caller: str) -> dict[str, float]:
    __tracebackhide__ = True
    read = {metric: read_bound(metric, bound, caller) for metric, bound in given.items()}
    if not read or None in read.values():
        raise ConfigurationError(
            f"{caller} needs a bound for each metric, for example {caller[:-1]}sample, faithfulness=0.8)."
        )
    return {metric: bound for metric, bound in read.items() if bound is not None}


def _configured(metric: str, caller: str) -> float:
    __tracebackhide__ = True
    suite = suite_of(current_item(caller).config)
    for threshold in suite.settings.thresholds:
        if suite.session.registry.canonical(threshold.metric) == metric:
            return threshold.bound
    raise ConfigurationError(
        f"{caller} was given no threshold, and none is configured. Write {caller[:-1]}sample, threshold=0.8), "
        f"or set [tool.pytest-ragas.thresholds] {metric} = 0.8."
    )


def _sample(value: AnySample) -> Sample:
    __tracebackhide__ = True
    if isinstance(value, Sample):
        return value
    if isinstance(value, SampleHandle):
        return (value.samples() or (value.sample,))[-1]
    if isinstance(value, Mapping):
        return sample_from_row(value, source="the row given to the test")
    raise TypeError(f"A Sample is expected, not {type(value).__name__}. Write Sample(user_input=..., response=...).")


def _evaluator(caller: str) -> RagasEvaluator:
    """The evaluator of the running test, with the models that its fixtures give."""
    __tracebackhide__ = True
    item: pytest.Item = current_item(caller)
    request: pytest.FixtureRequest | None = getattr(item, "_request", None)
    if request is None:
        raise ConfigurationError(
            f"{caller} was called in {item.nodeid}, which has no fixtures to take the critic LLM from. "
            "Call it in a test function."
        )
    evaluator: RagasEvaluator = request.getfixturevalue("ragas")
    return evaluator
