"""How much of a comparison pytest's terminal shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ragas.plugin.baselines.comparing import COMPARED, stopped_line
from pytest_ragas.reports.comparison.terminal import comparison_lines, outcome_lines
from pytest_ragas.reports.terminal import Line, wrapped_lines

if TYPE_CHECKING:
    import pytest

    from pytest_ragas.plugin.suite import Suite


def write_comparison(suite: Suite, reporter: pytest.TerminalReporter) -> None:
    """Write the section `ragas comparison with …`; one line where there is nothing to compare, none if nobody asked."""
    width = reporter._tw.fullwidth
    compared = suite.config.stash.get(COMPARED, None)
    if compared is None:
        _write(reporter, wrapped_lines(stopped_line(suite), width, {"yellow": True}) if stopped_line(suite) else [])
        return
    if compared.result is None:
        write_red_comparison(suite, reporter)
        _write(reporter, wrapped_lines(compared.remark, width, {"yellow": True}) if compared.remark else [])
        return
    reporter.write_sep("=", f"ragas comparison with {compared.result.baseline}")
    _write(
        reporter,
        comparison_lines(
            compared.result,
            width=width,
            questions=compared.questions or {},
            causes=compared.causes,
            verbosity=reporter.verbosity,
        ),
    )


def write_red_comparison(suite: Suite, reporter: pytest.TerminalReporter) -> None:
    """Write only what turned the run red: an exit code needs its reason."""
    compared = suite.config.stash.get(COMPARED, None)
    if compared is None or not compared.red:
        return
    width = reporter._tw.fullwidth
    if compared.result is not None:
        _write(reporter, outcome_lines(compared.result, width=width))
    else:
        text = f"comparison impossible: {compared.problem}"
        _write(reporter, wrapped_lines(text, width, {"red": True, "bold": True}))


def _write(reporter: pytest.TerminalReporter, lines: list[Line]) -> None:
    for line in lines:
        reporter.write_line(line.text, **line.markup)
