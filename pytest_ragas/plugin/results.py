"""How results travel: from a test, on its reports, through xdist's processes, into the run.

A result rides on the report of the phase that it became known in. A worker of pytest-xdist sends reports as
plain data, so that the results are turned into JSON on the way out and back on the way in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ragas.plugin.suite import Suite
from pytest_ragas.values.run import ModelUse, SampleResult

ATTRIBUTE = "ragas_results"
"""Of a report: the results that it brings."""

MODELS = "ragas_models"
"""Of a worker's output: the models that it used, as JSON."""

_NOTED = pytest.StashKey[list[SampleResult]]()
_COUNT = pytest.StashKey[int]()


def note(item: pytest.Item, result: SampleResult) -> None:
    """Keep a result of a running test until the report of the phase is made; its scores go to JUnit too."""
    item.stash.setdefault(_NOTED, []).append(result)
    item.stash[_COUNT] = item.stash.get(_COUNT, 0) + 1
    item.user_properties.extend(properties(result, item.stash[_COUNT]))


def noted(item: pytest.Item) -> int:
    """How many results the test has given so far, reported or not."""
    return item.stash.get(_COUNT, 0)


def forget(item: pytest.Item) -> None:
    """The test is run again: what an earlier attempt has given was reported with that attempt."""
    if _COUNT in item.stash:
        item.stash[_NOTED], item.stash[_COUNT] = [], 0
        item.user_properties[:] = [entry for entry in item.user_properties if not entry[0].startswith("ragas.")]


def properties(result: SampleResult, number: int = 1) -> list[tuple[str, object]]:
    """Scores as a report's `user_properties`: `ragas.faithfulness` -> 0.8333.

    Args:
        result: The result.
        number: Which result of its test this is; from the second on, the names carry it.
    """
    suffix = "" if number == 1 else f"#{number}"
    return [(f"ragas.{score.metric}{suffix}", round(score.value, 4)) for score in result.scores]


def load(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what the test has given since its last report on this one."""
    if results := item.stash.get(_NOTED, []):
        attach(report, results)
        item.stash[_NOTED] = []


def attach(report: pytest.TestReport, results: Sequence[SampleResult], *, first: bool = False) -> None:
    """Put results on a report, behind those that it has, or before them."""
    there = getattr(report, ATTRIBUTE, ())
    setattr(report, ATTRIBUTE, (*results, *there) if first else (*there, *results))


def gather(suite: Suite, report: pytest.TestReport) -> None:
    """Take a report's results into the run. A report that is followed by a rerun of its test does not count."""
    if report.outcome != "rerun":  # type: ignore[comparison-overlap]  # an outcome that pytest-rerunfailures adds
        suite.gather(getattr(report, ATTRIBUTE, ()))


def pack(data: dict[str, Any] | None) -> dict[str, Any] | None:
    """A report as plain data, with its results as JSON."""
    if data and ATTRIBUTE in data:
        rows = [result.to_json() for result in data[ATTRIBUTE]]
        # metadata of a sample made in a test may hold anything
        data[ATTRIBUTE] = json.dumps(rows, default=repr)
    return data


def unpack(report: Any) -> Any:
    """A report that came as plain data, with its results as values again."""
    if isinstance(packed := getattr(report, ATTRIBUTE, None), str):
        setattr(report, ATTRIBUTE, tuple(SampleResult.from_json(row) for row in json.loads(packed)))
    return report


def send_models(suite: Suite) -> None:
    """In a worker: leave for the controller which models were used."""
    output: dict[str, Any] = suite.config.workeroutput  # type: ignore[attr-defined]  # of pytest-xdist
    output[MODELS] = json.dumps([use.to_json() for use in suite.models()])


def receive_models(suite: Suite, node: Any) -> None:
    """In the controller: take in which models a worker used. One that crashed left nothing."""
    packed = getattr(node, "workeroutput", {}).get(MODELS, "[]")
    suite.gather_models(tuple(ModelUse.from_json(use) for use in json.loads(packed)))
