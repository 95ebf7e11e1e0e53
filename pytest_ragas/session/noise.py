"""Recorded answers judged again and again, to see how much the critic varies over them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pytest_ragas.session.calibration import Progress, results_of
from pytest_ragas.session.judging import check_samples
from pytest_ragas.session.session import Session
from pytest_ragas.session.whole_testset import check_any
from pytest_ragas.values.run import Run
from pytest_ragas.values.sample import Sample


def judge_repeatedly(
    session: Session,
    samples: Sequence[Sample],
    *,
    metrics: Sequence[str] | None,
    times: int,
    progress: Progress | None = None,
) -> Run:
    """Judge each answer so many times. What is stored of earlier repeats is not asked again.

    No threshold stops a row early: rows whose first repeats agree would be missing from the spread.

    Args:
        session: With the critic to measure.
        samples: Rows with their answers.
        metrics: What to judge them by; None: by the metrics of the settings.
        times: At least 2.
        progress: Takes how many rows are judged, and how many there are.

    Raises:
        TestsetError: Rows lack what a metric needs; names all of them. No call was made.
        ConfigurationError: A metric needs a model that is not configured or cannot be had.
    """
    started = time.perf_counter()
    evaluator = session.evaluator()
    asked = session.settings.metrics if metrics is None else metrics
    plan = evaluator.plan(metrics=tuple(asked), defaults=False, repeats=times)
    check_samples(((sample, plan) for sample in samples), undone="judged")
    results = results_of([evaluator.submit(sample, plan) for sample in samples], progress)
    check_any(results)
    return Run(results=results, models=session.models(), seconds=time.perf_counter() - started)
