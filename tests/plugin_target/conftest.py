"""A project of a user whose RAG is a target, run with pytest inside pytest."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest

# pytester forgets the modules that a run inside a test has imported; these it shall not import each time
import pytest_ragas.metrics.builtin
import pytest_ragas.plugin.hooks
import pytest_ragas.plugin.targets.target
import pytest_ragas.session.session  # noqa: F401

# The metric says what the answer says: "0.9" scores 0.9, "BOOM" cannot be scored. Calls and scores are written down.
CONFTEST = """
import asyncio, contextvars, logging, os, threading, time
from pathlib import Path
import pytest
from pytest_ragas import MetricSpec, Sample, Score
from pytest_ragas.errors import RejectedRequestError

WRITING = threading.Lock()


def note(*words):
    with WRITING, (Path(__file__).parent / "notes.txt").open("a") as file:
        print(*words, file=file)


def notes(first):
    path = Path(__file__).parent / "notes.txt"
    return [line for line in path.read_text().splitlines() if line.startswith(first)] if path.exists() else []


def until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def number(user_input):
    return int(user_input.strip("?").split()[-1])


class Spoken:
    def __init__(self, name):
        self.name = name

    async def score(self, sample):
        note("scored", sample.user_input)
        word = sample.response.split()[0]
        if word == "BOOM":
            raise RejectedRequestError("the server answered 401. Check the key.")
        return Score(metric=self.name, value=float(word), reason="said so")


def pytest_ragas_register_metrics(register):
    def add(name, *needs):
        register(MetricSpec(
            name=name, backend="free", needs=frozenset({"response", *needs}), uses=frozenset(),
            factory=lambda context: Spoken(context.name), version="1", summary="what the answer says",
        ))
    add("quality")
    add("grounded", "retrieved_contexts")
    add("right", "reference")
"""


# a fixture that a test module imports would be the module's own
ALL = """
__all__ = [
    name for name, value in globals().items()
    if not (name.startswith("_") or "Fixture" in type(value).__name__ or hasattr(value, "_pytestfixturefunction"))
]
"""


class TargetProject:
    """A folder with a conftest.py, a testset and tests."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        pytester.makepyprojecttoml("[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = 'function'\n")
        self.rows(3)
        self.conftest("")

    def conftest(self, source: str) -> TargetProject:
        """Add to the conftest.py."""
        self.pytester.makeconftest(CONFTEST + textwrap.dedent(source) + ALL)
        return self

    def rows(self, count: int, **columns: object) -> TargetProject:
        """A testset of rows q1, q2 … with the questions "Question 1?", "Question 2?" …"""
        rows = [{"id": f"q{n}", "user_input": f"Question {n}?", **columns} for n in range(1, count + 1)]
        (self.path / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
        return self

    def tests(self, source: str, *, name: str = "test_rag.py") -> TargetProject:
        """A test module that has imported what it needs."""
        head = "import pytest\nfrom conftest import *\nfrom pytest_ragas import *\n"
        head += 'gate = pytest.mark.ragas(testset="testset.json", target="rag", thresholds={"quality": 0.5})\n'
        (self.path / name).write_text(head + textwrap.dedent(source), encoding="utf-8")
        return self

    def run(self, *arguments: str) -> pytest.RunResult:
        """pytest, in this process, as strict as our own suite."""
        return self.pytester.runpytest("-W", "error", "-p", "no:randomly", *arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """The same in a process of its own, which may be interrupted."""
        words = ("-m", "pytest", "-W", "error", "-p", "no:randomly", *arguments)
        return self.pytester.run(sys.executable, *words, timeout=100)

    def notes(self, first: str = "") -> list[str]:
        """What was written down, in order: all of it, or the lines that begin with a word, without it."""
        path = self.path / "notes.txt"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line.removeprefix(f"{first} ") for line in lines if line.startswith(first)]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> TargetProject:
    """A project whose metric says what the target's answer says."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    pytester.syspathinsert()
    return TargetProject(pytester)


@pytest.fixture(params=["deferred", "blocking", "n2"])
def mode(request: pytest.FixtureRequest) -> list[str]:
    """Arguments that run the same suite with deferred verdicts, blocking, and in two processes with a controller."""
    arguments = {"deferred": [], "blocking": ["--ragas-scoring=blocking"], "n2": ["-n2"]}
    return arguments[request.param]
