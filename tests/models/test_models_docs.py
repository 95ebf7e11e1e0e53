"""The example of docs/models.md runs as it is printed; models from fixtures judge a whole suite."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from openai_server.server import OpenAIServer

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
FILE = re.compile(r"```python\n# (?P<name>\w+\.py)\n(?P<code>.*?)```", re.DOTALL)

SUITE = """
import pytest
from pytest_ragas import Sample

SAMPLE = Sample(
    user_input="What is it like?",
    response="It is blue. It is 2 m long.",
    retrieved_contexts=["It is blue."],
    reference="It is blue.",
)


def test_scores(ragas):
    scores = ragas.score(SAMPLE, ["faithfulness", "answer_similarity"])
    assert 0 < scores["faithfulness"].value < 1
    assert 0 < scores["answer_similarity"].value <= 1
"""


def test_the_scripted_example_runs_as_printed(pytester: pytest.Pytester) -> None:
    files = {match["name"]: match["code"] for match in FILE.finditer(DOCS.read_text(encoding="utf-8"))}
    scripted = {name: code for name, code in files.items() if "Scripted" in code or name.startswith("test_")}
    assert sorted(scripted) == ["conftest.py", "test_embeddings.py", "test_our_gate.py"]
    for name, code in scripted.items():
        pytester.makepyfile(**{name.removesuffix(".py"): code})
    pytester.runpytest("-p", "no:randomly", "-p", "no:asyncio").assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("library", "conftest"),
    [
        (
            "langchain_openai",
            """
            @pytest.fixture(scope="session")
            def ragas_critic_llm():
                return langchain_openai.ChatOpenAI(model="judge", base_url=URL, api_key="k", temperature=0)

            @pytest.fixture(scope="session")
            def ragas_embeddings():
                return langchain_openai.OpenAIEmbeddings(
                    model="embedder", base_url=URL, api_key="k", check_embedding_ctx_length=False
                )
            """,
        ),
        (
            "openai",
            """
            @pytest.fixture
            def ragas_critic_llm():
                return openai.AsyncOpenAI(base_url=URL, api_key="k"), "judge"

            @pytest.fixture
            def ragas_embeddings():
                return openai.OpenAI(base_url=URL, api_key="k"), "embedder"
            """,
        ),
    ],
)
def test_models_from_fixtures_judge_a_suite(
    pytester: pytest.Pytester, openai_server: OpenAIServer, library: str, conftest: str
) -> None:
    pytest.importorskip(library)
    pytester.makeconftest(f"import pytest, {library}\nURL = {openai_server.url!r}\n" + textwrap.dedent(conftest))
    pytester.makepyfile(SUITE)
    pytester.runpytest("-p", "no:asyncio").assert_outcomes(passed=1)
    assert {request.route for request in openai_server.requests} == {"chat", "embeddings"}


@pytest.mark.parametrize("client", ["openai", "langchain"])
def test_clients_of_the_configuration_judge_a_suite(
    pytester: pytest.Pytester, openai_server: OpenAIServer, client: str
) -> None:
    pytest.importorskip({"openai": "openai", "langchain": "langchain_openai"}[client])
    model: dict[str, Any] = {"api_base": openai_server.url, "client": client}
    settings = {
        "critic_llm": {**model, "model_name": "judge", "generation_config": {"seed": 7}},
        "embeddings": {**model, "model_name": "embedder"},
    }
    pytester.path.joinpath("ragas.json").write_text(json.dumps(settings))
    pytester.makepyfile(SUITE)
    pytester.runpytest("-p", "no:asyncio", "--ragas-config", "ragas.json").assert_outcomes(passed=1)
    assert [request.body["seed"] for request in openai_server.chats] == [7, 7]
    assert [request.body["temperature"] for request in openai_server.chats] == [0, 0]
