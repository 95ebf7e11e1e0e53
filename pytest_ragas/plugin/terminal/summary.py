"""When and how much of the scores pytest's terminal shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.gates.aggregate import mean_interval
from pytest_ragas.plugin.budget import spent
from pytest_ragas.plugin.terminal.comparison import write_comparison, write_red_comparison
from pytest_ragas.reports.budget import budget_line
from pytest_ragas.reports.terminal import Line, gate_lines, summary_lines, wrapped_lines

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite


def write_summary(suite: Suite, reporter: pytest.TerminalReporter) -> None:
    """Write the section `ragas summary`; nothing where nothing was scored and no gate was decided.

    What turned the run red, a gate or a comparison, is written however quiet the terminal is to be: an exit code needs
    its reason.
    """
    suite.summarised = True
    verdicts = suite.verdicts
    if not suite.results and not verdicts:
        write_comparison(suite, reporter)
        return
    if reporter.no_summary or suite.settings.summary == "off" or reporter.verbosity < -1:
        write_reasons(suite, reporter)
        return
    run = suite.run()
    lines = summary_lines(
        run,
        verdicts,
        width=reporter._tw.fullwidth,
        level=suite.settings.summary,
        interval=mean_interval,
        verbosity=reporter.verbosity,
        unasked=suite.unasked,
        stopped=suite.stopped and bool(suite.settings.gates),
    )
    reporter.write_sep("=", "ragas summary")
    _write(reporter, lines)
    _write(reporter, _budget(suite, reporter, run.seconds))
    write_comparison(suite, reporter)


def _budget(suite: Suite, reporter: pytest.TerminalReporter, seconds: float) -> list[Line]:
    total, most = spent(suite), suite.settings.max_seconds
    line = budget_line(suite.settings, total, seconds=seconds)
    full = total.refused or (most is not None and seconds > most)
    return wrapped_lines(line, reporter._tw.fullwidth, {"yellow": True} if full else {}) if line else []


def write_reasons(suite: Suite, reporter: pytest.TerminalReporter) -> None:
    """Write only what turned the run red."""
    red = [verdict for verdict in suite.verdicts if verdict.outcome != "passed"]
    _write(reporter, gate_lines(red, width=reporter._tw.fullwidth))
    write_red_comparison(suite, reporter)


def _write(reporter: pytest.TerminalReporter, lines: Iterable[Line]) -> None:
    for line in lines:
        reporter.write_line(line.text, **line.markup)
