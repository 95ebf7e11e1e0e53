"""`--ragas-scoring=blocking`: a marked test waits for its own scores, at the end of its call phase."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.plugin.handle import SampleHandle
from pytest_ragas.plugin.verdicts.outcomes import NothingScored
from pytest_ragas.plugin.verdicts.returned import returned_to
from pytest_ragas.plugin.verdicts.verdict import PENDING, PREPARED, Pending, conclude, prepare, submit

IN_BODY = pytest.StashKey[bool]()
"""Of a marked test whose body runs."""


def set_up(item: pytest.Item) -> None:
    """After the fixtures of a marked test: models and metrics for it, and what its row lacks.

    Raises:
        ConfigurationError: Such a test cannot be scored, or not so.
    """
    if item.config.getoption("setuponly", False):
        return  # no body runs; with --setup-plan, no fixture has a value
    refuse_what_cannot_be_scored(item)
    request: pytest.FixtureRequest = item._request  # type: ignore[attr-defined]  # of every Function
    item.stash[PREPARED] = prepare(item, request.getfixturevalue("ragas"))


def refuse_what_cannot_be_scored(item: pytest.Item) -> None:
    """A marked test must be a function or method of pytest's own kind.

    Raises:
        ConfigurationError: It is not.
    """
    mend = "Write it as a plain test function, or leave out the marker and call assert_scores(...) in it."
    if type(item).__name__ == "TestCaseFunction":
        raise ConfigurationError(
            f"{item.nodeid} is marked ragas, but is a method of unittest.TestCase, which takes no fixtures. {mend}"
        )
    if not isinstance(item, pytest.Function):
        raise ConfigurationError(f"{item.nodeid} is marked ragas, but is no test function of pytest. {mend}")
    if getattr(item.obj, "is_hypothesis_test", False):
        raise ConfigurationError(
            f"{item.nodeid} is marked ragas, but Hypothesis runs its body many times for one verdict. {mend}"
        )


def score_what_is_returned(item: pytest.Item) -> Generator[None, object, object]:
    """Around the body of a marked test: catch what it returns, and hand over what there is to score."""
    handle = item.stash[PREPARED].handle
    returned: list[object] = []
    item.stash[IN_BODY] = True
    try:
        with returned_to(item, returned.append):  # type: ignore[arg-type]  # set_up has refused others
            result = yield
    finally:
        del item.stash[IN_BODY]
    record_returned(handle, returned)
    if (pending := submit(item)) is not None:
        item.stash[PENDING] = pending
    return result


def record_returned(handle: SampleHandle, returned: list[object]) -> None:
    """Record what the test function returned, unless it is None.

    Raises:
        NothingScored: It is no answer.
    """
    for value in returned:
        if value is None:
            continue
        try:
            handle.record(value)
        except TypeError as error:
            raise NothingScored(f"This test is marked ragas, but what it returned is no answer.\n{error}") from None


def wait_for_scores(pending: Pending) -> None:
    """The end of the call phase: raise the verdict, if it is a bad one.

    Raises:
        ThresholdFailure: A score broke its threshold.
        ScoringError: A score is missing.
    """
    if (verdict := conclude(pending)) is not None:
        raise verdict
