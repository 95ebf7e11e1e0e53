"""`--ragas-estimate`: what the run would ask and cost, instead of the run. No test runs, and nobody is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.plugin.deferral.lookahead import Lookahead, fixture_of, row_of
from pytest_ragas.plugin.deferral.recorded_ahead import RecordedBodies
from pytest_ragas.plugin.fixtures import __name__ as OURS
from pytest_ragas.plugin.marker import MarkerArguments
from pytest_ragas.plugin.verdicts.verdict import is_marked

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.values.estimate import Estimate, Planned
    from pytest_ragas.values.sample import Sample

_QUESTION = "q" * 100
_ANSWER = "a" * 600
_CONTEXTS = tuple(f"{number} {'c' * 998}" for number in range(5))
"""What nobody knows: how long texts are in the mean of a RAG."""


def run_alone(config: pytest.Config) -> None:
    """Let no worker of pytest-xdist start: to count, one process is enough."""
    if hasattr(config.option, "dist"):
        config.option.dist, config.option.tx, config.option.numprocesses = "no", [], None


class Estimating:
    """Takes the place of the loop over the tests."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._lookahead = Lookahead(suite)
        self._bodies = RecordedBodies()
        self._estimate: Estimate | None = None
        self._others = self._missing = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        """Count, and run nothing."""
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            return None  # pytest ends the run
        from pytest_ragas.session.estimate import estimate

        planned = [test for item in session.items if (test := self._planned(item)) is not None]
        self._estimate = estimate(self._suite.settings, self._suite.session.registry, planned)
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write it, however quiet the terminal is to be: it is what was asked for."""
        if self._estimate is None:
            return
        from pytest_ragas.reports.estimate import estimate_lines

        lines = estimate_lines(
            self._estimate,
            self._suite.settings,
            width=terminalreporter._tw.fullwidth,
            others=self._others,
            missing=self._missing,
        )
        terminalreporter.write_sep("=", "ragas estimate")
        for line in lines:
            terminalreporter.write_line(line.text, **line.markup)

    def _planned(self, item: pytest.Item) -> Planned | None:
        """What a test will have scored; None where nothing is known, or nothing will be."""
        if not self._lookahead.will_run(item):
            return None
        if not is_marked(item):
            self._others += "ragas" in getattr(item, "fixturenames", ())
            return None
        arguments = self._lookahead.arguments(item)
        if arguments is None:
            return None
        if row_of(item) is None and arguments.testset is not None:
            self._missing += 1
            return None
        return self._of(item, arguments)

    def _of(self, item: pytest.Item, arguments: MarkerArguments) -> Planned:
        from pytest_ragas.values.estimate import Planned
        from pytest_ragas.values.sample import Sample

        row = row_of(item) or Sample()
        certain = row.response is not None and arguments.target is None and self._bodies.do_nothing(item)
        answered = row.response is not None and arguments.target is None
        return Planned(
            sample=row if certain else _assumed(row, fresh=arguments.target is not None),
            basis="recorded" if certain else "row" if answered else "assumed",
            metrics=arguments.metrics,
            thresholds=tuple((arguments.thresholds or {}).items()),
            repeats=arguments.repeats,
            critic=_overridden(item, "ragas_critic_llm"),
            embeddings=_overridden(item, "ragas_embeddings"),
        )


def _assumed(row: Sample, *, fresh: bool) -> Sample:
    """The row with an answer: its own, else one of a likely length.

    Args:
        row: Of the testset.
        fresh: Whether it will surely get another answer than the one that it has.
    """
    changes: dict[str, Any] = {}
    if not row.user_input:
        changes["user_input"] = _QUESTION
    if row.response is None or fresh:
        changes["response"] = row.reference or _ANSWER
    if row.retrieved_contexts is None or fresh:
        changes["retrieved_contexts"] = row.reference_contexts or _CONTEXTS
    return replace(row, **changes)


def _overridden(item: pytest.Item, name: str) -> str:
    """Where the suite brings this model itself; empty where it is the one of the settings."""
    fixture = fixture_of(item, name)
    if fixture is None or fixture.func.__module__ == OURS:
        return ""
    # each parameter of a fixture is another model
    number = getattr(getattr(item, "callspec", None), "indices", {}).get(name)
    which = "" if number is None else f" [{number}]"
    return f"{name} in {fixture.func.__module__.rpartition('.')[2]}.py{which}"
