"""`docs=` in the marker: generated once, loaded from then on, also under xdist; never with --collect-only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from openai_server.author import author
from openai_server.server import OpenAIServer

from pytest_ragas.testset.load import load_testset

DOCS = {
    "opening.md": """# Opening hours

The office in Lund opens at 08:30 on working days. It closes at 18:00 from Monday to Thursday.

## Fridays

On Fridays the office in Lund closes at 16:00 already. Visitors must leave the building by 15:45 then.

## Reception

The reception takes parcels until 17:00 every day. Parcels for Erik Holm wait in room 204 for two weeks.
""",
    "vacation.md": """# Vacation

Every employee gets 25 days of vacation a year. Those who have worked here for ten years get 30 days of vacation.

## Requests

A request for vacation goes to Anna Berg at least four weeks before it begins. She answers requests within three days.

## Sickness

Whoever falls ill during a vacation gets those days back. A note of the doctor must reach Anna Berg within a week.
""",
    "travel.md": """# Travel

Trains are booked by Erik Holm in the second class. Flights are allowed where a train takes longer than nine hours.

## Expenses

A meal on a journey is paid up to 40 euros a day. Receipts must reach Erik Holm within thirty days after the journey.
""",
}

TEST = """
    @pytest.mark.ragas(docs=["docs/*.md"], test_size=6, testset="generated.json",
                       distribution={{"simple": 0.5, "multi_context": 0.5}}, metrics="quality"{more})
    def test_generated(ragas_sample):
        return "0.9"
