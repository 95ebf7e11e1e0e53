"""Judgements as users meet them: pytest runs that record, replay, and buy nothing twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest
from judgements_made import KEY, samples
from openai_server.server import OpenAIServer

ROOT = Path(__file__).parents[2]

CONFIG = """
[tool.pytest.ini_options]
asyncio_default_fixture_loop_scope = "function"
[tool.pytest-ragas]
{settings}
[tool.pytest-ragas.critic_llm]
model_name = "judge"
api_base = "{url}"
api_key = "env:RAGAS_TEST_KEY"
[tool.pytest-ragas.embeddings]
model_name = "embedder"
api_base = "{url}"
api_key = "env:RAGAS_TEST_KEY"
"""

TESTS = """
import pytest

@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.4, "answer_relevancy": 0.1})
def test_rag(ragas_sample):
    pass
"""


class Project:
    """A suite of recorded answers that an API judges."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, server: OpenAIServer) -> None:
        self.pytester, self.monkeypatch, self.server = pytester, monkeypatch, server
        self.path = pytester.path
        monkeypatch.setenv("RAGAS_TEST_KEY", KEY)
        monkeypatch.setenv("COLUMNS", "160")
        monkeypatch.delenv("PYTEST_XDIST_TESTRUNUID", raising=False)
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
        self.config().rows(12).tests(TESTS)

    def config(self, settings: str = "") -> Project:
        (self.path / "pyproject.toml").write_text(CONFIG.format(url=self.server.url, settings=settings))
        return self

    def rows(self, count: int, **columns: object) -> Project:
        rows = [{**sample.to_json(), **columns} for sample in samples(count)]
        (self.path / "testset.json").write_text(json.dumps(rows))
        return self

    def tests(self, source: str) -> Project:
        (self.path / "test_rag.py").write_text(textwrap.dedent(source))
        return self

    def run(self, *arguments: str, own_process: bool = False) -> pytest.RunResult:
        self.server.requests.clear()
        run = self.pytester.runpytest_subprocess if own_process else self.pytester.runpytest
        return run("-p", "no:randomly", "-p", "no:cacheprovider", *arguments)

    @property
    def calls(self) -> int:
        return len(self.server.requests)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, openai_server: OpenAIServer) -> Project:
    return Project(pytester, monkeypatch, openai_server)


def test_four_workers_record_and_one_process_replays(project: Project) -> None:
    project.run("-n4").assert_outcomes(passed=12)
    assert project.calls == 48  # statements, verdicts, questions, and the embeddings of each row
    result = project.run("-n0")
    result.assert_outcomes(passed=12)
    assert project.calls == 0
    project.run("-n2", "--ragas-cache=replay").assert_outcomes(passed=12)
    assert project.calls == 0


def test_another_threshold_buys_nothing(project: Project) -> None:
    project.run().assert_outcomes(passed=12)
    assert project.calls
    project.tests(TESTS.replace("0.4", "0.9"))
    project.run().assert_outcomes(failed=12)
    assert project.calls == 0
    project.run("--ragas-threshold=faithfulness=0.2", "--ragas-fail-under=mean(faithfulness) >= 0.1").assert_outcomes(
        failed=12
    )
    assert project.calls == 0


def test_a_cassette_is_recorded_by_workers_and_replayed_without_key_or_server(project: Project) -> None:
    result = project.run("-n2", "--ragas-cassette=tapes/judgements.jsonl")
    result.assert_outcomes(passed=12)
    tape = project.path / "tapes" / "judgements.jsonl"
    kinds = [json.loads(line)["kind"] for line in tape.read_text().splitlines()]
    assert kinds.count("score") == 24
    assert kinds.count("answer") == 36
    project.monkeypatch.delenv("RAGAS_TEST_KEY")
    shutil.rmtree(project.path / ".pytest-ragas")
    for arguments in ([], ["-n2"]):
        result = project.run("--ragas-cache=replay", "--ragas-cassette=tapes/judgements.jsonl", *arguments)
        result.assert_outcomes(passed=12)
        assert project.calls == 0
        assert not (project.path / ".pytest-ragas").exists()


def test_the_configured_cassette_is_beside_the_configuration(project: Project) -> None:
    project.config('cassette = "tape.jsonl"\ncache_dir = "build/judged"')
    below = project.path / "below"
    below.mkdir()
    os.replace(project.path / "test_rag.py", below / "test_rag.py")
    os.replace(project.path / "testset.json", below / "testset.json")
    project.monkeypatch.chdir(below)
    project.run("--rootdir", str(project.path), "-c", str(project.path / "pyproject.toml")).assert_outcomes(passed=12)
    assert (project.path / "tape.jsonl").exists()
    assert (project.path / "build" / "judged" / "judgements.sqlite3").exists()
    assert (project.path / "build" / "judged" / ".gitignore").read_text().splitlines()[-1] == "*"


