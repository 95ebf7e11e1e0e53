"""`score_sample`: every metric of one sample at once; each gives a score, or the reason why there is none."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sysconfig
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from pytest_ragas.errors import (
    BudgetError,
    ConfigurationError,
    InvalidScoreError,
    MetricError,
    ModelError,
    PytestRagasError,
    StructureError,
    TransientModelError,
    cut,
)
from pytest_ragas.protocols import Metric, MetricSpec
from pytest_ragas.scoring.calls import current_request
from pytest_ragas.scoring.limits import THROTTLED
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import FailureKind, Score, ScoreFailure

ERROR_SHOWN = 900
"""Characters of an error that a `ScoreFailure` keeps: a paragraph."""
RAW_SHOWN = 2_000
"""Characters of a model's text that a `ScoreFailure` keeps."""

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = tuple(
    os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class BuiltMetric(Protocol):
    """A metric that is ready to score: what `metrics.registry` builds."""

    @property
    def spec(self) -> MetricSpec:
        """What is known of it."""

    @property
    def metric(self) -> Metric:
        """The metric itself."""

    @property
    def name(self) -> str:
        """The name that its scores carry."""


async def score_sample(
    sample: Sample, metrics: Sequence[BuiltMetric]
) -> tuple[tuple[Score, ...], tuple[ScoreFailure, ...]]:
    """Measure one sample with every metric, concurrently.

    Args:
        sample: With every field that the metrics need; the caller has checked.
        metrics: In the order in which results are wanted.

    Returns:
        The scores and the failures, one or the other of each metric. No exception of a metric gets through.

    Raises:
        CancelledError: Scoring was cancelled.
    """
    if len(metrics) == 1:
        results = [await _score(sample, metrics[0])]
    else:
        # each in a task of its own, so that `current_request` is its own too
        results = await asyncio.gather(*(_score(sample, built) for built in metrics))
    return (
        tuple(result for result in results if isinstance(result, Score)),
        tuple(result for result in results if isinstance(result, ScoreFailure)),
    )


async def _score(sample: Sample, built: BuiltMetric) -> Score | ScoreFailure:
    request = f"{built.name} of {row(sample)}"
    token = current_request.set(request)
    try:
        return _checked(await built.metric.score(sample), built)
    except asyncio.CancelledError as error:
        if _we_are_cancelled():
            raise
        return _failure(error, sample, built, request)
    except GeneratorExit:
        raise
    except BaseException as error:  # SystemExit and pytest.fail() too: a metric must not end the engine's thread
        return _failure(error, sample, built, request)
    finally:
        current_request.reset(token)


def _we_are_cancelled() -> bool:
    """Whether somebody cancelled this task; if not, something inside the metric cancelled itself."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0  # Python 3.10 cannot tell


def row(sample: Sample) -> str:
    """How messages call a sample: "row 'a1b2' (testset.json row 7)"."""
    return f"row {cut(sample.id, 60)!r}" + (f" ({sample.source})" if sample.source else "")


def _checked(score: object, built: BuiltMetric) -> Score:
    """The score under the name that was asked for, if it is one."""
    if not isinstance(score, Score):
        raise ConfigurationError(
            f"{type(built.metric).__name__}.score() returned {cut(repr(score), 80)}, not a Score. "
            "Write: return Score(metric=self.name, value=...)."
        )
    higher_is_better = score.higher_is_better and built.spec.higher_is_better
    if score.metric != built.name or score.higher_is_better != higher_is_better:
        score = dataclasses.replace(score, metric=built.name, higher_is_better=higher_is_better)
    return score


def _failure(error: BaseException, sample: Sample, built: BuiltMetric, request: str) -> ScoreFailure:
    text = _text(error, built)
    if request not in text:
        text = f"{request}: {text}"
    return ScoreFailure(
        metric=built.name,
        sample_id=sample.id,
        kind=_kind(error, built),
        error=cut(text, ERROR_SHOWN),
        raw=error.raw[:RAW_SHOWN] if isinstance(error, StructureError) else "",
    )


def _kind(error: BaseException, built: BuiltMetric) -> FailureKind:
    if isinstance(error, BudgetError):
        return "not run"
    if isinstance(error, StructureError):
        return "structure"
    if isinstance(error, ModelError):
        only_embeddings = built.spec.uses == {"embeddings"}
        return "embeddings" if error.role == "embeddings" or (only_embeddings and not error.role) else "critic"
    if isinstance(error, MetricError) and not isinstance(error, InvalidScoreError):
        return "sample"
    return "configuration"  # settings, or a metric that is wrong itself


def _text(error: BaseException, built: BuiltMetric) -> str:
    if isinstance(error, TransientModelError):
        return f"{error}{_mend(error)}"
    if isinstance(error, InvalidScoreError) and built.spec.backend != "ragas":  # nobody here can correct ragas
        return f"{error}. Correct the metric ({type(built.metric).__name__})."
    if isinstance(error, PytestRagasError):
        return str(error)
    place = _place(error.__traceback__)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"the metric ({type(built.metric).__name__}) raised {cut(said)}{f' at {place}' if place else ''}"


def _mend(error: TransientModelError) -> str:
    if error.status in THROTTLED:
        mend = "The server takes fewer calls than that: lower --ragas-concurrency, or have its limit raised."
    elif error.status is None:
        mend = "Check that the server is up and reachable, or give it a longer timeout."
    else:
        mend = "The server has a problem of its own: try again later."
    return f" {mend}" if str(error).rstrip().endswith((".", "!", "?")) else f". {mend}"


def _place(tb: TracebackType | None) -> str:
    """File and line where it happened, in the user's code if that was on the way: "conftest.py:12"."""
    frames = [frame for frame in traceback.extract_tb(tb) if not frame.filename.startswith("<")]
    others = [frame for frame in frames if not frame.filename.startswith(_OURS)]
    theirs = [frame for frame in others if not os.path.abspath(frame.filename).startswith(_INSTALLED)]
    found = (theirs or others or frames)[-1:]
    return f"{found[0].filename}:{found[0].lineno}" if found else ""
