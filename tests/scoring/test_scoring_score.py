"""`score_sample`: a score or a reason for each metric, whatever the metric does."""

from __future__ import annotations

import asyncio
import inspect
import math
import sys
from typing import Any

import pytest
from scoring_clock import run_virtually
from scoring_fakes import Built, asking, guarded, sample

from pytest_ragas.errors import (
    ConfigurationError,
    MetricError,
    MissingExtraError,
    MissingFieldError,
    ModelError,
    NothingToJudgeError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.scoring.calls import GuardedEmbeddings, current_request
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure


def giving(name: str, value: float, seconds: float = 0.0) -> Built:
    async def score(sample: Sample) -> Score:
        await asyncio.sleep(seconds)
        return Score(metric=name, value=value)

    return Built(name, score)


def raising(error: BaseException, *, name: str = "faithfulness", uses: frozenset[Any] = frozenset({"llm"})) -> Built:
    async def score(sample: Sample) -> Score:
        raise error

    return Built(name, score, uses=uses)


def failure(built: Built, row: Sample | None = None) -> ScoreFailure:
    scores, failures = run_virtually(score_sample(row or sample(7), [built]))
    assert scores == ()
    assert len(failures) == 1
    return failures[0]


def test_metrics_run_at_once_and_come_in_their_order() -> None:
    async def run() -> Any:
        metrics = [
            giving("a", 0.1, 3.0),
            raising(MetricError("no"), name="b"),
            giving("c", 0.3, 1.0),
            giving("d", 0.4, 2.0),
        ]
        result = await score_sample(sample(1), metrics)
        return result, asyncio.get_running_loop().time()

    (scores, failures), seconds = run_virtually(run())
    assert [score.metric for score in scores] == ["a", "c", "d"]
    assert [failure.metric for failure in failures] == ["b"]
    assert seconds == 3.0


def test_no_metrics_give_nothing() -> None:
    assert run_virtually(score_sample(sample(1), [])) == ((), ())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TransientModelError("busy", status=500), "critic"),
        (RejectedRequestError("wrong key", status=401), "critic"),
        (ModelError("ran dry"), "critic"),
        (StructureError("prose", raw="I think so"), "structure"),
        (MissingFieldError("no reference"), "sample"),
        (NothingToJudgeError("empty response"), "sample"),
        (MetricError("cannot"), "sample"),
        (ConfigurationError("bad option"), "configuration"),
        (MissingExtraError("faithfulness", "ragas", "ragas"), "configuration"),
        (ValueError("a bug"), "configuration"),
        (SystemExit(3), "configuration"),
        (KeyboardInterrupt(), "configuration"),
        (pytest.fail.Exception("pytest.fail in a metric"), "configuration"),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_every_exception_is_a_failure_of_the_right_kind_that_names_metric_and_row(
    error: BaseException, kind: str, alone: bool
) -> None:
    metrics = [raising(error)] if alone else [giving("other", 1.0), raising(error)]
    scores, failures = run_virtually(score_sample(sample(7), metrics))
    assert len(scores) == len(metrics) - 1
    (failed,) = failures
    assert (failed.metric, failed.sample_id, failed.kind) == ("faithfulness", "row-7", kind)
    assert failed.error.startswith("faithfulness of row 'row-7' (testset.json row 7): ")
    if str(error):
        assert str(error) in failed.error


def test_embeddings_that_do_not_answer_are_not_the_critics_fault() -> None:
    embeddings = ScriptedEmbeddings(lambda text: TransientModelError("busy", status=503))
    guard = GuardedEmbeddings(embeddings, limiter=Limiter(1), retry=Retry(attempts=2, seed=1), meter=Meter())

    async def score(sample: Sample) -> Score:
        await guard.embed([sample.user_input])
        raise AssertionError("unreachable")

    failed = failure(Built("answer_relevancy", score, uses=frozenset({"llm", "embeddings"})))
    assert failed.kind == "embeddings"
    assert failure(raising(ModelError("no"), uses=frozenset({"embeddings"}))).kind == "embeddings"


def test_a_critic_that_is_refused_says_row_model_attempts_last_error_and_the_mend() -> None:
    critic = ScriptedCritic(lambda messages, schema: TransientModelError("HTTP 429: slow down", status=429), name="gpt")
    failed = failure(asking("faithfulness", guarded(critic, retry=Retry(attempts=3, seed=1, base=0.0))))
    assert len(critic.requests) == 3
    assert failed.kind == "critic"
    assert failed.error == (
        "faithfulness of row 'row-7' (testset.json row 7): gpt gave no answer in 3 attempts over 0.0 s. "
        "Last error: HTTP 429: slow down. "
        "The server takes fewer calls than that: lower --ragas-concurrency, or have its limit raised."
    )


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (None, "Check that the server is up and reachable, or give it a longer timeout."),
        (500, "The server has a problem of its own: try again later."),
    ],
)
def test_other_errors_of_a_server_have_a_mend_too(status: int | None, mend: str) -> None:
    failed = failure(raising(TransientModelError("It broke.", status=status)))
    assert failed.error.endswith(f"It broke. {mend}")


