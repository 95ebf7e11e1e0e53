"""`target="rag"`: the plugin calls the RAG for the whole testset ahead, and scores answers as they arrive.

```text
the first test that names the target is set up: the fixture gives the callable, and every row of every test
of this run that it answers is in line. Each test then takes its own answer, wherever that has got to.
```

`docs/target.md` says what users may rely on.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
import sys
from collections.abc import Generator
from concurrent.futures import CancelledError
from functools import cached_property
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.plugin.current import current_item
from pytest_ragas.plugin.deferral.held import stopping
from pytest_ragas.plugin.deferral.lookahead import (
    Lookahead,
    Upcoming,
    fixture_of,
    is_parameter,
    row_of,
    share_models,
    shares,
)
from pytest_ragas.plugin.handle import SampleHandle
from pytest_ragas.plugin.scoring_logs import note_logs
from pytest_ragas.plugin.suite import TARGETS, Suite
from pytest_ragas.plugin.targets.answers import Answer, Interrupts, OwedAnswers, TargetHandle
from pytest_ragas.plugin.verdicts.blocking import IN_BODY
from pytest_ragas.plugin.verdicts.verdict import HANDLE, ORDER, PENDING, PREPARED, Prepared
from pytest_ragas.plugin.xdist.shares import place_among_workers
from pytest_ragas.scoring.shares import static_share
from pytest_ragas.scoring.target import Target, read_target
from pytest_ragas.scoring.target_calls import TargetCalls
from pytest_ragas.values.sample import Sample

_PATIENCE = 2.0
"""Seconds that a teardown waits for calls that nobody needs any more, and that cannot be stopped."""
_PATIENCE_AT_THE_END = 0.5
"""The same after Ctrl-C."""


def targets_of(suite: Suite) -> Targets:
    """The targets of this pytest process; from now on there are some."""
    plugin = suite.config.pluginmanager.get_plugin(TARGETS)
    if plugin is None:
        suite.use()
        plugin = Targets(suite)
        suite.config.pluginmanager.register(plugin, TARGETS)
    targets: Targets = plugin
    return targets


class Live:
    """A target while its fixture lives, and the answers that it was asked for.

    Attributes:
        ahead: Answers to tests that have not begun.
        taken: Answers to tests that have, and wait for them or go on meanwhile.
        considered: Place of the first test that it was not asked for yet.
    """

    def __init__(
        self, fixture: pytest.FixtureDef[Any] | None, value: object, node: pytest.Item | pytest.Collector | None
    ) -> None:
        """
        Args:
            fixture: Its definition.
            value: What it gave.
            node: With whose teardown it is torn down; None for a parameter.
        """
        self.fixture = fixture
        self.node = node
        self.value = value
        # as the fixture left it: what tests set later belongs to them
        self.context = contextvars.copy_context()
        self.ahead: dict[pytest.Item, Answer] = {}
        self.taken: dict[Answer, None] = {}
        self.considered = 0
        self._target: Target | None = None

    def target(self, *, name: str, where: str) -> Target:
        """How it is called.

        Raises:
            ConfigurationError: It is no target.
        """
        if self._target is None:
            self._target = read_target(self.value, name=name, where=where)
        return self._target

    def take(self, answer: Answer) -> None:
        """A test takes its answer."""
        if not answer.is_there:
            self.taken[answer] = None

    @property
    def function(self) -> Any:
        """What is called; None where that was not found out."""
        return self._target.function if self._target is not None else None


class Targets:
    """The hooks of targets, of a pytest process that runs tests.

    Attributes:
        names: Of the fixtures that markers name.
        interrupts: Where targets end the run.
    """

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.interrupts = Interrupts()
        self.names: set[str] = set()
        self._live: dict[tuple[object, int], Live] = {}
        self._upcoming: Upcoming | None = None
        self._over = False

    @cached_property
    def calls(self) -> TargetCalls:
        """Where targets are called; no thread yet."""
        settings = self.suite.settings
        calls = TargetCalls(concurrency=self._share, timeout=settings.target_timeout)
        self.suite.config.add_cleanup(calls.close)
        return calls

    @property
    def _share(self) -> int:
        """How many calls this process may have under way: the limit is the run's."""
        number, workers = place_among_workers(self.suite.config)
        return static_share(self.suite.settings.target_concurrency, workers, number)

    @cached_property
    def _lookahead(self) -> Lookahead:
        return Lookahead(self.suite)

    # ---- one test -------------------------------------------------------------------------------

    def handle(self, item: pytest.Item, name: str, row: Sample) -> SampleHandle:
        """The handle of a test that is being set up, with the answer that was asked for ahead, or will be.

        Raises:
            ConfigurationError: The fixture gives no target.
        """
        self.interrupts.look()
        request: pytest.FixtureRequest = item._request  # type: ignore[attr-defined]  # of every Function
        live = self._find(fixture_of(item, name), request.getfixturevalue(name))
        target = live.target(name=name, where=item.nodeid)
        answer = live.ahead.pop(item, None) or self._answer(live, target, item, row)
        live.take(answer)
        item.stash[_LIVE] = live
        return TargetHandle(row, answer)

    def _answer(self, live: Live, target: Target, item: pytest.Item, row: Sample) -> Answer:
        return Answer(
            row,
            target,
            self.calls,
            nodeid=item.nodeid,
            context=live.context,
            interrupts=self.interrupts,
            over=lambda answer: live.taken.pop(answer, None),
        )

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Last of all in the setup of a test: call its target for it, and for the tests that come."""
        prepared = item.stash.get(PREPARED, None)
        if prepared is None or prepared.handle.answer is None:
            return
        if self._upcoming is None:
            self._upcoming = Upcoming(item.session)
        order = item.stash.get(ORDER, self._upcoming.place(item))
        prepared.handle.answer.hand_over(prepared.evaluator, prepared.plan, order=order)
        if not self._lookahead.is_barrier(item):
            self._ask_ahead(item, prepared, order, self._upcoming)

    def _ask_ahead(self, item: pytest.Item, prepared: Prepared, order: int, upcoming: Upcoming) -> None:
        live = item.stash[_LIVE]
        if live.fixture is None:
            return
        if not upcoming.is_known:
            self._forget_what_was_taken_away(live, {other for _, other in upcoming.after(item)})
        room = self._room(upcoming)
        for distance, other in upcoming.after(item, start=live.considered):
            if len(live.ahead) >= room:
                return
            live.considered = upcoming.place(other) + 1
            if other in live.ahead:
                continue
            if shares(live.fixture, item, other):
                self._ask(item, other, live, prepared, order + distance)
            elif not is_parameter(live.fixture) and fixture_of(other, live.fixture.argname) is live.fixture:
                live.considered = sys.maxsize  # the fixture is made anew for that test: this value does not outlive it
                return

    def _ask(self, item: pytest.Item, other: pytest.Item, live: Live, prepared: Prepared, order: int) -> None:
        arguments, row = self._lookahead.arguments(other), row_of(other)
        assert live.fixture is not None
        if arguments is None or arguments.target != live.fixture.argname or row is None:
            return
        if self._lookahead.is_barrier(other) or not self._lookahead.will_run(other):
            return
        plan = self._lookahead.plan(other, prepared.evaluator)
        if plan is None:
            return
        answer = self._answer(live, live.target(name=arguments.target, where=other.nodeid), other, row)
        answer.ask(order)
        if share_models(item, other):
            answer.hand_over(prepared.evaluator, plan, order=order)
        live.ahead[other] = answer

    def _room(self, upcoming: Upcoming) -> float:
        """How many answers may be ahead."""
        config = self.suite.config
        if config.getoption("maxfail", 0) or config.getoption("stepwise", False):
            return self._share
        return math.inf if upcoming.is_known else 2 * self._share

    @staticmethod
    def _forget_what_was_taken_away(live: Live, coming: set[pytest.Item]) -> None:
        """pytest-xdist may give to another worker what this one has not begun."""
        for other in [other for other in live.ahead if other not in coming]:
            live.ahead.pop(other).cancel()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """What a test did not use is not asked for any longer: it was skipped, its body failed, it recorded its own."""
        for live in self._live.values():
            if (unused := live.ahead.pop(item, None)) is not None:
                unused.cancel()
        _cancel_unused(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What a target raised is shown with its own frames, and with the line of the test where that read it."""
        handle = item.stash.get(HANDLE, None)
        if call.when == "call" and call.excinfo is not None and isinstance(handle, TargetHandle):
            error = call.excinfo.value
            if handle.answer.is_of(error) and not _passes_through(call.excinfo, item):
                frames = handle.answer.own_frames()
                call.excinfo = pytest.ExceptionInfo.from_exc_info((type(error), error.with_traceback(frames), frames))
            note_logs(item, handle.answer.records)
        report = yield
        over = call.when == "call" or call.excinfo is not None
        if over and not item.stash.get(IN_BODY, False):  # a subtest's report says nothing of that
            _cancel_unused(item)
        return report

    # ---- the fixture ----------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """A fixture has its value: it may be a target."""
        value = yield
        if fixturedef.argname in self.names and fixturedef.scope != "function":
            live = Live(fixturedef, value, request.node)
            self._live[_key(fixturedef, value)] = live
            # added after those of the fixture itself: it runs before them
            fixturedef.addfinalizer(functools.partial(self._close, live, request.session))
        return value

    def _find(self, fixture: pytest.FixtureDef[Any] | None, value: object) -> Live:
        key = _key(fixture, value)
        if key not in self._live:
            self._live[key] = Live(fixture, value, None)
        return self._live[key]

    def _close(self, live: Live, session: pytest.Session) -> None:
        """The fixture is about to be torn down: nothing may call what it gave any more."""
        self._live.pop(_key(live.fixture, live.value), None)
        for answer in live.ahead.values():
            answer.cancel()
        live.ahead.clear()
        if live.function is None:
            return
        if not self._over and not stopping(session):
            self._wait_for(live)
        for answer in tuple(live.taken):
            answer.cancel()
        self.calls.settle(live.function, _PATIENCE_AT_THE_END if self._over else _PATIENCE)

    def _wait_for(self, live: Live) -> None:
        waiting = tuple(live.taken)
        if waiting:
            # the teardown of this test is not to be blamed for answers to others
            cancel = getattr(self.suite.config.hook, "pytest_timeout_cancel_timer", None)
            with contextlib.suppress(ConfigurationError):
                if cancel is not None:
                    cancel(item=current_item("a teardown"))
        for answer in waiting:
            with contextlib.suppress(CancelledError):
                answer.arrive()

    def owed_at(self, nextitem: pytest.Item | None) -> OwedAnswers | None:
        """The answers that must be there before the teardown that comes now; None where it closes no target.

        Args:
            nextitem: The test that runs next: what it needs stays.
        """
        needed = nextitem.listchain() if nextitem is not None else []
        closing = [live for live in self._live.values() if live.node is not None and live.node not in needed]
        owed = [answer for live in closing for answer in tuple(live.taken) if answer.was_asked]
        return OwedAnswers(owed) if owed else None

    def pytest_keyboard_interrupt(self) -> None:
        """Ctrl-C, pytest.exit(): what is torn down from now on waits for nothing."""
        self._over = True


_LIVE = pytest.StashKey[Live]()


def _key(fixture: object, value: object) -> tuple[object, int]:
    return fixture, id(value)


def _cancel_unused(item: pytest.Item) -> None:
    """Of a test whose body is over, or was not reached."""
    answer = item.stash[HANDLE].answer if HANDLE in item.stash else None
    pending = item.stash.get(PENDING, None)
    if answer is not None and (pending is None or answer.ticket not in pending.tickets):
        answer.cancel()


def _passes_through(excinfo: pytest.ExceptionInfo[BaseException], item: pytest.Item) -> bool:
    """Whether the test's own function is on the traceback: it read the answer, and was to see the exception."""
    code = getattr(getattr(item, "function", None), "__code__", None)
    return any(entry.frame.code.raw is code for entry in excinfo.traceback)
