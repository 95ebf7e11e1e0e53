"""Whole suites, kept as files below `suites/`, run by pytest in a process of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
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
        stdin: str | None = None,
        **variables: object,
    ) -> Outcome:
        """pytest, as strict as our own suite, with our plugin, `plugins` and no other one."""
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
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *loaded, "-W", "error", *arguments],
            cwd=self.folder,
            env=environment,
            timeout=timeout,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = stream.read_text(encoding="utf-8").splitlines() if stream.exists() else []
        return Outcome(ret=done.returncode, out=done.stdout, stream=[*map(json.loads, lines)], folder=self.folder)


def copied(name: str, folder: Path) -> Suite:
    """A copy of a suite, which its runs may write into."""
    shutil.copytree(SUITES / name, folder / name)
    return Suite(folder / name)
