"""`--ragas-on-error`: what becomes of a test that a critic LLM or embeddings did not answer for.

Only of such a test. What is wrong with the suite, its configuration or its rows stays an ERROR, and so does what had no
room in the budget, or is not stored where nothing is asked.
"""

from __future__ import annotations

import warnings

import pytest

from pytest_ragas.errors import PytestRagasWarning
from pytest_ragas.plugin.suite import suite_of
from pytest_ragas.plugin.verdicts.outcomes import ScoringError

_SOFT = frozenset({"critic", "embeddings", "structure"})
"""Kinds of failures that say nothing of the suite."""


def is_softened(item: pytest.Item, error: BaseException) -> bool:
    """Whether a test that ended with this error is to be no ERROR."""
    if not isinstance(error, ScoringError) or not error.results:
        return False
    settings = suite_of(item.config).settings
    if settings.on_error == "error" or settings.cache == "replay":
        return False
    return all(failure.kind in _SOFT for result in error.results for failure in result.failures)


def soften(item: pytest.Item, error: BaseException, report: pytest.TestReport, place: tuple[str, int]) -> None:
    """Make the report of such a test one of a pass, with a warning, or of a skip.

    Args:
        item: The test.
        error: Why it could not be scored.
        report: Of the phase that raised it; changed in place.
        place: File and line that a skip is reported for.
    """
    why = str(error).splitlines()[0]
    report.__dict__.pop("wasxfail", None)
    if suite_of(item.config).settings.on_error == "skip":
        report.outcome = "skipped"
        report.longrepr = (*place, f"Skipped: {why} (--ragas-on-error=skip)")
        return
    report.outcome = "passed"
    report.longrepr = None
    text = f"{why} (--ragas-on-error=warn: the test passes, gates miss its score)"
    # not by `warnings.warn`: with `-W error` it would be an exception in the middle of pytest's own work
    message = warnings.WarningMessage(PytestRagasWarning(text), PytestRagasWarning, place[0], place[1])
    item.config.hook.pytest_warning_recorded.call_historic(
        kwargs={"warning_message": message, "when": "runtest", "nodeid": item.nodeid, "location": None}
    )
