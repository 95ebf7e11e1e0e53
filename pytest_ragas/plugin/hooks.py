"""The hooks that only a suite that uses us needs; registered when it first does (`Suite.use`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from pytest_ragas.plugin.baselines.facts import hear, tell
from pytest_ragas.plugin.budget import receive_spent, send_spent
from pytest_ragas.plugin.generating.generated import NOTES
from pytest_ragas.plugin.results import forget, gather, load, pack, receive_models, send_models, unpack
from pytest_ragas.plugin.scoring_logs import file_logs
from pytest_ragas.plugin.settings_error import stop_if_sent
from pytest_ragas.plugin.suite import Suite
from pytest_ragas.plugin.terminal.header import header_line
from pytest_ragas.plugin.terminal.summary import write_reasons, write_summary
from pytest_ragas.plugin.verdicts.blocking import IN_BODY, score_what_is_returned, set_up, wait_for_scores
from pytest_ragas.plugin.verdicts.outcomes import settle_report
from pytest_ragas.plugin.verdicts.verdict import ORDER, PENDING, PREPARED, is_marked, note_unscored, start_anew


class Hooks:
    """Of one pytest process; each carries a call to where it is decided."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """In the controller: a worker could not use the settings."""
        if not self.suite.is_worker:
            stop_if_sent(report)

    def pytest_report_collectionfinish(self, config: pytest.Config, items: list[pytest.Item]) -> list[str]:
        """Below "collected N items", which a quiet run does not print either."""
        quiet = config.getoption("verbose") < 0 or self.suite.settings_error
        generated = [f"ragas: {note}" for note in config.stash.get(NOTES, ())]
        return generated if quiet else [*generated, header_line(self.suite, items)]

    @pytest.hookimpl(tryfirst=True, specname="pytest_runtest_setup")
    def pytest_runtest_setup_begins(self, item: pytest.Item) -> None:
        """First in the setup: what an earlier attempt of the same test has left is not this one's."""
        forget(item)
        start_anew(item)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Last in the setup: what a marked test will be scored with."""
        if is_marked(item):
            set_up(item)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Innermost around the body: catch what it returns, hand over its answers, wait for their scores."""
        if PREPARED not in item.stash:
            return (yield)
        result = yield from score_what_is_returned(item)
        if (pending := item.stash.get(PENDING, None)) is not None and ORDER not in item.stash:
            wait_for_scores(pending)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Outermost: every other plugin has said what it expects; show our errors as what they are."""
        report = yield
        settle_report(item, call, report)
        if not item.stash.get(IN_BODY, False):  # a subtest's report says nothing of the test's own scores
            note_unscored(item, call, report)
            load(item, report)
            if self.suite.is_worker:
                tell(self.suite, report)
            file_logs(item, report)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Where all reports meet: the only process, or the controller of pytest-xdist."""
        if not self.suite.is_worker:
            gather(self.suite, report)
            hear(self.suite, report)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """A report leaves the process."""
        return pack((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self) -> Generator[None, Any, Any]:
        """A report arrives."""
        return unpack((yield))

    def pytest_sessionfinish(self) -> None:
        """A worker's last words."""
        if self.suite.is_worker:
            send_models(self.suite)
            send_spent(self.suite)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended."""
        receive_models(self.suite, node)
        receive_spent(self.suite, node)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Scores and gates, before pytest's own short summary."""
        write_summary(self.suite, terminalreporter)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Before pytest 9.2, `--no-summary` keeps the hook above from being called."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self.suite.summarised:
            write_reasons(self.suite, reporter)