def test_a_folder_of_the_users_own_gets_no_gitignore(project: Project) -> None:
    (project.path / "data").mkdir()
    project.run("--ragas-cache-dir=data").assert_outcomes(passed=12)
    assert [file.name for file in (project.path / "data").iterdir()] == ["judgements.sqlite3"]


def test_a_missing_judgement_is_an_error_of_its_test_that_says_what_changed(project: Project) -> None:
    project.run().assert_outcomes(passed=12)
    rows = json.loads((project.path / "testset.json").read_text())
    rows[3]["response"] = "Nobody knows."
    (project.path / "testset.json").write_text(json.dumps(rows))
    result = project.run("--ragas-cache=replay", "-rE")
    result.assert_outcomes(passed=11, errors=1)
    assert project.calls == 0
    result.stdout.fnmatch_lines(
        ["*changed since it was recorded: the response. --ragas-cache=replay makes no call. Record it: run once with*"]
    )


def test_nothing_stored_at_all_is_said_once_for_each_test(project: Project) -> None:
    result = project.run("--ragas-cache=replay", "--maxfail=1")
    assert result.ret
    result.stdout.fnmatch_lines(["*There is no judgement store *record what it needs with --ragas-cache=read-write*"])


@pytest.mark.parametrize("arguments", [[], ["-n2"], ["-W", "error"]], ids=["alone", "n2", "W-error"])
def test_what_cannot_be_stored_is_one_warning_in_the_summary(project: Project, arguments: list[str]) -> None:
    (project.path / ".pytest-ragas").mkdir()
    file = project.path / ".pytest-ragas" / "judgements.sqlite3"
    file.write_bytes(b"damaged" * 1_000)
    result = project.run(*arguments)
    result.assert_outcomes(passed=12, warnings=2 if arguments == ["-n2"] else 1)  # one of each process
    result.stdout.fnmatch_lines([f"*PytestRagasWarning: The judgement store {file} cannot be opened*"])
    assert file.read_bytes() == b"damaged" * 1_000


def test_no_file_of_a_run_holds_the_key(project: Project) -> None:
    project.run(
        "-n2", "--ragas-cassette=c.jsonl", "--junitxml=junit.xml", "-o", "junit_logging=all", "-l", "--debug=log"
    )
    project.run("--ragas-cache=refresh", "--ragas-cassette=c.jsonl", "--ragas-concurrency=2")
    files = [file for file in project.path.rglob("*") if file.is_file()]
    assert {"judgements.sqlite3", "c.jsonl", "junit.xml", "log"} <= {file.name for file in files}
    assert any(KEY in str(request.headers) for request in project.server.requests)
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


BLOCKED = """
import json, socket, sys

def blocked(*arguments, **keywords):
    raise AssertionError(f"a connection was opened: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = blocked
socket.create_connection = socket.getaddrinfo = blocked

def pytest_sessionfinish():
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""

HEAVY = {
    "aiohttp", "datasets", "httpx", "instructor", "json_repair", "jsonschema", "langchain", "langchain_core",
    "langchain_openai", "numpy", "openai", "ragas", "redis", "sentence_transformers", "torch", "transformers", "yaml",
}  # fmt: skip


def replay_blocked(project: Project, *arguments: str) -> set[str]:
    """Replay in a process without sockets; the top-level modules that it imported."""
    (project.path / "conftest.py").write_text(BLOCKED)
    plugins = ["-p", "pytest_ragas.plugin.entry", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    del environment["RAGAS_TEST_KEY"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--ragas-cache=replay", *arguments],
        cwd=project.path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 passed" in done.stdout
    return {name.split(".")[0] for name in json.loads((project.path / "modules.json").read_text())}


@pytest.mark.parametrize("cassette", [False, True], ids=["store", "cassette"])
def test_replay_opens_no_connection_and_imports_no_client(project: Project, cassette: bool) -> None:
    arguments = ["--ragas-cassette=c.jsonl"] if cassette else []
    project.run(*arguments).assert_outcomes(passed=12)
    assert replay_blocked(project, *arguments) & HEAVY == set()


def test_scores_of_ragas_are_replayed_without_importing_ragas(project: Project) -> None:
    if find_spec("ragas") is None:
        pytest.skip("ragas is an extra")

    def brain(request: dict[str, object]) -> object:
        text = str(request["messages"])
        if request["title"] == "StatementGeneratorOutput":
            return {"statements": ["It is the capital."]}
        assert "It is the capital." in text
        return {"statements": [{"statement": "It is the capital.", "reason": "It is said.", "verdict": 1}]}

    project.server.brain = brain
    project.tests(TESTS.replace('{"faithfulness": 0.4, "answer_relevancy": 0.1}', '{"ragas:faithfulness": 0.9}'))
    # in a process of its own: pytester forgets what was imported, and ragas' datasets bears no second import
    project.run(own_process=True).assert_outcomes(passed=12)
    assert project.calls
    assert replay_blocked(project) & HEAVY == set()
