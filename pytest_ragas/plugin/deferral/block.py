"""The report block of one test: start, setup, call, teardown, finish. Made as it runs, logged when its turn comes.

Only the main thread makes and logs reports, between the phases of tests: inside of them capture is active.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from _pytest.runner import call_and_report

from pytest_ragas.plugin.neighbours.allure import AllureHold
from pytest_ragas.plugin.results import ATTRIBUTE, attach, load
from pytest_ragas.plugin.scoring_logs import file_logs
from pytest_ragas.plugin.verdicts.verdict import HANDLE, PENDING, PREPARED, Pending, conclude
from pytest_ragas.plugin.xdist.worker import Place, place_of


class Block:
    """One run of one test, with reports that wait to be logged.

    Attributes:
        pending: The scores that it waits for; None where there is nothing to wait for.
    """

    def __init__(self, item: pytest.Item) -> None:
        self.item = item
        self.pending: Pending | None = None
        self._hook = item.ihook  # for each use of it, pytest would look for conftest.py files anew
        self._place: Place = place_of(item)
        self._setup: pytest.TestReport | None = None
        self._call: pytest.TestReport | None = None
        self._teardown: pytest.TestReport | None = None
        self._raised = False
        self._closed_others = False
        self._begun = False
        self._setup_logged = False
        # of the moment after the call, which a verdict that comes later belongs to
        self._funcargs: dict[str, Any] = {}
        self._properties = 0
        self._sections: list[tuple[str, str, str]] = []
        self._allure = AllureHold(item)

    # ---- running: what `_pytest.runner.runtestprotocol` does, with the logging taken out of it -----

    @contextlib.contextmanager
    def fixtures(self) -> Iterator[None]:
        """Around setup, call and teardown: what belongs to the fixtures of this run."""
        item: Any = self.item
        if not item._request:  # where another plugin ran it before
            item._initrequest()
        try:
            yield
        finally:
            item._request, item.funcargs = False, None

    def run(self) -> None:
        """Setup and call."""
        item = self.item
        self._setup = call_and_report(item, "setup", log=False)
        if not self._setup.passed:
            return
        self._call = call_and_report(item, "call", log=False)
        self.pending = item.stash.get(PENDING, None)
        self._funcargs = dict(getattr(item, "funcargs", None) or {})
        self._properties = len(item.user_properties)
        self._sections = list(item._report_sections)

    def body_is_over(self, *, raised: bool) -> None:
        """The body is over, and its report is not made yet.

        Args:
            raised: Whether it was ended by an exception, perhaps after the answer was handed over.
        """
        self._raised = raised
        self._allure.note()

    def tear_down(self, nextitem: pytest.Item | None) -> None:
        """Teardown."""
        self._closed_others = nextitem is None or self.item.parent not in nextitem.listchain()
        self._teardown = call_and_report(self.item, "teardown", log=False, nextitem=nextitem)

    @property
    def begun(self) -> bool:
        """Whether anything of it was logged."""
        return self._begun

    @property
    def closed_others_badly(self) -> bool:
        """Whether its teardown, in which fixtures of a class, a module or the session were closed, was an error."""
        return self._closed_others and self._teardown is not None and self._teardown.failed

    # ---- the verdict ------------------------------------------------------------------------------

    def conclude(self) -> None:
        """Put the verdict into the reports. Waits for the scores; to be called once."""
        if self.pending is None:
            return
        assert self._call is not None
        properties = self.item.user_properties
        late = properties[self._properties :]
        del properties[self._properties :]
        error = conclude(self.pending)
        added = properties[self._properties :]
        remake = error is not None and not self._raised
        self._allure.give_back(broken=remake)
        if error is None or not remake:
            self._call.user_properties.extend(added)
            load(self.item, self._call)
            file_logs(self.item, self._call)
        else:
            self._call = self._remade(self._call, error)
        properties.extend(late)
        if self._teardown is not None:
            self._teardown.user_properties[self._properties : self._properties] = added

    def _remade(self, old: pytest.TestReport, error: BaseException) -> pytest.TestReport:
        """The call report again, now with the verdict as the exception that ended the call.

        Through the same hooks as every report, so that xfail, extras of HTML reports, allure ... apply to it.
        """
        item: Any = self.item

        def end_badly() -> None:
            raise error

        call = pytest.CallInfo.from_call(end_badly, when="call")
        call.start, call.stop, call.duration = old.start, old.stop, old.duration
        now = item.funcargs, item._report_sections
        # hooks of conftest.py files look at the fixtures of a test that failed, as pytest's own docs show them
        item.funcargs, item._report_sections = self._funcargs, list(self._sections)
        try:
            report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
            if report.failed and not hasattr(report, "wasxfail"):
                item.ihook.pytest_exception_interact(node=item, call=call, report=report)
        finally:
            item.funcargs, item._report_sections = now
        # what the helpers scored in the body came with the report that this one replaces
        attach(report, getattr(old, ATTRIBUTE, ()), first=True)
        return report

    # ---- logging ----------------------------------------------------------------------------------

    def hold(self) -> None:
        """The test is over, its verdict is not there: what belongs to the reports is taken out of others' reach."""
        self._allure.take()
        if self._place.crashes_unseen and self._setup is not None:
            # so that the controller can miss the verdict if this worker crashes
            self._place.announce(self.item, self._setup)
            self._log([self._setup])
            self._setup_logged = True

    def log_phases(self) -> None:
        """Log setup and call."""
        reports = [] if self._setup_logged else [self._setup]
        self._setup_logged = True
        self._log([report for report in (*reports, self._call) if report is not None])

    def log_teardown(self) -> None:
        """Log the teardown, and that the test is over."""
        self._log([report for report in [self._teardown] if report is not None])
        with self._place:
            self._hook.pytest_runtest_logfinish(nodeid=self.item.nodeid, location=self.item.location)
        # pytest keeps every item until the end of the run, and futures, contexts and answers of ten thousand with it
        _forget(self.item, PENDING, PREPARED, HANDLE)

    def _log(self, reports: Sequence[pytest.TestReport]) -> None:
        hook = self._hook
        with self._place:
            if not self._begun:
                self._begun = True
                hook.pytest_runtest_logstart(nodeid=self.item.nodeid, location=self.item.location)
            for report in reports:
                hook.pytest_runtest_logreport(report=report)


def _forget(item: pytest.Item, *keys: pytest.StashKey[Any]) -> None:
    for key in keys:
        if key in item.stash:
            del item.stash[key]