def test_what_the_model_said_is_kept_where_it_is_the_problem() -> None:
    failed = failure(raising(StructureError("prose", raw="x" * 99_999)))
    assert failed.raw == "x" * 2_000
    assert failure(raising(ModelError("no"))).raw == ""


def test_a_bug_in_a_metric_is_shown_with_the_line_of_the_user_not_of_a_library() -> None:
    line = inspect.currentframe().f_lineno + 3  # type: ignore[union-attr]

    async def score(sample: Sample) -> Score:
        return math.fsum(["no number"])  # type: ignore[list-item,return-value]

    failed = failure(Built("brevity", score))
    assert failed.kind == "configuration"
    assert (
        f"the metric (FunctionMetric) raised TypeError: must be real number, not str at {__file__}:{line}"
        in failed.error
    )

    line = inspect.currentframe().f_lineno + 3  # type: ignore[union-attr]

    async def score_in_a_library(sample: Sample) -> Score:
        inspect.signature(7)  # type: ignore[arg-type]
        raise AssertionError("unreachable")

    failed = failure(Built("brevity", score_in_a_library))
    assert failed.error.endswith(f" at {__file__}:{line}")


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.5, 7.0])
def test_a_value_that_is_no_score_is_a_failure_never_a_number(value: float) -> None:
    failed = failure(giving("brevity", value))
    assert failed.kind == "configuration"
    assert repr(value) in failed.error
    assert failed.error.endswith("Correct the metric (FunctionMetric).")


@pytest.mark.parametrize("value", [0.5, None, True, {"score": 1}])
def test_what_is_not_even_a_score_is_told_what_to_write(value: object) -> None:
    async def score(sample: Sample) -> object:
        return value

    failed = failure(Built("brevity", score))
    assert failed.kind == "configuration"
    assert f"returned {value!r}, not a Score. Write: return Score(metric=self.name, value=...)." in failed.error


def test_a_score_carries_the_name_that_was_asked_for_and_the_direction_of_the_spec() -> None:
    async def score(sample: Sample) -> Score:
        return Score(metric="Faithfulness", value=0.5, reason="because")

    built = Built("ragas:faithfulness", score, higher_is_better=False)
    ((found,), failures) = run_virtually(score_sample(sample(1), [built]))
    assert failures == ()
    assert found == Score(metric="ragas:faithfulness", value=0.5, reason="because", higher_is_better=False)


def test_texts_of_others_are_cut() -> None:
    assert len(failure(raising(ValueError("x" * 99_999))).error) < 600
    assert len(failure(raising(RejectedRequestError("x" * 99_999))).error) <= 900


def test_each_metric_knows_what_it_is_asked_for() -> None:
    seen = {}

    def noting(name: str) -> Built:
        async def score(sample: Sample) -> Score:
            await asyncio.sleep(1)
            seen[name] = current_request.get()
            return Score(metric=name, value=1.0)

        return Built(name, score)

    async def run() -> str:
        await score_sample(sample(1), [noting("a"), noting("b")])
        await score_sample(sample(2), [noting("c")])
        return current_request.get()

    assert run_virtually(run()) == ""
    assert seen == {
        "a": "a of row 'row-1' (testset.json row 1)",
        "b": "b of row 'row-1' (testset.json row 1)",
        "c": "c of row 'row-2' (testset.json row 2)",
    }


@pytest.mark.parametrize("count", [1, 3])
def test_cancelling_gets_through_to_every_metric(count: int) -> None:
    cancelled = []

    async def score(sample: Sample) -> Score:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise
        raise AssertionError("unreachable")

    async def run() -> None:
        task = asyncio.ensure_future(score_sample(sample(1), [Built(f"m{number}", score) for number in range(count)]))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    run_virtually(run())
    assert len(cancelled) == count


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot tell who cancelled")
def test_a_metric_that_cancels_itself_has_failed_nobody_else() -> None:
    scores, failures = run_virtually(
        score_sample(sample(1), [giving("other", 1.0), raising(asyncio.CancelledError("own"), name="odd")])
    )
    assert [score.metric for score in scores] == ["other"]
    assert [(failed.metric, failed.kind) for failed in failures] == [("odd", "configuration")]
