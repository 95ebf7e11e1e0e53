"""The models of a run in the summary: what they cost, embeddings too, and what was found out about their servers."""

from __future__ import annotations

import pytest
from openai_server.server import OpenAIServer

MODELS = """
[tool.pytest-ragas.critic_llm]
model_name = "judge"
api_base = "{url}"

[tool.pytest-ragas.embeddings]
model_name = "emb"
api_base = "{url}"

[tool.pytest-ragas.prices]
judge = {{ input = 1, output = 1 }}
emb = {{ input = 1_000 }}
"""

SUITE = """
@pytest.mark.ragas(testset="testset.json", metrics=["answer_similarity"])
def test_rag(ragas_sample):
    pass
"""


def test_tokens_of_embeddings_are_counted_and_paid_for(rag_project, openai_server: OpenAIServer, xdist_args) -> None:
    """Each row embeds `It is so.` and `It is not.`: six words, by which the server counts."""
    rag_project.config(MODELS.format(url=openai_server.url)).tests(SUITE)
    rag_project.testset("It is so.", "So it is.", reference="It is not.")
    result = rag_project.run("--ragas-max-usd=1", *xdist_args)
    result.assert_outcomes(passed=2)
    tokens = sum(len(text.split()) for request in openai_server.embeddings for text in request.body["input"])
    calls = len(openai_server.embeddings)
    result.stdout.fnmatch_lines(
        [
            f"embeddings  emb at {openai_server.url}: {calls} calls, {tokens} tokens read, 0 written",
            f"budget: ${tokens / 1_000:.4f} of $1.00",
        ]
    )


def test_what_was_found_out_about_a_server_is_said_once(rag_project, openai_server: OpenAIServer, xdist_args) -> None:
    openai_server.refuses = {"temperature": "Unsupported value: 'temperature' does not support 0 with this model."}
    rag_project.config(MODELS.format(url=openai_server.url)).tests(SUITE.replace("answer_similarity", "faithfulness"))
    rag_project.testset("It is so.", "So it is.", retrieved_contexts=["It is so."])
    result = rag_project.run(*xdist_args)
    result.assert_outcomes(passed=2)
    lines = [line for line in result.outlines if "takes no temperature" in line]
    assert lines == ["judge takes no temperature; it answers at its own"]


@pytest.mark.parametrize("level", ["off", "short"])
def test_nothing_is_said_where_nothing_was_found_out(rag_project, openai_server: OpenAIServer, level: str) -> None:
    rag_project.config(MODELS.format(url=openai_server.url)).tests(SUITE)
    rag_project.testset("It is so.", reference="It is not.")
    result = rag_project.run(f"--ragas-summary={level}")
    assert "temperature" not in result.stdout.str()
