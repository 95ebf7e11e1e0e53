"""A project of a user, run with pytest inside pytest."""

from __future__ import annotations

import json
import textwrap

import pytest

# pytester forgets the modules that a run inside a test has imported; these it shall not import each time
import pytest_ragas.metrics.builtin
import pytest_ragas.plugin.assertions
import pytest_ragas.plugin.hooks
import pytest_ragas.session.session  # noqa: F401

# Metrics that say what the answer says, so that a test writes down the scores it wants:
# "0.9" scores 0.9, "BOOM" cannot be scored.
CONFTEST = """
import pytest
from pytest_ragas import Finding, MetricSpec, Score
from pytest_ragas.errors import RejectedRequestError


class Spoken:
    def __init__(self, name):
        self.name = name

    async def score(self, sample):
        words = sample.response.split()
        if words[0] == "BOOM":
            raise RejectedRequestError("the server answered 401. Check the key.")
        value = float(words[0])
        evidence = [Finding(kind="statement", text="It is so.", value=value, reason="said so")]
        return Score(metric=self.name, value=value, reason="the answer says so", evidence=tuple(evidence))


def pytest_ragas_register_metrics(register):
    def add(name, *needs):
        register(MetricSpec(
            name=name, backend="free", needs=frozenset({"response", *needs}), uses=frozenset(),
            factory=lambda context: Spoken(context.name), version="1", summary="what the answer says",
        ))
    add("quality")
    add("style")
    add("grounded", "retrieved_contexts")
    add("right", "reference")
"""


class RagProject:
    """A folder with a conftest.py and tests."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        pytester.makeconftest(CONFTEST)

    def conftest(self, source: str) -> RagProject:
        """Add to the conftest.py."""
        self.pytester.makeconftest(CONFTEST + textwrap.dedent(source))
        return self

    def testset(self, *answers: str | None, name: str = "testset.json", **columns: object) -> RagProject:
        """Rows q1, q2 … that carry these answers."""
        rows = []
        for number, answer in enumerate(answers, 1):
            row: dict[str, object] = {"id": f"q{number}", "user_input": f"Question {number}?", **columns}
            if answer is not None:
                row["response"] = answer
            rows.append(row)
        (self.path / name).write_text(json.dumps(rows), encoding="utf-8")
        return self

    def tests(self, source: str, *, name: str = "test_rag.py") -> RagProject:
        """A test module that has imported what it needs."""
        head = "import pytest\nfrom pytest_ragas import *\n"
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(head + textwrap.dedent(source), encoding="utf-8")
        return self

    def config(self, table: str) -> RagProject:
        """`[tool.pytest-ragas]` of the pyproject.toml."""
        text = "[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = 'function'\n" + textwrap.dedent(table)
        (self.path / "pyproject.toml").write_text(text, encoding="utf-8")
        return self

    def run(self, *arguments: str) -> pytest.RunResult:
        """pytest, in this process, as strict as our own suite."""
        return self.pytester.runpytest("-W", "error", "-p", "no:randomly", *arguments)


@pytest.fixture
def rag_project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> RagProject:
    """A project whose metrics say what the answers say."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return RagProject(pytester).config("")


@pytest.fixture(params=[[], ["-n2"]], ids=["alone", "n2"])
def xdist_args(request: pytest.FixtureRequest) -> list[str]:
    """Arguments that run the same suite in one process, and in two with a controller."""
    arguments: list[str] = request.param
    return arguments
