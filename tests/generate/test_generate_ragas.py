"""`generator = "ragas"`: ragas' own TestsetGenerator, asked through our models, its rows held to what ours are."""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import importlib.util
import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from generate_made import Project, write_docs
from openai_server.ragas_author import ragas_author
from openai_server.server import OpenAIServer

from pytest_ragas.errors import ConfigurationError, GenerationError, MissingExtraError, RejectedRequestError
from pytest_ragas.testset.documents.read import read_documents
from pytest_ragas.testset.generate.from_ragas.talk import Talk
from pytest_ragas.testset.lock import read_lock

needs_ragas = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")

RECIPE = {
    "generator": "ragas",
    "test_size": 10,
    "distribution": {"simple": 0.6, "multi_context": 0.3, "reasoning": 0.1},
}


@pytest.fixture
def project(openai_server: OpenAIServer, tmp_path: Path) -> Project:
    openai_server.brain = ragas_author
    return Project(openai_server, tmp_path)


def titles(server: OpenAIServer) -> Counter[str]:
    return Counter(request.body["response_format"]["json_schema"]["schema"]["title"] for request in server.chats)


@needs_ragas
def test_rows_come_out_in_our_format(project: Project) -> None:
    made = project.generate(**RECIPE)
    documents = {document.path: document for document in read_documents(["docs"], root=project.folder)}
    rows = list(project.testset())
    assert Counter(row.metadata["question_type"] for row in rows) == {"simple": 6, "multi_context": 3, "reasoning": 1}
    assert len({row.user_input for row in rows}) == 10
    for row in rows:
        sources = row.metadata["sources"]
        spans = [documents[source["path"]].text[source["start"] : source["end"]] for source in sources]
        assert list(row.reference_contexts) == spans, "ragas' <1-hop> marks are gone, and the passages are verbatim"
        hops = "single" if "simple" in row.tags else "multi"
        assert row.metadata["synthesizer_name"].startswith(f"{hops}_hop_")
        assert len(spans) == (1 if hops == "single" else 2)
        assert row.metadata["generator"] == "author"
    assert made.report.candidates == 10 + sum(sum(why.values()) for why in made.report.rejected.values())
    assert made.report.chunks == 15
    lock = read_lock(project.path, shown_as="generated.json")
    assert lock.recipe.generator == "ragas"
    assert set(lock.question_types.values()) == {f"ragas {importlib.metadata.version('ragas')}"}
    assert lock.models["generator LLM"]["name"] == "author"


@needs_ragas
def test_our_critic_judges_and_our_limits_hold(project: Project) -> None:
    project.changes = {"concurrency": 3}
    project.server.latency = 0.01
    project.generate(**RECIPE)
    asked = titles(project.server)
    assert asked["StringIO"] == asked["NEROutput"] == asked["ThemesAndConcepts"] == 15  # one each for a passage
    assert asked["Check"] >= 10
    assert asked["Verdicts"] >= 10
    assert {request.body["model"] for request in project.server.chats} == {"author", "critic"}
    assert project.server.peak <= 3


def _again(project: Project, cache: str) -> str:
    """A program that generates the project's testset again, into again.json."""
    return f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from generate_made import Project
class Server:
    url = {project.server.url!r}
