"""Deferred verdicts: the report block of a marked test is held back until its scores are there.

```text
setup, body -> answer handed over -> teardown -> block held        the next tests run
                        ... scored in the background ...
scores there -> verdict into the call report -> start, setup, call, teardown, finish are logged, in the order of the run
```

Reporters see ordinary blocks, only later. `docs/deferred.md` says what users may rely on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.plugin.deferral.block import Block
from pytest_ragas.plugin.deferral.critic_lifetime import CriticLifetimes
from pytest_ragas.plugin.deferral.held import HeldBlocks, stop_if_asked, stopping
from pytest_ragas.plugin.deferral.policy import Policy
from pytest_ragas.plugin.deferral.recorded_ahead import RecordedAhead
from pytest_ragas.plugin.garbage import larger_steps
from pytest_ragas.plugin.neighbours.barriers import Barriers
from pytest_ragas.plugin.neighbours.give_way import taken_by_others
from pytest_ragas.plugin.neighbours.timeout import TimeoutClock
from pytest_ragas.plugin.suite import TARGETS
from pytest_ragas.plugin.verdicts.verdict import ORDER, PENDING
from pytest_ragas.plugin.xdist.shares import told_to_stop

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.plugin.targets.answers import OwedAnswers

_MOST = 1_000
"""Blocks that are held at most: each keeps the fixture values of its test alive."""


class Deferred:
    """The hooks of deferred verdicts, of a pytest process that runs tests.

    Attributes:
        held: Blocks that wait for their scores.
        policy: Which tests are deferred.
    """

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.policy = Policy(suite)
        self.held = HeldBlocks(suite, told_to_stop=lambda: told_to_stop(suite.config))
        self._barriers = Barriers(suite)
        self._critics = CriticLifetimes(self._wait_in_a_phase)
        self._clock = TimeoutClock(suite.config)
        self._ahead = RecordedAhead(suite, self.policy)
        self._running: Block | None = None
        self._places: dict[pytest.Item, int] = {}

    # ---- one test -------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_runtest_protocol")
    # pytest ignores hooks, silently, whose own name does not begin with pytest_
    def pytest_runtest_protocol_around(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Outermost, also of time-outs: wait here for what must not be pending while the test runs; log afterwards."""
        if not self.policy.defers(item):
            self._before_another(item, nextitem)
        with self._barriers.around(item):
            result = yield
        self._clock.over()
        if not self._stops_early:
            self.held.log_ready(item.session)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Run a test whose verdict is deferred; leave every other one to pytest."""
        if not self.policy.defers(item):
            return None
        if (taken := taken_by_others(self, item, nextitem)) is not None:
            return taken
        self._running = block = Block(item)
        item.stash[ORDER] = self._place(item)
        try:
            self._run(block, nextitem)
        except BaseException:  # Ctrl-C, pytest.exit()
            block.pending = item.stash.get(PENDING, None)
            if block.pending is not None and not block.begun:
                self.held.drop(block, "interrupted")
            raise
        finally:
            self._running = None
            del item.stash[ORDER]
        return True

    def _run(self, block: Block, nextitem: pytest.Item | None) -> None:
        session = block.item.session
        with block.fixtures():
            block.run()
            self._ahead.over(block.item)
            self._before_teardown(block, nextitem)
            dropped = stopping(session)
            now = not dropped and (block.pending is None or self._in_order(nextitem))
            if now:
                block.conclude()
                block.log_phases()
            # a stop that was found just now tears everything down, as pytest does it
            block.tear_down(None if stopping(session) else nextitem)
        if now:
            block.log_teardown()
        elif dropped:
            self.held.drop(block)
        else:
            self.held.add(block)

    def _before_another(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Before a test that waits for nothing and reports at once."""
        closes = self._critics.close_with(nextitem)
        if (closes or self._stops_early) and not self._barriers.up:
            self.held.log_all(item.session)
            stop_if_asked(item.session)

    def _before_teardown(self, block: Block, nextitem: pytest.Item | None) -> None:
        """The last moment before a teardown, outside of every phase's capture and clock."""
        session = block.item.session
        if self._barriers.up:
            return  # whoever waited now would have scores made under somebody's patches
        if (owed := self._owed_by_targets(nextitem)) is not None:
            self._wait(session, down_to=len(self.held), also=owed)
        if self._critics.close_with(nextitem):
            self._wait(session, also=block)
        elif self._stops_early and (block.pending is None or self._in_order(nextitem)):
            self._wait(session, also=block)
        elif len(self.held) >= self._most:
            self._wait(session, down_to=self._most - 1)
        elif self._stops_early:
            self.held.log_ready(session)

    def _owed_by_targets(self, nextitem: pytest.Item | None) -> OwedAnswers | None:
        targets = self.suite.config.pluginmanager.get_plugin(TARGETS)
        owed: OwedAnswers | None = targets.owed_at(nextitem) if targets is not None else None
        return owed

    def _wait(self, session: pytest.Session, *, down_to: int = 0, also: Block | OwedAnswers | None = None) -> None:
        with self._clock.stopped():
            self.held.log_all(session, down_to=down_to, also=also)

    def _wait_in_a_phase(self) -> None:
        running = self._running.item.stash.get(PENDING, None) if self._running is not None else None
        with self._barriers.lifted():
            self.held.wait()
            if running is not None:
                running.results()

    def _place(self, item: pytest.Item) -> int:
        """Place in the order of the run, so that the oldest test is scored first, whenever it is handed over."""
        if item not in self._places:
            self._places = {other: place for place, other in enumerate(item.session.items)}
        return self._places.get(item, len(self._places))

    # ---- -x, --maxfail: what is reported is what a blocking run would report -------------------------

    @property
    def _stops_early(self) -> bool:
        return bool(self.suite.config.getoption("maxfail", 0))

    @property
    def _most(self) -> int:
        """How far the run may be ahead of its verdicts."""
        concurrency = self.suite.settings.concurrency
        return concurrency if self._stops_early else max(_MOST, 4 * concurrency)

    def _in_order(self, nextitem: pytest.Item | None) -> bool:
        """Whether this test's verdict must be there before the next test runs, which reports at once."""
        return self._stops_early and nextitem is not None and not self.policy.defers(nextitem)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Last in the setup: the models of the test are known."""
        self._ahead.set_up(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Outermost around the body."""
        __tracebackhide__ = True
        raised = True
        try:
            result = yield
            raised = False
            return result
        finally:
            if self._running is not None:
                self._running.body_is_over(raised=raised)

    # ---- fixtures ---------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Fixtures that patch the process, fixtures that judge."""
        __tracebackhide__ = True
        self._barriers.set_up(fixturedef)
        result = yield
        self._critics.set_up(fixturedef, request)
        return result

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> None:
        """Of pytest-timeout: a test's clock starts."""
        self._clock.starts(item, settings)

    # ---- the whole run ----------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Innermost, before the terminal says 100 % and gates are decided: wait for the verdicts that are left."""
        if self.suite.config.pluginmanager.has_plugin("dsession"):  # the controller of pytest-xdist, which runs no test
            return (yield)
        try:
            with larger_steps(len(session.items)):
                self._ahead.begin(session)
                result = yield
                self.held.log_all(session)
        except BaseException as error:
            if not isinstance(error, (session.Failed, session.Interrupted)):
                # once more Ctrl-C, or the same internal error again: then without the verdicts that are there
                with contextlib.suppress(KeyboardInterrupt, Exception):
                    self.held.log_finished()
                self.held.abandon("interrupted")
            self.held.abandon()
            raise
        finally:
            self._ahead.close()
        self.held.abandon()  # none is left, unless the run was stopped
        if not self.suite.is_worker:  # where the loop looks for itself
            stop_if_asked(session)
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests have no verdict."""
        self.held.write(terminalreporter)
