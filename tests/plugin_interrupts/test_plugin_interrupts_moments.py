"""Ctrl-C while answers are on their way over HTTP: in a body, a teardown, the last wait, twice, under pytest-xdist.

`benchmarks/interrupt_moments.py` does the same at moments by the dozen, and takes the time.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openai_server.server import OpenAIServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")

ROWS = 12

SUITE = """
import pathlib, time
import pytest

HERE = pathlib.Path(__file__).parent

def stop(moment, row):
    if pathlib.Path(HERE / "moment").read_text() == f"{moment} {row}":
        (HERE / "now").touch()
        time.sleep(60)

@pytest.fixture
def closing(ragas_sample):
    yield
    stop("teardown", ragas_sample.id)

@pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"], thresholds={"faithfulness": 0.5})
def test_row(ragas_sample, closing):
    stop("body", ragas_sample.id)
"""

CONFTEST = """
import atexit, pathlib, threading

def threads():
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("ragas")]
    with (pathlib.Path(__file__).parent / "threads").open("a") as stream:
        stream.write(f"{left}" + chr(10))

atexit.register(threads)  # before anything of ours: called last
"""

TROUBLE = ("INTERNALERROR", "was destroyed", "loop is closed", "never retrieved", "ResourceWarning")


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """What an interrupted run left."""

    code: int
    output: str
    folder: Path

    @property
    def reported(self) -> set[str]:
        """Rows with a testcase in the JUnit XML, which must be valid."""
        cases = ElementTree.parse(self.folder / "junit.xml").iter("testcase")
        return {row for case in cases for row in re.findall(r"row\d+", case.attrib["name"])}

    @property
    def without_verdict(self) -> set[str]:
        return set(re.findall(r"^no verdict: \S+\[(row\d+)\]", self.output, re.MULTILINE))


class Project:
    """A suite whose critic is a server of this process."""

    def __init__(self, folder: Path, server: OpenAIServer) -> None:
        self.folder = folder
        self.server = server
        rows = [
            {
                "id": f"row{number}",
                "user_input": f"What weighs part {number}?",
                "response": f"Part {number} weighs {number} tonnes.",
                "retrieved_contexts": [f"Part {number} weighs {number} tonnes."],
            }
            for number in range(1, ROWS + 1)
        ]
        (folder / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
        (folder / "test_rag.py").write_text(SUITE, encoding="utf-8")
        (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
        (folder / "moment").write_text("", encoding="utf-8")
        table = (
            f'[tool.pytest-ragas]\nconcurrency = 2\ncritic_llm = {{model_name = "judge", api_base = "{server.url}"}}\n'
        )
        (folder / "pyproject.toml").write_text(table, encoding="utf-8")
        # installed plugins would cost each of these processes seconds
        self.command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "pytest_ragas.plugin.entry"]
        self.environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "100"}

    def interrupt(self, moment: str, *arguments: str, times: int = 1, group: bool = False) -> Interrupted:
        """Run pytest and press Ctrl-C.

        Args:
            moment: "body row5", "teardown row5": in there. "wait": in the last wait, which does not end by itself.
            arguments: Of pytest.
            times: How often; the second time while pytest is at what the first one made it do.
            group: Whether every process of the run is sent it, as a terminal does.
        """
        (self.folder / "moment").write_text(moment, encoding="utf-8")
        process = subprocess.Popen(
            [*self.command, "-v", "--junitxml=junit.xml", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            self._wait_for(moment, process)
            for number in range(times):
                time.sleep(0.05 * bool(number))
                if group:
                    os.killpg(process.pid, signal.SIGINT)
                else:
                    process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)  # it hangs
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Interrupted(code=process.returncode, output=output, folder=self.folder)

    def _wait_for(self, moment: str, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 60
        while not (self._waits() and (moment == "wait" or (self.folder / "now").exists())):
            assert time.monotonic() < deadline, "it never happened"
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        time.sleep(0.2)  # until what was answered is a verdict, and is reported if it can be

    def _waits(self) -> bool:
        """Whether the critic has been asked about row 3, and answers no more."""
        return any("Part 3 " in str(chat.body) for chat in self.server.chats) and self.server.in_flight == 2


def hang_from_row_3(server: OpenAIServer) -> None:
    server.fault("hang", when=lambda body: not re.search(r"Part [12] ", str(body)))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with OpenAIServer(latency=0.02) as server:
        yield Project(tmp_path, server)


def check(run: Interrupted) -> None:
    """What holds for every interrupted run."""
    for word in TROUBLE:
        assert word not in run.output, run.output
    left = (run.folder / "threads").read_text(encoding="utf-8").split()
    assert set(left) == {"[]"}


ROW_NAMES = {f"row{number}" for number in range(1, ROWS + 1)}


def test_in_the_last_wait(project: Project) -> None:
    hang_from_row_3(project.server)
    run = project.interrupt("wait")
    assert run.code == pytest.ExitCode.INTERRUPTED
    check(run)
    assert run.reported == {"row1", "row2"}
    assert run.without_verdict == ROW_NAMES - {"row1", "row2"}
    assert "Traceback" not in run.output


@pytest.mark.parametrize("place", ["body", "teardown"])
def test_in_a_test_while_others_are_scored(project: Project, place: str) -> None:
    hang_from_row_3(project.server)
    run = project.interrupt(f"{place} row6")
    assert run.code == pytest.ExitCode.INTERRUPTED
    check(run)
    assert run.reported == {"row1", "row2"}
    handed_over = {"row3", "row4", "row5"} | ({"row6"} if place == "teardown" else set())
    assert run.without_verdict == handed_over
    assert "Traceback" not in run.output


def test_twice(project: Project) -> None:
    """The second one may come while pytest writes its summary, which it does not survive. Nothing of ours hangs."""
    hang_from_row_3(project.server)
    check(project.interrupt("wait", times=2))


@pytest.mark.parametrize("place", ["wait", "body row6"])
def test_under_xdist(project: Project, place: str) -> None:
    """A terminal sends it to the controller and to the workers."""
    hang_from_row_3(project.server)
    run = project.interrupt(place, "-p", "xdist.plugin", "-n2", group=True)
    assert run.code == pytest.ExitCode.INTERRUPTED
    check(run)
    assert run.reported <= {"row1", "row2"}
    assert not run.reported & run.without_verdict
    assert "row4" in run.without_verdict
    assert "Traceback" not in run.output


def test_the_next_run_asks_only_what_was_not_answered(project: Project) -> None:
    hang_from_row_3(project.server)
    project.interrupt("wait")
    project.server.reset()
    (project.folder / "moment").write_text("", encoding="utf-8")
    done = subprocess.run(
        project.command, cwd=project.folder, env=project.environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
    asked = {number for chat in project.server.chats for number in re.findall(r"Part (\d+) ", str(chat.body))}
    assert asked == {str(number) for number in range(3, ROWS + 1)}
