"""How far a command is, on standard error: one line of a terminal, or a line now and then."""

from __future__ import annotations

import sys
import time

_EVERY = 2.0
"""Seconds between two lines, where standard error is no terminal."""


class LiveLine:
    """`generating: 3 of 10 rows`; wiped away at the end."""

    def __init__(self, doing: str) -> None:
        """
        Args:
            doing: What the command does: "generating".
        """
        self._doing = doing
        self._live = sys.stderr.isatty()
        self._next = time.monotonic() + _EVERY
        self._shown = ""

    def __enter__(self) -> LiveLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __call__(self, ready: int, of: int) -> None:
        """Show how many rows are ready, if it is time to."""
        text = f"{self._doing}: {ready:,} of {of:,} rows"
        if text == self._shown:
            return
        if self._live:
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            print(text, file=sys.stderr, flush=True)
        else:
            return
        self._shown = text
