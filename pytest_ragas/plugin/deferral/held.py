"""The queue of report blocks whose scores are not there yet: logged in the order of the run, and waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.plugin.deferral.block import Block
from pytest_ragas.plugin.terminal.progress import progress_of

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.plugin.targets.answers import OwedAnswers

_SLICE = 0.1
"""Seconds between two looks at whether anything else has happened."""


class HeldBlocks:
    """Report blocks of tests that are over, oldest first.

    Attributes:
        unreported: Tests that ended without a verdict, and why, for the end of the run to say.
        ahead: Tests that were ahead of one that stopped the run: they count as not run.
    """

    def __init__(self, suite: Suite, *, told_to_stop: Callable[[], bool]) -> None:
        """
        Args:
            suite: Of this process.
            told_to_stop: Whether the run is over for reasons that this process cannot see.
        """
        self._suite = suite
        self._told_to_stop = told_to_stop
        self._blocks: deque[Block] = deque()
        self.unreported: list[tuple[str, str]] = []
        self.ahead = 0

    def __len__(self) -> int:
        return len(self._blocks)

    def add(self, block: Block) -> None:
        """Hold a block back."""
        block.hold()
        self._blocks.append(block)

    def log_ready(self, session: pytest.Session) -> None:
        """Log the blocks at the head of the queue whose scores are there; none after the run was stopped."""
        while self._blocks and not stopping(session):
            pending = self._blocks[0].pending
            if pending is not None and not pending.done():
                return
            _log(self._blocks.popleft())

    def log_finished(self) -> None:
        """The run was interrupted: log every block whose scores are there, also behind one that has none."""
        for block in tuple(self._blocks):
            if block.pending is None or block.pending.done():
                self._blocks.remove(block)
                _log(block)

    def log_all(self, session: pytest.Session, *, down_to: int = 0, also: Block | OwedAnswers | None = None) -> None:
        """Wait for scores and log blocks, oldest first, until the run is stopped or enough are logged.

        Args:
            session: Of this process.
            down_to: So many blocks may stay.
            also: What else to wait for: a block that is not in the queue and is not logged, answers of a target.
        """
        progress = progress_of(self._suite)
        try:
            while True:
                if any(block.pending is None or block.pending.done() for block in [*self._blocks][:1]):
                    progress.clear()
                    self.log_ready(session)
                if stopping(session):
                    return
                waiting = self._blocks[0] if len(self._blocks) > down_to else also
                if waiting is None or waiting.pending is None:
                    return
                if waiting is also and waiting.pending.done():
                    return
                waiting.pending.wait(_SLICE)
                progress.tick()
                if self._told_to_stop():
                    session.shouldstop = "the run was stopped"
        finally:
            progress.close()

    def wait(self) -> None:
        """Wait for the scores of every block, without logging any: for the middle of a phase."""
        for block in tuple(self._blocks):
            if block.pending is not None:
                block.pending.results()

    def abandon(self, why: str = "") -> None:
        """Give up on every block that is left; see `drop`."""
        while self._blocks:
            self.drop(self._blocks.popleft(), why)

    def drop(self, block: Block, why: str = "") -> None:
        """Give up on one block: what is being scored for it is cancelled.

        Args:
            block: Of a test that is over.
            why: Why it has no verdict. Empty where a test before it has stopped the run: then it counts as not run.
        """
        if block.pending is not None:
            block.pending.cancel()
        if why:
            self.unreported.append((block.item.nodeid, why))
        else:
            self.ahead += 1
            if block.closed_others_badly:
                block.log_teardown()

    def write(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say at the end of the run which tests have no verdict."""
        if self.unreported:
            terminalreporter.section("ragas: tests without a verdict", yellow=True)
            for nodeid, why in self.unreported:
                terminalreporter.write_line(f"no verdict: {nodeid} ({why})")
        if self.ahead and terminalreporter.verbosity >= 0:
            tests = "1 test was" if self.ahead == 1 else f"{self.ahead} tests were"
            terminalreporter.write_line(f"ragas: {tests} ahead of the one that stopped the run, and not scored")


def _log(block: Block) -> None:
    block.conclude()
    block.log_phases()
    block.log_teardown()


def stopping(session: pytest.Session) -> bool:
    """Whether no further test is to be run or reported (-x, --maxfail, Ctrl-C)."""
    return bool(session.shouldfail or session.shouldstop)


def stop_if_asked(session: pytest.Session) -> None:
    """End the loop over the tests as pytest's own does it.

    Raises:
        Failed: There were enough failures.
        Interrupted: Somebody asked for it.
    """
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
