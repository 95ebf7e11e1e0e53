"""What the terminal shows while the end of the run waits for scores.

For whoever waits (the last drain of deferred verdicts, in the main thread, with capture suspended):

```python
progress = progress_of(suite)           # once; nothing is written yet
try:
    while not head.done():              # while there is nothing to report
        head.wait(0.1)
        progress.tick()                 # often, at least four times a second; writes only when due
    progress.clear()                    # before anything else writes to the terminal
    log(head)                           # as many reports as there are; then wait again
finally:
    progress.close()                    # the end of the wait, Ctrl-C too
```

On a terminal there is one live line below what pytest has written so far; it is wiped away by `clear()`, which
puts the cursor back to where pytest left it, so that dots and `-v` lines go on as if it had never been there.
Without a terminal (a file, CI) and with `-s` there is a line every ten seconds. With `-q`, in a worker of
pytest-xdist and with `-p no:terminal` there is nothing.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_ragas.reports.progress import Speed, Standing, progress_text

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

_REDRAWN = 0.2
"""Seconds between two changes of the live line, and before the first: short waits show nothing."""
_REPEATED = 10.0
"""Seconds between two lines where there is no terminal."""
_LIKELY_WIDTH = 120
"""Columns of a line that nobody's terminal shows."""


class Progress(Protocol):
    """Shows how far scoring is. Every method is for the main thread, while capture is suspended."""

    def tick(self) -> None:
        """Some time of waiting has passed: show how far scoring is, if it is time to."""

    def clear(self) -> None:
        """Something else is about to be written: leave the terminal as it was found. Harmless if nothing is shown."""

    def close(self) -> None:
        """The wait is over, well or not. Harmless if called twice."""


def progress_of(suite: Suite) -> Progress:
    """What is right for this run and its terminal."""
    reporter = suite.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or suite.is_worker or reporter.verbosity < 0:
        return Silent()
    # with -s tests print too, and nobody knows where the cursor is
    prints = suite.config.getoption("capture", "fd") == "no"
    if reporter.isatty and os.environ.get("TERM") != "dumb" and not prints:
        return LiveLine(reporter, suite.session.standing)
    return LinesNowAndThen(reporter, suite.session.standing)


class Silent:
    """Shows nothing."""

    def tick(self) -> None:
        """Nothing."""

    def clear(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class LiveLine:
    """One line below pytest's own output, written again and again, and wiped away before pytest goes on."""

    def __init__(
        self,
        reporter: pytest.TerminalReporter,
        standing: Callable[[], Standing],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            reporter: Of a terminal that understands cursor movements.
            standing: Tells how far scoring is.
            clock: Seconds.
        """
        self._reporter = reporter
        self._standing = standing
        self._clock = clock
        self._speed = Speed()
        self._due = clock() + _REDRAWN
        self._shown = ""
        self._column = 0

    def tick(self) -> None:
        """Draw, five times a second."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + _REDRAWN
        standing = self._standing()
        self._speed.note(now, standing)
        # one column less: a full line would wrap on some terminals
        text = progress_text(standing, self._speed, width=shutil.get_terminal_size().columns - 1)
        if text == self._shown:
            return
        if not self._shown:
            self._column = self._reporter._tw.width_of_current_line
        # write_raw: the reporter must not count this as its own line, whose width decides where "[ 55%]" goes
        start = "\n" if self._column and not self._shown else "\r"
        self._reporter.write_raw(f"{start}{text}\x1b[K", flush=True)
        self._shown = text

    def clear(self) -> None:
        """Wipe the line away, and go back to where pytest stopped writing."""
        if not self._shown:
            return
        self._shown = ""
        back = "\r\x1b[K"
        if self._column:
            back += "\x1b[A"
            if column := self._column % max(1, shutil.get_terminal_size().columns):
                back += f"\x1b[{column}C"
        self._reporter.write_raw(back, flush=True)

    def close(self) -> None:
        """The same."""
        self.clear()


class LinesNowAndThen:
    """A line every ten seconds, for output that is read later."""

    def __init__(
        self,
        reporter: pytest.TerminalReporter,
        standing: Callable[[], Standing],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            reporter: Writes into a file or a pipe.
            standing: Tells how far scoring is.
            clock: Seconds.
        """
        self._reporter = reporter
        self._standing = standing
        self._clock = clock
        self._speed = Speed()
        self._speed.note(clock(), standing())
        self._due = clock() + _REPEATED

    def tick(self) -> None:
        """Write, every ten seconds."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + _REPEATED
        standing = self._standing()
        self._speed.note(now, standing)
        self._reporter.write_line(progress_text(standing, self._speed, width=_LIKELY_WIDTH))
        self._reporter.flush()

    def clear(self) -> None:
        """Nothing: what is written stays."""

    def close(self) -> None:
        """Nothing."""
