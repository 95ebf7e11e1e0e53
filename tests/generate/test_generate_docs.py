"""docs/generation.md: its example runs, and its tables and options are the ones that there are."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from generate_made import Project, write_docs
from openai_server.author import author

from pytest_ragas.cli import generate
from pytest_ragas.plugin.marker import GENERATES
from pytest_ragas.testset.generate.builtin import question_types

TEXT = (Path(__file__).parents[2] / "docs" / "generation.md").read_text(encoding="utf-8")
TYPES = {
    name: (summary, int(calls), int(chain))
    for name, summary, calls, chain in re.findall(r"^\| `(\w+)` \| (.+?) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)
}


def test_the_table_has_every_question_type_in_its_own_words():
    types = question_types()
    assert {name: summary for name, (summary, _, _) in TYPES.items()} == {
        name: types.get(name).summary for name in types.names()
    }


@pytest.mark.parametrize("kind", TYPES)
def test_a_row_takes_the_calls_that_the_table_says(project: Project, kind: str):
    project.server.brain = author
    made = project.generate(test_size=1, distribution={kind: 1.0})
    assert made.report.candidates == 1
    assert len(project.server.chats) == TYPES[kind][1]


def test_every_argument_and_option_is_named():
    parser = argparse.ArgumentParser()
    generate.add_arguments(parser)
    options = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    assert [option for option in options if option not in ("--help",) and option not in TEXT] == []
    assert [name for name in GENERATES if f"{name}=" not in TEXT] == []


def test_the_example_runs(pytester: pytest.Pytester, openai_server, monkeypatch):
    openai_server.brain = author
    [example] = re.findall(r"<!-- file: test_rag.py -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    pytester.makepyfile(test_rag=example)
    write_docs(pytester.path)
    pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def rag_pipeline():
            return lambda sample: {"response": sample.reference, "retrieved_contexts": sample.reference_contexts}
    """)
    (pytester.path / "pyproject.toml").write_text(
        f"""
        [tool.pytest.ini_options]
        asyncio_default_fixture_loop_scope = "function"
        [tool.pytest-ragas.generator_llm]
        model_name = "author"
        api_base = "{openai_server.url}"
        """,
        encoding="utf-8",
    )
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=20)
