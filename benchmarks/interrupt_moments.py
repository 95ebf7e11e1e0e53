"""Ctrl-C at many moments of a run: how long until pytest has ended, and whether everything is as it should be.

    python benchmarks/interrupt_moments.py
    python benchmarks/interrupt_moments.py --workers 2 --twice --moments 40

A suite of 60 rows is scored over HTTP (100 ms an answer); bodies and fixture teardowns take 10 ms each. Each run is
sent SIGINT at another moment, spread evenly from the start of the tests to a little before the end; under -n to the
whole process group, as a terminal does. Looked at: exit code 2, the seconds until the process has ended, JUnit XML
that can be parsed, tests that are both reported and listed as "no verdict", handed-over tests that are neither, words
of trouble in the output, threads that are left behind; nothing where the run was over. After a second signal, which
pytest itself does not survive everywhere, only the last two, and that it ends.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from throughput_server import ROOT, ServerProcess
from throughput_suites import write_ours, write_rows

ROWS = 60
TROUBLE = ("INTERNALERROR", "Traceback", "was destroyed", "loop is closed", "never retrieved", "ResourceWarning")

SUITE = """
import time
import pytest

@pytest.fixture
def slow_to_close():
    yield
    time.sleep(0.01)

@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.5, "answer_relevancy": 0.1})
def test_row(ragas_sample, slow_to_close):
    time.sleep(0.01)
"""

CONFTEST = """
import atexit, json, pathlib, threading

NOTES = pathlib.Path(__file__).with_name("notes.jsonl")

def note(*what):
    with NOTES.open("a") as stream:
        stream.write(json.dumps(what) + chr(10))

def pytest_runtest_logstart(nodeid):
    note("logged", nodeid)

def pytest_runtest_teardown(item):
    note("ran", item.nodeid)

# registered first, called last: after every thread should have gone
atexit.register(lambda: note("threads", [t.name for t in threading.enumerate() if t.name.startswith("ragas")]))
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one interrupted run did."""

    moment: float
    seconds: float
    """From the signal to the end of the process."""
    problems: tuple[str, ...]
    reported: int
    listed: int


def interrupted(url: str, moment: float, workers: int, twice: bool) -> Run:
    """One run, interrupted after so many seconds of tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder, ROWS)
        write_ours(folder, url=url, concurrency=8)
        (folder / "test_ours.py").write_text(SUITE, encoding="utf-8")
        (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
        more = ["-n", str(workers)] if workers else []
        command = [sys.executable, "-m", "pytest", "-v", "--junitxml=junit.xml", "-p", "no:cacheprovider", *more]
        # pytest tidies up after earlier runs at its end: not after those of everybody on this machine
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": name, "PYTEST_DEBUG_TEMPROOT": name}
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        notes = folder / "notes.jsonl"
        while not notes.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(moment)
        ended = process.poll() is not None
        began = time.perf_counter()
        _interrupt(process, workers)
        if twice:
            time.sleep(0.05)
            _interrupt(process, workers)
        try:
            output, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            output += "\nIT HANGS"
        seconds = time.perf_counter() - began
        reported = set(
            re.findall(r"^(?:\[gw\d\] .*? )?(test_ours\.py::\S+?\])\s+(?:PASSED|FAILED|ERROR)", output, re.M)
        )
        reported |= set(re.findall(r"(?:PASSED|FAILED|ERROR) (test_ours\.py::\S+?\])", output))
        listed = set(re.findall(r"^no verdict: (\S+)", output, re.M))
        ended = ended or _was_over(output)
        found = _problems(folder, output, process.returncode, reported, listed, workers, twice)
        problems = [] if ended else list(found)
    return Run(moment=moment, seconds=seconds, problems=tuple(problems), reported=len(reported), listed=len(listed))


def _was_over(output: str) -> bool:
    """Whether the signal came after the last line of the run, when pytest itself does not catch it any more."""
    return re.search(rf"\b{ROWS} passed in ", output) is not None


def _interrupt(process: subprocess.Popen[str], workers: int) -> None:
    try:
        if workers:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
    except ProcessLookupError:
        pass


def _problems(
    folder: Path, output: str, returncode: int, reported: set[str], listed: set[str], workers: int, twice: bool
) -> Iterator[str]:
    if "IT HANGS" in output:
        yield f"it hangs:\n{output[-3000:]}"
    if returncode != 2 and not twice:
        yield f"exit code {returncode}: {output[-1500:]}"
    # a second Ctrl-C while pytest writes what it knows ends pytest itself with a traceback
    yield from (f"{word!r} in the output:\n{output[-3000:]}" for word in TROUBLE[2 * twice :] if word in output)
    if both := reported & listed:
        yield f"reported and listed: {sorted(both)[:3]}"
    try:
        ElementTree.parse(folder / "junit.xml")
    except FileNotFoundError:
        if not twice:
            yield f"no JUnit XML {output[-1500:]}"
    except ElementTree.ParseError as error:
        if not twice:
            yield f"JUnit XML: {error}"
    ran: set[str] = set()
    for line in (folder / "notes.jsonl").read_text(encoding="utf-8").splitlines():
        kind, what = json.loads(line)
        if kind == "ran":
            ran.add(what)
        elif kind == "threads" and what:
            yield f"threads left: {what}"
    missing = ran - reported - listed
    if len(missing) > max(1, workers) and not twice:  # one of each process may be in its own teardown
        yield f"neither reported nor listed: {sorted(missing)[:5]} of {len(ran)} that ran"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--span", type=float, default=4.0, help="seconds over which the moments are spread")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--twice", action="store_true", help="send the signal again after 50 ms")
    options = parser.parse_args()
    runs: list[Run] = []
    with ServerProcess(0.1) as server:
        for number in range(options.moments):
            run = interrupted(server.url, number / options.moments * options.span, options.workers, options.twice)
            runs.append(run)
            mark = "ok" if not run.problems else "; ".join(run.problems)
            print(
                f"after {run.moment:5.2f} s: ended in {run.seconds:5.2f} s, "
                f"{run.reported:3} reported, {run.listed:3} without a verdict  {mark}",
                flush=True,
            )
    times = sorted(run.seconds for run in runs)
    bad = sum(bool(run.problems) for run in runs)
    print(f"\n{len(runs)} runs: median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s, {bad} with problems")


if __name__ == "__main__":
    main()
