"""Whole suites, kept as files below `suites/`, run by pytest in a process of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SUITES = Path(__file__).parent / "suites"
PLUGINS = ("pytest_ragas.plugin.entry", "report_stream")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of pytest left."""

    ret: int
    out: str
    stream: list[list[object]] = field(repr=False)
    """What reporters were told, in order."""
    folder: Path

    @property
    def last(self) -> str:
        """pytest's last line, without its time: "2 failed, 38 passed"."""
        lines = [line for line in self.out.splitlines() if re.search(r" in [\d.]+s", line)]
        assert lines, self.out
        return lines[-1].strip("= ").split(" in ")[0]

    @property
    def reports(self) -> list[str]:
        """Every report, and every exception that plugins were shown, as one text each."""
        return [json.dumps(entry) for entry in self.stream if entry[0] in ("report", "interact")]

    def outcomes(self, *, when: str = "call") -> dict[str, str]:
        """Test -> outcome of a phase."""
        return {str(entry[1]): str(entry[3]) for entry in self.stream if entry[0] == "report" and entry[2] == when}


class Suite:
    """A folder with a suite, and how it is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs = 0

    def run(
        self,
        *arguments: str,
        plugins: tuple[str, ...] = (),
        timeout: float = 100,
        interrupt: Callable[[list[str]], bool] | None = None,
        **variables: object,
    ) -> Outcome:
        """pytest, as strict as our own suite, with our plugin, `plugins` and no other one.

        Args:
            arguments: Of the command line.
            plugins: Further plugins, as modules.
            timeout: Seconds after which the test is a failure.
            interrupt: Asked again and again with what reporters were told so far; True sends Ctrl-C.
            variables: Of the environment.
        """
        self._runs += 1
        stream = self.folder / f"stream{self._runs}.jsonl"
        # installed plugins would cost each of these processes seconds
        names = [*PLUGINS, *plugins, *(["xdist.plugin"] if any(a.startswith("-n") for a in arguments) else [])]
        loaded = [word for name in names for word in ("-p", name)]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "COV"))},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": os.pathsep.join(
                [str(SUITES.parent), str(SUITES.parents[2]), os.environ.get("PYTHONPATH", "")]
            ),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "110",
            "REPORT_STREAM": str(stream),
            **{name: str(value) for name, value in variables.items()},
        }
        for name in ("CI", "GITHUB_ACTIONS"):
            environment.pop(name, None)
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *loaded, "-W", "error", *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                if interrupt is not None:
                    _when(
                        lambda: stream.exists() and interrupt(stream.read_text(encoding="utf-8").splitlines()), timeout
                    )
                    process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        told = [json.loads(line) for line in _lines(stream)]
        return Outcome(ret=process.returncode, out=out, stream=told, folder=self.folder)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _when(true: Callable[[], bool], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def copied(name: str, folder: Path) -> Suite:
    """A copy of a suite, which its runs may write into."""
    shutil.copytree(SUITES / name, folder / name)
    return Suite(folder / name)