"""


@pytest.fixture
def server(openai_server: OpenAIServer) -> OpenAIServer:
    openai_server.brain = author
    return openai_server


@pytest.fixture
def generating(rag_project, server):
    """A project with documents and a generator LLM; its tests say nothing of how they are scored."""
    for name, text in DOCS.items():
        file = rag_project.path / "docs" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    rag_project.config(f"""
        [tool.pytest-ragas.generator_llm]
        model_name = "author"
        api_base = "{server.url}"
    """)
    return rag_project.tests(TEST.format(more=""))


def rows_of(project):
    return load_testset(project.path / "generated.json").samples


def test_a_missing_testset_is_generated_once_and_loaded_from_then_on(generating, server):
    result = generating.run()
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(
        ["*ragas: generating generated.json: 6 rows, with author", "*generated generated.json: 6 rows (3 simple, 3*"]
    )
    assert [row.metadata["question_type"] for row in rows_of(generating)] == ["simple"] * 3 + ["multi_context"] * 3
    assert all((generating.path / name).is_file() for name in ("generated.json", "generated.json.lock"))
    asked = len(server.requests)
    again = generating.run("-k", "generated")
    again.assert_outcomes(passed=6)
    again.stdout.no_fnmatch_line("*generating*")
    assert len(server.requests) == asked


def test_under_xdist_one_process_generates_and_all_collect_the_same_rows(generating, server):
    result = generating.run("-n2")
    result.assert_outcomes(passed=6)
    alone = len(server.requests)
    contents = [json.dumps(request.body, sort_keys=True) for request in server.requests]
    assert len(set(contents)) == alone, "a request was sent twice"
    rows = rows_of(generating)
    for file in generating.path.glob("generated.json*"):
        file.unlink()
    generating.run().assert_outcomes(passed=6)
    assert rows_of(generating) == rows
    assert len(server.requests) == alone, "what is stored was asked for again"


def test_collect_only_generates_nothing_and_says_what_it_would_do(generating, server):
    for arguments in (["--collect-only"], ["--collect-only", "-q"], ["--collect-only", "-n2"]):
        result = generating.run(*arguments)
        assert result.ret == 0
        result.stdout.fnmatch_lines(
            ["*ragas: generated.json is missing: would generate 6 rows from docs/*.md with author"]
        )
    assert not (generating.path / "generated.json").exists()
    assert not server.requests


def test_without_a_generator_llm_a_missing_file_is_an_error_with_both_ways_out(generating, server):
    generating.config("")
    result = generating.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*No generator LLM: 'embedded'*"])
    text = result.stdout.str().replace("\n", " ")
    assert "[tool.pytest-ragas.generator_llm]" in text
    assert "pytest-ragas generate" in text
    result = generating.run("--collect-only")
    result.stdout.fnmatch_lines(["*would generate 6 rows*no generator LLM: name one*"])


def test_a_file_that_is_there_needs_no_generator_llm_and_no_documents(generating, server):
    generating.run().assert_outcomes(passed=6)
    generating.config("")
    for file in (generating.path / "docs").iterdir():
        file.unlink()
    generating.run().assert_outcomes(passed=6)


def test_rows_that_cannot_be_made_are_counted_and_nothing_is_written(generating, server):
    server.brain = lambda request: (
        {**author(request), "self_contained": 0} if request["title"] == "Check" else author(request)
    )
    result = generating.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*6 of 6 rows could not be made:*", "*simple: 3 of 3 missing; rejected: * not self-contained*"]
    )
    assert not list(generating.path.glob("*generated*"))


def test_a_file_of_another_recipe_is_loaded_and_said_so(generating, server):
    generating.run().assert_outcomes(passed=6)
    generating.tests(TEST.replace("test_size=6", "test_size=8").format(more=""))
    result = generating.run()
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*generated.json was generated with test_size=6, and the marker says otherwise. *"])
    (generating.path / "generated.json.lock").unlink()
    result = generating.run()
    result.assert_outcomes(passed=6)
    result.stdout.no_fnmatch_line("*says otherwise*")


def test_an_overridden_generator_fixture_writes(generating, server):
    generating.config("").conftest(f"""
        @pytest.fixture(scope="session")
        def ragas_generator_llm():
            from pytest_ragas.models.openai_api import OpenAIChat
            from pytest_ragas.settings.values import ModelSettings
            yield OpenAIChat(ModelSettings(model_name="mine", api_base="{server.url}"))
    """)
    result = generating.run("--collect-only")
    result.stdout.fnmatch_lines(["*with the fixture ragas_generator_llm of conftest.py"])
    generating.run().assert_outcomes(passed=6)
    assert {row.metadata["generator"] for row in rows_of(generating)} == {"mine"}


def test_an_overridden_fixture_that_needs_others_says_what_to_do(generating):
    generating.conftest("""
        @pytest.fixture(scope="session")
        def ragas_generator_llm(tmp_path_factory):
            return None
    """)
    result = generating.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The fixture ragas_generator_llm of conftest.py takes other fixtures*"])


def test_question_types_of_a_conftest_are_asked_for_by_name(generating, server):
    generating.conftest("""
        from pytest_ragas import Message, QuestionDraft, QuestionType

        async def first_sentence(task):
            return QuestionDraft(question=f"Is it so that {task.focus}", answer=task.focus)

        def pytest_ragas_register_question_types(register):
            register(QuestionType(name="yes_or_no", write=first_sentence, version="1", summary="yes or no"))
    """)
    generating.tests(TEST.replace('"simple": 0.5', '"yes_or_no": 0.5').format(more=""))
    generating.run().assert_outcomes(passed=6)
    assert [row.tags[0] for row in rows_of(generating)] == ["yes_or_no"] * 3 + ["multi_context"] * 3
    generating.tests(
        TEST.replace('"simple": 0.5', '"yes_or_now": 0.5').replace("generated.json", "b.json").format(more="")
    )
    result = generating.run()
    result.stdout.fnmatch_lines(["*Unknown question type 'yes_or_now'*Did you mean 'yes_or_no'?*"])


@pytest.mark.parametrize("argument", ["test_size=0", "language=7", 'seed="a"'])
def test_a_recipe_that_cannot_be_used_names_the_test(generating, argument):
    generating.tests(
        f"""
        @pytest.mark.ragas(docs=["docs/*.md"], testset="generated.json", metrics="quality", {argument})
        def test_generated(ragas_sample):
            return "0.9"
        """
    )
    result = generating.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*In the ragas marker of test_rag.py::test_generated: {argument.split('=')[0]}=*"])


def test_a_generated_testset_is_answered_by_a_target(generating, server):
    generating.conftest("""
        @pytest.fixture(scope="session")
        def rag():
            return lambda question: "0.9"
    """)
    generating.tests(TEST.format(more=', target="rag"').replace('return "0.9"', "pass"))
    generating.run().assert_outcomes(passed=6)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize(
    ("after", "arguments"),
    [(1, []), (4, []), (9, []), (15, []), (22, []), (12, ["-n2"])],
    ids=["1", "4", "9", "15", "22", "n2-12"],
)
def test_an_interrupt_loses_nothing_and_pays_for_nothing_twice(generating, server, after, arguments):
    server.latency = 0.05
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments]
    process = subprocess.Popen(
        run,
        cwd=generating.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while len(server.requests) < after and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers too
    output, _ = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert not [file.name for file in generating.path.iterdir() if "generated" in file.name or ".tmp" in file.name]
    stopped = len(server.requests)
    generating.run().assert_outcomes(passed=6)
    contents = [json.dumps(request.body, sort_keys=True) for request in server.requests]
    assert len(set(contents)) == len(contents), "a request was sent twice"
    assert after > 9 or stopped < len(contents), "it went on after the interrupt"
