"""What the terminal shows while a testset is generated."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_ragas.plugin.suite import Suite

_REPEATED = 10.0
"""Seconds between two lines where there is no terminal."""


class GenerationLine:
    """A live line of a terminal, or a line every ten seconds; nothing with `-q` and in a worker of pytest-xdist.

    For the main thread, while tests are collected.
    """

    def __init__(self, suite: Suite, testset: str) -> None:
        """
        Args:
            suite: Of this process.
            testset: The file, as the user named it.
        """
        reporter: pytest.TerminalReporter | None = suite.config.pluginmanager.get_plugin("terminalreporter")
        quiet = reporter is None or suite.is_worker or reporter.verbosity < 0
        self._reporter = None if quiet else reporter
        self._capture = suite.config.pluginmanager.get_plugin("capturemanager")
        self._testset = testset
        self._shown = ""
        self._due = time.monotonic() + _REPEATED

    def __enter__(self) -> GenerationLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._reporter is not None:
            with self._uncaptured():
                self._reporter.write_raw("\r\x1b[K", flush=True)

    def begin(self, rows: int, model: str) -> None:
        """It begins: say so once, whatever the terminal."""
        if self._reporter is not None:
            with self._uncaptured():
                self._reporter.ensure_newline()
                self._reporter.write_line(f"ragas: generating {self._testset}: {rows} rows, with {model}")
                self._reporter.flush()

    def show(self, ready: int, of: int) -> None:
        """So many rows are judged well."""
        text = f"ragas: generating {self._testset}: {ready} of {of} rows"
        if self._reporter is None or text == self._shown:
            return
        if self._reporter.isatty:
            self._shown = text
            with self._uncaptured():
                self._reporter.write_raw(f"\r{text}\x1b[K", flush=True)
        elif time.monotonic() >= self._due:
            self._due = time.monotonic() + _REPEATED
            with self._uncaptured():
                self._reporter.write_line(text)
                self._reporter.flush()

    @contextlib.contextmanager
    def _uncaptured(self) -> Iterator[None]:
        if self._capture is None:
            yield
            return
        with self._capture.global_and_fixture_disabled():
            yield
