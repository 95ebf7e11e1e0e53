"""The line that is shown while the end of the run waits for scores."""

from __future__ import annotations

import io
import re

import pytest
from plugin_screen import Screen

from pytest_ragas.plugin.terminal.progress import LinesNowAndThen, LiveLine
from pytest_ragas.reports.progress import Standing


class Terminal(io.StringIO):
    """A file that pytest takes for a terminal."""

    def __init__(self, screen: Screen, *, tty: bool) -> None:
        super().__init__()
        self.screen = screen
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> int:
        self.screen.write(text)
        return len(text)


class Wait:
    """pytest's own reporter on a screen, and a clock that the test turns."""

    def __init__(self, pytester: pytest.Pytester, *, tty: bool = True, columns: int = 80) -> None:
        self.screen = Screen(columns)
        self.now = 100.0
        self.standing = Standing(scored=1, total=4, in_flight=3, calls=7)
        config = pytester.parseconfig()
        self.reporter = pytest.TerminalReporter(config, Terminal(self.screen, tty=tty))
        kind = LiveLine if tty else LinesNowAndThen
        self.progress = kind(self.reporter, lambda: self.standing, clock=lambda: self.now)

    def tick_after(self, seconds: float) -> str:
        self.now += seconds
        self.progress.tick()
        return self.screen.text


@pytest.fixture
def wait(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Wait:
    """A reporter of a terminal with 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return Wait(pytester)


LINE = "ragas: 1 of 4 scored, 3 calls in flight"


def test_live_line_stands_below_the_dots_and_leaves_no_trace(wait: Wait) -> None:
    wait.reporter.write_fspath_result("test_rag.py::test_a", ".")
    assert wait.tick_after(0.5) == f"\ntest_rag.py .\n{LINE}"

    wait.progress.clear()
    wait.reporter.write_fspath_result("test_rag.py::test_b", "F")
    assert wait.screen.text == "\ntest_rag.py .F"

    assert wait.tick_after(0.5).startswith(f"\ntest_rag.py .F\n{LINE}")
    wait.progress.close()
    wait.progress.close()
    assert wait.screen.text == "\ntest_rag.py .F"


def test_live_line_at_the_beginning_of_a_line(wait: Wait) -> None:
    """After a `-v` line that was ended."""
    wait.reporter.write_line("test_rag.py::test_a PASSED")
    assert wait.tick_after(0.5) == f"test_rag.py::test_a PASSED\n{LINE}"
    wait.progress.clear()
    wait.reporter.write_line("more")
    assert wait.screen.text == "test_rag.py::test_a PASSED\nmore"


def test_live_line_is_written_again_in_its_place(wait: Wait) -> None:
    wait.reporter.write("test_rag.py ..")
    wait.tick_after(0.5)
    wait.standing = Standing(scored=3, total=4, in_flight=1, calls=9)
    assert wait.tick_after(1.0) == "test_rag.py ..\nragas: 3 of 4 scored, 1 call in flight, 2.0 calls/s, 0 s left"


def test_line_that_wraps_is_found_again(wait: Wait) -> None:
    """The name of a test may be longer than the terminal is wide."""
    name = "test_rag.py::test_" + "x" * 100
    wait.reporter.write(name + " ")
    wait.tick_after(0.5)
    wait.progress.clear()
    wait.reporter.write("PASSED")
    assert wait.screen.lines == [name[:80], name[80:] + " PASSED", ""]


def test_short_waits_show_nothing(wait: Wait) -> None:
    assert wait.tick_after(0.1) == ""
    wait.progress.clear()
    wait.progress.close()
    assert wait.screen.lines == [""]


def test_reporter_does_not_count_the_line_as_its_own(wait: Wait) -> None:
    """Where "[ 50%]" goes depends on how much pytest believes to have written."""
    wait.reporter.write("test_rag.py ..")
    wait.tick_after(0.5)
    assert wait.reporter._tw.width_of_current_line == len("test_rag.py ..")


def test_narrow_terminal_never_wraps_the_line(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    wait = Wait(pytester, columns=20)
    wait.reporter.write("..")
    assert wait.tick_after(0.5) == "..\nragas: 1 of 4 sco.."
    wait.progress.clear()
    assert wait.screen.text == ".."


def test_without_a_terminal_there_is_a_line_each_ten_seconds(pytester: pytest.Pytester) -> None:
    wait = Wait(pytester, tty=False)
    wait.reporter.write_fspath_result("test_rag.py::test_a", ".")
    assert wait.tick_after(9.0) == "\ntest_rag.py ."
    wait.standing = Standing(scored=2, total=4, in_flight=2, calls=27)
    line = "ragas: 2 of 4 scored, 2 calls in flight, 2.0 calls/s, 20 s left"
    assert wait.tick_after(1.0) == f"\ntest_rag.py .\n{line}"
    assert wait.tick_after(9.0) == f"\ntest_rag.py .\n{line}"
    assert len(re.findall("ragas:", wait.tick_after(1.0))) == 2

    wait.progress.clear()
    wait.progress.close()
    wait.reporter.write_fspath_result("test_rag.py::test_b", ".")
    assert wait.screen.lines[-1] == "test_rag.py ."
