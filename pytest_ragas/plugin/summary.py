"""When and how much of the scores pytest's terminal shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.gates.aggregate import mean_interval
from pytest_ragas.reports.terminal import Line, gate_lines, summary_lines

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite


def write_summary(suite: Suite, reporter: pytest.TerminalReporter) -> None:
    """Write the section `ragas summary`; nothing where nothing was scored and no gate was decided.

    Gates that turned the run red are written however quiet the terminal is to be: an exit code needs its reason.
    """
    verdicts = suite.verdicts or ()
    if not suite.results and not verdicts:
        return
    width, verbosity = reporter._tw.fullwidth, reporter.verbosity
    if reporter.no_summary or suite.settings.summary == "off" or verbosity < -1:
        red = [verdict for verdict in verdicts if verdict.outcome != "passed"]
        _write(reporter, gate_lines(red, width=width))
        return
    lines = summary_lines(
        suite.run(),
        verdicts,
        width=width,
        level=suite.settings.summary,
        interval=mean_interval,
        verbosity=verbosity,
    )
    reporter.write_sep("=", "ragas summary")
    _write(reporter, lines)


def _write(reporter: pytest.TerminalReporter, lines: Iterable[Line]) -> None:
    for line in lines:
        reporter.write_line(line.text, **line.markup)
