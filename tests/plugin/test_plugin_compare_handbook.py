"""The handbook example beside its baseline: a broken retriever is caught, and a critic that only adds noise is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook_rag"

# An LLM judge that is right about what the contexts hold, but for one verdict in ten, which it tosses a coin for.
NOISY = """

import json
import os
import random
import re

from pytest_ragas import ScriptedCritic

dice = random.Random(int(os.environ.get("CRITIC_SEED", "0")))
words = lambda text: {word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 3}


def verdicts(messages, schema):
    data = json.loads(messages[-1].content)
    known = words(" ".join(data["contexts"]))
    said = []
    for statement in data["statements"]:
        asked = words(statement["text"])
        true = len(asked & known) >= 0.8 * len(asked)
        if dice.random() < 0.1:
            true = dice.random() < 0.5
        said.append({"number": statement["number"], "reason": "so I think", "verdict": int(true)})
    return {"verdicts": said}


@pytest.fixture(scope="session")
def ragas_critic_llm():
    return ScriptedCritic(verdicts, name="noisy")
"""


@pytest.fixture
def handbook(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A copy of the example."""
    monkeypatch.setenv("COLUMNS", "140")
    left_out = shutil.ignore_patterns("__pycache__", ".*", "baseline.json")
    shutil.copytree(HANDBOOK, pytester.path, dirs_exist_ok=True, ignore=left_out)
    return pytester


def run(handbook: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    ours = ("-p", "no:randomly", "-o", "asyncio_default_fixture_loop_scope=function", "--tb=no", "-r", "N")
    return handbook.runpytest_subprocess(*ours, "--ragas-baseline=baseline.json", *arguments)


def test_a_broken_retriever_fails_the_comparison_and_is_named_as_the_cause(handbook):
    assert run(handbook, "--ragas-update-baseline").ret == pytest.ExitCode.OK
    same = run(handbook)
    assert same.ret == pytest.ExitCode.OK
    same.stdout.fnmatch_lines(["comparison passed: nothing got worse than baseline.json (42 rows)"])
    broken = run(handbook, "--broken-retriever")
    assert broken.ret == pytest.ExitCode.TESTS_FAILED
    broken.stdout.fnmatch_lines(
        [
            "diagnosis: retrieval 28*",
            "context_recall * 1.00 * 0.00 * -1.00 * <0.001  worse",
            "faithfulness * 1.00 * unchanged",
            "rows that broke: fell by more than 0.50",
            "  annual-leave * 1.00 -> 0.00*How many days of annual leave*",
            "  of these: retrieval 28",
            "comparison failed: answer_correctness -0.98, *; 28 rows broke (against baseline.json)",
        ]
    )
    assert "diagnosis: generation" not in broken.stdout.str()


def test_a_critic_that_only_adds_noise_passes(handbook, monkeypatch):
    """Real runs with a critic whose verdicts are sometimes tossed; 100 of them are compared below, by functions."""
    conftest = handbook.path / "conftest.py"
    conftest.write_text(conftest.read_text(encoding="utf-8") + NOISY, encoding="utf-8")
    metrics = ("-k", "test_recall", "--ragas-cache=off", "--ragas-repeats=3")
    handbook.makepyfile(
        test_recall="""
        import pytest

        @pytest.mark.ragas(testset="testset.yaml", metrics=["context_recall"])
        def test_recall(ragas_sample, rag):
            answer = rag.ask(ragas_sample.user_input)
            ragas_sample.record(response=answer.text, retrieved_contexts=[one.text for one in answer.sections])
        """
    )
    assert run(handbook, *metrics, "--ragas-update-baseline", "--ragas-compare=off").ret in (0, 1)
    changed = 0
    for seed in range(1, 6):
        monkeypatch.setenv("CRITIC_SEED", str(seed))
        result = run(handbook, *metrics)
        result.stdout.fnmatch_lines(["comparison passed: nothing got worse than baseline.json (14 rows)"])
        changed += "unchanged" not in result.stdout.str()
    assert changed >= 3  # the noise is there
    result = run(handbook, *metrics, "--broken-retriever")
    result.stdout.fnmatch_lines(["comparison failed: context_recall -*"])
