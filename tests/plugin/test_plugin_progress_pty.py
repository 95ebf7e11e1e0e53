"""The live line as a person sees it: a whole run on a terminal of its own."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plugin_screen import Screen

pty = pytest.importorskip("pty", reason="needs a terminal")

SUITE = """
import asyncio, pathlib
import pytest
from pytest_ragas import ScriptedCritic

GO = pathlib.Path(__file__).with_name("go")

async def answer(messages, schema):
    # everything but the first row waits until the test has seen the line
    while "first" not in messages[-1].content and not GO.exists():
        await asyncio.sleep(0.02)
    if schema["title"] == "Statements":
        return {"statements": ["It is blue."]}
    return {"verdicts": [{"number": 1, "reason": "so it says", "verdict": int("bad" not in messages[-1].content)}]}

@pytest.fixture(scope="session")
def ragas_critic_llm():
    return ScriptedCritic(answer)

@pytest.mark.ragas(metrics=["faithfulness"], thresholds={"faithfulness": 0.5})
@pytest.mark.parametrize("word", ["first", "second", "bad", "last"])
def test_row(word, ragas_sample, capsys):
    print(f"printed by {word}")
    ragas_sample.record(user_input=f"{word}?", response=f"{word}.", retrieved_contexts=[f"{word}."])
"""


class Terminal:
    """A pseudo terminal with pytest on it."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 80) -> None:
        self.screen = Screen(columns)
        self.seen: list[str] = []
        """Every line that ever began with "ragas:"."""
        self._master, slave = pty.openpty()
        environ = {
            **{name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "PY_COLORS")},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "COLUMNS": str(columns),
            "TERM": "xterm",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "pytest_ragas.plugin.entry", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env=environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._deadline = time.monotonic() + 60

    def read_until(self, text: str) -> None:
        """Let time go on until the screen shows a text."""
        while text not in self.screen.text:
            assert self._read(), f"it ended without {text!r}:\n{self.screen.text}"

    def read_to_the_end(self) -> int:
        """Let pytest end; its exit code."""
        while self._read():
            pass
        os.close(self._master)
        return self._process.wait(30)

    def _read(self) -> bool:
        assert time.monotonic() < self._deadline, self.screen.text
        if select.select([self._master], [], [], 0.1)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the other side is closed
                return False
            if not data:
                return False
            self.screen.write(data.decode())
            self.seen += [line for line in self.screen.lines if line.startswith("ragas: ")]
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_rag.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest-ragas]\ncache = "off"\n', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["-v"]], ids=["dots", "v"])
def test_a_line_is_there_while_it_waits_and_gone_afterwards(folder: Path, arguments: list[str]) -> None:
    terminal = Terminal(folder, *arguments)
    terminal.read_until("ragas: 1 of 4 scored")
    (folder / "go").touch()
    assert terminal.read_to_the_end() == pytest.ExitCode.TESTS_FAILED
    after = terminal.screen.text
    assert "of 4 scored" not in after

    plain = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_ragas.plugin.entry", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "80"},
        capture_output=True,
        text=True,
    ).stdout
    screen = Screen(80)
    screen.write(plain)
    # the same lines as without a terminal, but for times
    assert _without_times(after) == _without_times(screen.text)


@pytest.mark.parametrize("argument", ["-q", "-s"])
def test_no_line_where_it_is_quiet_or_where_tests_print(folder: Path, argument: str) -> None:
    terminal = Terminal(folder, argument)
    terminal.read_until(".")
    time.sleep(1)
    (folder / "go").touch()
    assert terminal.read_to_the_end() == pytest.ExitCode.TESTS_FAILED
    assert [line for line in terminal.seen if "scored" in line] == []


def _without_times(text: str) -> list[str]:
    body = text[text.index("test_rag.py") :]
    return [line for line in body.splitlines() if line and not re.search(r" in [\d.]+s|^time ", line)]
