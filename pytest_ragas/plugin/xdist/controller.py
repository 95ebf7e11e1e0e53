"""In the controller of pytest-xdist: whose verdicts are still owed, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.plugin.xdist.junit import forget_testcase
from pytest_ragas.plugin.xdist.shares import Dealing
from pytest_ragas.plugin.xdist.worker import CRASHED, OWED

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.values.spent import Spent


class Controller:
    """Keeps the ledger of owed verdicts, and deals out the limit of calls.

    A worker that defers a verdict sends the setup report of the test at once, and says so on it. Should it crash, the
    scheduler believes the test to be done: without the ledger it would be missing from every report.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._owed: dict[tuple[str, str], pytest.TestReport] = {}
        self._dealing: Dealing | None = None
        self._session: pytest.Session | None = None

    # ---- workers come and go ----------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker is about to start."""
        if self._dealing is None:
            self._dealing = Dealing(node.workerinput["workercount"])
        self._dealing.configure(node, age=self._suite.age)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker has ended: what it owes will not come."""
        if self._dealing is not None:
            self._dealing.forget(node)
        if error is None or error == "keyboard-interrupt":
            return  # it was stopped
        self._suite.crashed = True
        for key, setup in list(self._owed.items()):
            if key[1] == node.gateway.id:
                self._report_lost(key, setup, f"worker {node.gateway.id!r} {CRASHED}")

    def spent(self) -> Spent | None:
        """What the workers have spent from the common purse; None where nobody knows."""
        return self._dealing.spent() if self._dealing is not None else None

    # ---- the ledger -------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A verdict is owed, or has come."""
        key = (report.nodeid, getattr(report, "worker_id", ""))
        if report.when == "setup" and hasattr(report, OWED):
            self._owed[key] = report
        elif report.when != "setup" or report.failed:
            # not only with the teardown: Ctrl-C may come between them, and the verdict was told by then
            self._owed.pop(key, None)

    @pytest.hookimpl(trylast=True, specname="pytest_runtest_logreport")
    def pytest_runtest_logreport_counted(self) -> None:
        """After pytest has counted the report: if that stops the run, workers need not wait for scores."""
        session = self._session
        if session is not None and (session.shouldfail or session.shouldstop) and self._dealing is not None:
            self._dealing.stop_workers()

    def _report_lost(self, key: tuple[str, str], setup: pytest.TestReport, why: str) -> None:
        from pytest_ragas.plugin.results import attach
        from pytest_ragas.values.run import SampleResult

        del self._owed[key]
        report = pytest.TestReport(setup.nodeid, setup.location, setup.keywords, "failed", why, "setup")
        for name in ("node", "worker_id", "item_index", "testrun_uid"):
            if hasattr(setup, name):
                setattr(report, name, getattr(setup, name))
        if (lacking := json.loads(getattr(setup, OWED))) is not None:
            attach(report, [SampleResult.from_json(lacking)])
        hook = self._suite.config.hook
        hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=setup.nodeid, location=setup.location)

    # ---- the whole run ----------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """The end of the run, in whatever way it ends."""
        self._session = session
        try:
            result = yield
        except BaseException:
            if self._dealing is not None:
                self._dealing.stop_workers()
            raise
        # every worker has ended, and said so; one with an internal error is not known to have crashed
        for key, setup in list(self._owed.items()):
            self._report_lost(key, setup, f"worker {key[1]!r} ended before the scores of this test were there")
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Before reports are written: tests that were stopped count as not run."""
        for setup in self._owed.values():
            forget_testcase(self._suite.config, setup)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Workers have ended."""
        if self._dealing is not None:
            self._dealing.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests have no verdict."""
        if self._owed:
            terminalreporter.section("ragas: tests without a verdict", yellow=True)
            for nodeid, worker in self._owed:
                terminalreporter.write_line(f"no verdict: {nodeid} (interrupted, in worker {worker})")
