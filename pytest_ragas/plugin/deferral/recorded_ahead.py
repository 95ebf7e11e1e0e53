"""Answers that the testset already holds are scored from the start of the run on, before their tests' turn.

Only where it is sure that a test will be scored with them: its body is empty, nothing else of the test takes the row
to record something, and no mark keeps it from running. Nothing is asked of the critic LLM that is not needed.
"""

from __future__ import annotations

import contextlib
import dis
from collections import deque
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.errors import PytestRagasError
from pytest_ragas.plugin.deferral.lookahead import Lookahead, Upcoming, fixture_of, row_of, share_models
from pytest_ragas.plugin.fixtures import __name__ as OURS
from pytest_ragas.plugin.verdicts.verdict import AHEAD, PENDING, PREPARED, Ahead

if TYPE_CHECKING:
    from pytest_ragas.plugin.deferral.policy import Policy
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.session.evaluator import Evaluator

_MODELS = ("ragas_critic_llm", "ragas_embeddings", "ragas")
_NOTHING = frozenset({"RESUME", "NOP", "CACHE", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"})


class RecordedAhead:
    """Hands recorded answers over before their tests run."""

    def __init__(self, suite: Suite, policy: Policy) -> None:
        """
        Args:
            suite: Of this process.
            policy: Which tests' verdicts are deferred: only theirs are scored ahead.
        """
        self._suite = suite
        self._policy = policy
        self._lookahead = Lookahead(suite)
        self._bodies = RecordedBodies()
        # with their places in the order of the run
        self._waiting: deque[tuple[int, pytest.Item]] = deque()
        self._handed_over: list[pytest.Item] = []

    def begin(self, session: pytest.Session) -> None:
        """The run begins: hand over what is judged by the models of the settings."""
        if not Upcoming(session).is_known or self._suite.config.getoption("maxfail", 0):
            return  # who stops early, or does not know what runs here, is not ahead
        ours: list[tuple[int, pytest.Item]] = []
        for entry in enumerate(session.items):
            if self._is_sure(entry[1]):
                (ours if _judged_by_the_settings(entry[1]) else self._waiting).append(entry)
        if not ours:
            return
        with contextlib.suppress(PytestRagasError):  # the tests will show it
            models = self._suite.session
            evaluator = self._suite.evaluator(models.critic(), models.embeddings())
            for place, item in ours:
                self._hand_over(item, evaluator, place)
            models.engine.take_first_steps()

    def set_up(self, item: pytest.Item) -> None:
        """A test is set up, with models of the suite's own: hand over what they judge too, as far as it follows."""
        if PREPARED not in item.stash:
            return
        while self._waiting:
            place, other = self._waiting[0]
            if PREPARED not in other.stash:
                if not share_models(item, other):
                    return
                self._hand_over(other, item.stash[PREPARED].evaluator, place)
            self._waiting.popleft()

    def over(self, item: pytest.Item) -> None:
        """A test's body is over, or was not reached: what it did not use is not needed."""
        ahead = item.stash.get(AHEAD, None)
        if ahead is None:
            return
        pending = item.stash.get(PENDING, None)
        if pending is None or ahead.ticket not in pending.tickets:
            ahead.ticket.cancel()
        del item.stash[AHEAD]

    def close(self) -> None:
        """The run is over, before its end perhaps."""
        self._waiting.clear()
        for item in self._handed_over:
            self.over(item)

    def _hand_over(self, item: pytest.Item, evaluator: Evaluator, place: int) -> None:
        plan, row = self._lookahead.plan(item, evaluator), row_of(item)
        if plan is None or row is None:
            return
        with contextlib.suppress(PytestRagasError):  # the test will show it
            ticket = evaluator.submit(row, plan, nodeid=item.nodeid, order=place)
            item.stash[AHEAD] = Ahead(ticket=ticket, evaluator=evaluator, plan=plan)
            self._handed_over.append(item)

    def _is_sure(self, item: pytest.Item) -> bool:
        row = row_of(item)
        return (
            row is not None
            and row.response is not None
            and isinstance(item, pytest.Function)
            and self._bodies.do_nothing(item)
            and self._policy.defers(item)
            and not self._lookahead.is_barrier(item)
            and (arguments := self._lookahead.arguments(item)) is not None
            and arguments.target is None
            and self._lookahead.will_run(item)
        )


class RecordedBodies:
    """Which tests are scored with the answers of their rows, as nothing of them can record another one."""

    def __init__(self) -> None:
        self._empty: dict[CodeType, bool] = {}

    def do_nothing(self, item: pytest.Item) -> bool:
        """Whether the test's body is empty, and no fixture of the suite's takes its row."""
        code = getattr(item.function, "__code__", None) if isinstance(item, pytest.Function) else None
        if code is None or not isinstance(item, pytest.Function):
            return False
        if code not in self._empty:
            self._empty[code] = is_empty(code) and not _row_is_taken(item)
        return self._empty[code]


def is_empty(code: CodeType) -> bool:
    """Whether a function does nothing and returns None: `pass`, `...`, a docstring."""
    return all(
        step.opname in _NOTHING and (not step.opname.endswith("_CONST") or step.argval is None)
        for step in dis.get_instructions(code)
    )


def _row_is_taken(item: pytest.Function) -> bool:
    """Whether a fixture of the suite's takes the row: it may record an answer."""
    known: dict[str, Any] = item._fixtureinfo.name2fixturedefs
    return any("ragas_sample" in fixture.argnames for definitions in known.values() for fixture in definitions)


def _judged_by_the_settings(item: pytest.Item) -> bool:
    """Whether no fixture of the suite's own gives models to the test."""
    fixtures = [fixture_of(item, name) for name in _MODELS]
    return all(fixture is not None and fixture.func.__module__ == OURS for fixture in fixtures)