again = Project(Server(), Path({str(project.folder)!r}))
again.changes = {{"cache": {cache!r}}}
again.generate(path=again.folder / "again.json", **{RECIPE!r})
"""


@needs_ragas
@pytest.mark.parametrize("cache", ["read-write", "off"])
def test_another_process_asks_the_same(project: Project, cache: str) -> None:
    """Sets have another order there, and answers come in another one; with the store nothing is asked at all."""
    project.generate(**RECIPE)
    asked = Counter(json.dumps(request.body, sort_keys=True) for request in project.server.requests)
    project.server.requests.clear()
    project.server.brain = late
    subprocess.run(
        [sys.executable, "-c", _again(project, cache)], check=True, env={**os.environ, "PYTHONHASHSEED": "5"}
    )
    again = Counter(json.dumps(request.body, sort_keys=True) for request in project.server.requests)
    assert set(again) == (set() if cache == "read-write" else set(asked))
    assert (project.folder / "again.json").read_bytes() == project.path.read_bytes()


async def late(request: dict[str, Any]) -> object:
    await asyncio.sleep(random.random() / 20)
    return ragas_author(request)


@needs_ragas
def test_random_numbers_of_the_process_go_on_as_they_were(project: Project) -> None:
    random.seed(7)
    project.generate(**{**RECIPE, "test_size": 2, "distribution": {"simple": 1.0}})
    after = random.random()
    random.seed(7)
    assert random.random() == after


@needs_ragas
def test_nothing_is_printed_and_no_thread_stays(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    project.generate(**{**RECIPE, "test_size": 2, "distribution": {"simple": 1.0}})
    assert capfd.readouterr() == ("", "")
    assert not [thread for thread in threading.enumerate() if thread.name == "ragas-testset-generator"]


@needs_ragas
def test_the_language_and_a_response(project: Project) -> None:
    made = project.generate(
        **{**RECIPE, "test_size": 2, "distribution": {"simple": 1.0}}, language="German", respond=True
    )
    assert all(row.user_input.startswith("Was sagt das Handbuch") for row in made.rows)
    assert all(row.response and row.retrieved_contexts == row.reference_contexts for row in made.rows)


@needs_ragas
def test_rows_that_cannot_be_made_are_counted(project: Project) -> None:
    """Of passages that have nothing in common ragas says "No clusters found in the knowledge graph"."""
    sections = {
        "a.md": [("Garden", "Maria Lind waters the red roses.")],
        "b.md": [("Snow", "It falls upon 204 roofs.")],
    }
    write_docs(project.folder, sections)
    distribution = {"simple": 0.34, "multi_context": 0.66}
    with pytest.raises(GenerationError) as caught:
        project.generate(docs=("docs/a.md", "docs/b.md"), **{**RECIPE, "test_size": 3, "distribution": distribution})
    assert str(caught.value).startswith(
        "2 of 3 rows could not be made:\n  multi_context: 2 of 2 missing; rejected: 2 ragas finds no related passages"
    )
    assert not project.path.exists()


@needs_ragas
def test_a_short_document_is_not_too_short(project: Project) -> None:
    write_docs(project.folder, {"short.md": [("Keys", "Keys are handed out by Maria Lind against a signature.")]})
    made = project.generate(docs=("docs/short.md",), **{**RECIPE, "test_size": 1, "distribution": {"simple": 1.0}})
    assert len(made.rows) == 1


@needs_ragas
def test_what_does_not_come_in_its_structure_is_a_clear_error(project: Project) -> None:
    project.server.brain = lambda request: "I like it." if request["title"] == "Persona" else ragas_author(request)
    with pytest.raises(GenerationError, match="Ragas' generator needs every answer, and one did not come"):
        project.generate(**RECIPE)


@needs_ragas
def test_what_ragas_forgets_is_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    """It raises the first error and drops its other tasks; Python logs what a dropped task has ended with."""

    async def refused() -> None:
        raise RejectedRequestError("no")

    async def forget(talk: Talk) -> None:
        forgotten = [asyncio.ensure_future(talk.send(refused())) for _ in range(3)]
        await asyncio.wait(forgotten)

    async def generate() -> None:
        talk = Talk()
        await asyncio.to_thread(asyncio.run, forget(talk))
        assert isinstance(talk.error, RejectedRequestError)

    asyncio.run(generate())
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@needs_ragas
def test_a_refusal_ends_it_and_what_was_answered_is_stored(project: Project) -> None:
    project.server.latency = 0.02
    project.server.fault("status", status=400, message="content filter", every=25, times=1)
    with pytest.raises(RejectedRequestError, match="content filter"):
        project.generate(**RECIPE)
    project.server.faults.clear()
    assert len(project.server.chats) < 50, "it went on"
    project.generate(**RECIPE)
    contents = Counter(json.dumps(request.body, sort_keys=True) for request in project.server.requests)
    assert [count for count in contents.values() if count > 1] == [2], "only what was refused is asked again"


@needs_ragas
@pytest.mark.parametrize(
    ("changes", "recipe", "message"),
    [
        ({"embeddings": None}, {}, r"embeddings.*none are configured.*minilm"),
        ({}, {"distribution": {"simple": 0.5, "unanswerable": 0.5}}, r"writes simple, .*, and not unanswerable"),
        ({}, {"generator": "raga"}, r"generator='raga' must be one of 'native', 'ragas'"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_said_before_any_call(project, changes, recipe, message) -> None:
    project.changes = changes
    with pytest.raises(ConfigurationError, match=message):
        project.generate(**{**RECIPE, **recipe})
    assert not project.server.requests


def test_without_ragas_the_extra_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_ragas.libraries import ragas_door
    from pytest_ragas.testset.generate.from_ragas import writer

    monkeypatch.setattr(ragas_door, "installed", lambda: False)
    writer._library.cache_clear()
    with pytest.raises(MissingExtraError, match=r"needs ragas.*pip install 'pytest-ragas\[ragas\]'"):
        project.generate(**RECIPE)
    assert not project.server.requests


@needs_ragas
def test_update_replaces_what_is_stale_by_ragas_rows(project: Project) -> None:
    project.generate(**RECIPE)
    project.edit("travel.md", "Trains are booked by Erik Holm", "Trains are booked early by Erik Holm")
    before, made = project.update()
    assert made is not None
    assert len(made.rows) == len(before.of("stale")) > 0
    assert all(row.metadata["synthesizer_name"] for row in made.rows)
    assert project.condition().up_to_date


@needs_ragas
def test_the_marker_the_settings_and_the_command_line_ask_for_it(
    pytester: pytest.Pytester, openai_server: OpenAIServer
) -> None:
    openai_server.brain = ragas_author
    write_docs(pytester.path)
    pytester.makepyfile(
        test_rag="""
        import pytest

        @pytest.mark.ragas(docs=["docs"], test_size=2, distribution={"simple": 1.0}, testset="marked.json",
                           chunk_size=150, generator="ragas", metrics="rouge_l")
        def test_marked(ragas_sample):
            return ragas_sample.reference

        @pytest.mark.ragas(docs=["docs"], test_size=2, distribution={"simple": 1.0}, testset="set.json",
                           chunk_size=150, metrics="rouge_l")
        def test_set(ragas_sample):
            return ragas_sample.reference
        """
    )
    (pytester.path / "pyproject.toml").write_text(
        f"""
        [tool.pytest.ini_options]
        asyncio_default_fixture_loop_scope = "function"
        [tool.pytest-ragas]
        generator = "ragas"
        [tool.pytest-ragas.generator_llm]
        model_name = "author"
        api_base = "{openai_server.url}"
        [tool.pytest-ragas.embeddings]
        model_name = "vectors"
        api_base = "{openai_server.url}"
        """,
        encoding="utf-8",
    )
    result = pytester.runpytest_subprocess("-p", "no:randomly")
    result.assert_outcomes(passed=4)
    done = pytester.run(
        sys.executable, "-c", "import sys; from pytest_ragas.cli.main import main; sys.exit(main())",
        "generate", "docs", "--test-size", "2", "--distribution", "simple=1", "--chunk-size", "150",
        "--output", "typed.json", "--generator", "ragas",
    )  # fmt: skip
    assert done.ret == 0
    for name in ("marked.json", "set.json", "typed.json"):
        rows = json.loads((pytester.path / name).read_text(encoding="utf-8"))
        assert [row["metadata"]["synthesizer_name"] for row in rows] == ["single_hop_specific_query_synthesizer"] * 2
    check = pytester.run(
        sys.executable, "-c", "import sys; from pytest_ragas.cli.main import main; sys.exit(main())",
        "generate", "--check", "--output", "typed.json",
    )  # fmt: skip
    check.stdout.fnmatch_lines(["typed.json: 2 rows, up to date"])


@needs_ragas
def test_a_task_dict_asks_for_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_ragas import run_task

    monkeypatch.chdir(project.folder)
    llm = {"model_name": "author", "api_base": project.server.url}
    part = {
        "docs": ["docs"], "test_size": 2, "distribution": {"simple": 1.0}, "generator": "ragas", "chunk_size": 150,
        "generator_llm": llm, "embeddings": {**llm, "model_name": "vectors"},
    }  # fmt: skip
    scores = run_task({"eval_backend": "RAGEval", "eval_config": {"tool": "RAGAS", "testset_generation": part}})
    assert [row.metadata["synthesizer_name"] for row in scores.testset] == ["single_hop_specific_query_synthesizer"] * 2
    assert all(row.response for row in scores.testset)
