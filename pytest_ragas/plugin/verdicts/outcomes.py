"""How a test ends that was not good enough, or could not be scored, and how pytest shows it.

A broken threshold is a failure of the test. A score that is missing is an ERROR, whatever the test expects:
an unreachable critic says nothing about the answer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntry, ReprFileLocation, ReprTraceback
from _pytest.outcomes import Failed  # `pytest.fail.Exception`, by a name that can be a base class

import pytest_ragas
from pytest_ragas.errors import PytestRagasError
from pytest_ragas.values.run import SampleResult


class ThresholdFailure(Failed, AssertionError):
    """Scores broke their thresholds: the test's own failure.

    Raised by the assertion helpers inside the test, and by the plugin at the end of a marked test. Like
    every failed assertion it is an `AssertionError`. Its text names metric, value, bound and evidence.
    """

    __module__ = "builtins"  # reports then say "ThresholdFailure: ..." as they say "Failed: ..."

    def __init__(self, message: str, results: Sequence[SampleResult] = ()) -> None:
        """
        Args:
            message: What the report shows; its first line says it all.
            results: The results that broke a threshold.
        """
        super().__init__(message, pytrace=False)
        self.results = tuple(results)


class NothingScored(Failed):
    """A test is marked `ragas`, yet gave nothing to score."""

    __module__ = "builtins"

    def __init__(self, message: str) -> None:
        super().__init__(message, pytrace=False)


class ScoringError(PytestRagasError):
    """An answer could not be scored: an ERROR of the test, never its failure."""

    __module__ = "builtins"

    def __init__(self, message: str, results: Sequence[SampleResult] = ()) -> None:
        """
        Args:
            message: What the report shows; its first line says it all.
            results: The results that lack a score.
        """
        super().__init__(message)
        self.results = tuple(results)


class NotRun(ScoringError):
    """An answer was not scored, because the budget of the run had no room: an ERROR of the test, never green."""

    __module__ = "builtins"


def unscored_error(message: str, results: Sequence[SampleResult]) -> ScoringError:
    """The error of a test whose answers lack scores.

    Args:
        message: What the report shows.
        results: The results that lack a score, at least one.
    """
    kind = NotRun if all(result.outcome == "not run" for result in results) else ScoringError
    return kind(message, results)


def settle_report(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Show our own exceptions as what they are: their text without frames, and an error as an ERROR.

    Args:
        item: The test.
        call: The phase that ended with an exception, or without.
        report: Of that phase, as every other plugin left it; changed in place.
    """
    if call.excinfo is None:
        return
    from pytest_ragas.plugin.verdicts.on_error import is_softened, soften

    error = call.excinfo.value
    if is_softened(item, error):
        soften(item, error, report, _place(item, call.excinfo))
    elif isinstance(error, PytestRagasError):
        if report.when == "call":
            # every reporter understands a failed setup as an error: terminal, JUnit, HTML, allure
            report.when = "setup"
        report.outcome = "failed"
        # xfail expects a verdict, and there is none
        report.__dict__.pop("wasxfail", None)
        report.longrepr = _text_only(item, call.excinfo)
    elif isinstance(error, (ThresholdFailure, NothingScored)) and report.failed:
        report.longrepr = _text_only(item, call.excinfo)


def _text_only(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    """What pytest shows of our exception: its text, and the line of the user's that it is about.

    The classes are pytest's own for every failure: other plugins and pytest-xdist know how to carry them.
    """
    if item.config.getoption("fulltrace", False):
        return item.repr_failure(excinfo)
    path, lineno = _place(item, excinfo)
    text = str(excinfo.value).splitlines() or [excinfo.typename]
    crash = ReprFileLocation(path, lineno, f"{excinfo.typename}: {text[0]}")
    place = ReprFileLocation(_relative(path, item.config.invocation_params.dir), lineno, excinfo.typename)
    entry = ReprEntry(text, None, None, place, "value")
    return ExceptionChainRepr([(ReprTraceback([entry], None, "value"), crash, None)])


def _place(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> tuple[str, int]:
    """The innermost line of the user's that led to the exception; else the test itself."""
    own = str(item.path), str(item.config.rootpath) + os.sep
    for entry in reversed(excinfo.traceback):
        path = str(entry.path)
        installed = "site-packages" in path or path.startswith(_NOT_THE_USERS)
        hook = entry.name.startswith("pytest_")  # of a conftest.py, wrapped around the test
        if path.startswith(own) and not installed and not hook and not entry.ishidden(excinfo):
            return path, entry.lineno + 1
    place, line, _ = item.reportinfo()
    return os.fspath(place), (line or 0) + 1


def _relative(path: str, start: Path) -> str:
    return str(Path(path).relative_to(start)) if Path(path).is_relative_to(start) else path


# in our own suite we lie below the rootdir
_NOT_THE_USERS = str(Path(pytest_ragas.__file__).resolve().parent) + os.sep
