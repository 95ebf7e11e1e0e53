"""The likelihood critic in a suite, in its benchmarks, and with real weights."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from local_models.random_lm import tiny_model, tiny_tokenizer

from pytest_ragas.metrics.likelihood.share import calibrated_yes, explained
from pytest_ragas.models.local.likelihood import CausalLikelihoods
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.likelihood import Likelihood

KIND = {"kind": "likelihood"}
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


# ---- a suite ------------------------------------------------------------------------------------

SUITE = """
import pytest

@pytest.mark.ragas(testset="testset.jsonl", metrics=["context_recall"], thresholds={"faithfulness": 0.0})
def test_rag(ragas_sample):
    pass
"""
ROWS = """
{"id": "a", "user_input": "How long?", "response": "30 days.", "retrieved_contexts": ["30 days."], "reference": "30."}
{"id": "b", "user_input": "How long?", "response": "30 days. Or 5.", "retrieved_contexts": ["No."], "reference": "30."}
{"id": "long", "user_input": "?", "response": "30.", "retrieved_contexts": ["LONG"], "reference": "30."}
"""
CONFTEST = """
import sys

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"torch imported: {'torch' in sys.modules}")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite with a tiny model on disk as its likelihood critic."""
    for name in ("torch", "transformers", "safetensors"):
        pytest.importorskip(name, reason=f"the extra [local] is not installed: no {name}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(pytester.path / "models-cache"))
    folder = pytester.path / "tiny"
    tiny_model().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    pytester.path.joinpath("testset.jsonl").write_text(ROWS.strip().replace("LONG", "word " * 200), encoding="utf-8")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_rag=SUITE)
    pytester.makepyprojecttoml(
        '[tool.pytest-ragas.critic_llm]\nkind = "likelihood"\nmodel_name_or_path = "./tiny"\nthreads = 1\n'
    )
    return pytester


def test_a_suite_is_judged_stored_and_replayed_without_torch(project: pytest.Pytester) -> None:
    first = project.runpytest_subprocess("-p", "no:cacheprovider")
    first.assert_outcomes(passed=2, errors=1)
    first.stdout.fnmatch_lines(["*torch imported: True"])
    first.stdout.fnmatch_lines(["*tiny reads 512 at most. Nothing was cut*", "*row * long (testset.jsonl row 3)"])
    text = " ".join(first.stdout.str().split())
    assert "likelihood is a share of surprisal that the contexts explain" in text
    again = project.runpytest_subprocess("-q", "-p", "no:cacheprovider", "--ragas-cache=replay")
    again.assert_outcomes(passed=2, errors=1)
    again.stdout.fnmatch_lines(["*torch imported: False"])
    assert "--ragas-cache=replay makes no call" in again.stdout.str()


def test_a_metric_that_likelihoods_do_not_tell_is_an_error_before_anything_is_loaded(project: pytest.Pytester) -> None:
    project.makepyfile(test_rag=SUITE.replace('"context_recall"', '"answer_relevancy"'))
    run = project.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    assert run.ret != 0
    text = " ".join(run.stdout.str().split())
    assert 'answer_relevancy is judged by an LLM, and the critic tiny is of kind = "likelihood"' in text
    run.stdout.fnmatch_lines(["*torch imported: False"])


# ---- benchmarks ---------------------------------------------------------------------------------


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_benchmarks_run_and_write_their_tables(project: pytest.Pytester) -> None:
    data = project.path / "data"
    data.mkdir()
    for name in ("one", "two"):
        rows = [
            {
                "id": f"{name}{number}",
                "user_input": f"Who founded mill {number}?",
                "retrieved_contexts": [f"The mill {number} was founded by Ada Norton in 18{number}."],
                "response": f"Mill {number} was founded by Ada Norton."
                if number % 2
                else "It is unknown to Ben Okoro.",
                "faithful": number % 2,
            }
            for number in range(30, 60)
        ]
        data.joinpath(f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    page = project.path / "page.md"
    page.write_text("before\n<!-- accuracy: begin -->\n<!-- accuracy: end -->\nbehind\n", encoding="utf-8")
    given = ("--model", project.path / "tiny", "--repeats", 20)
    arguments = (data, *given, "--cases", 30, "--asked", 24, "--cache-dir", project.path / "cache", "--write", page)
    printed = run("local_accuracy.py", *arguments)
    text = page.read_text(encoding="utf-8")
    assert printed.strip() in text
    assert text.startswith("before\n")
    assert text.endswith("behind\n")
    assert "| one | 30 |" in printed
    assert "likelihood, yes_no" in printed
    assert run("local_accuracy.py", *arguments) == printed  # stored scores, seeded draws
    speed = run("likelihood_speed.py", "--model", project.path / "tiny", "--context", 18, "--statements", 2)
    assert "2 statements" in speed
    assert "differs by 0.0" in speed


def test_the_page_of_the_docs_has_the_tables() -> None:
    page = (BENCHMARKS.parent / "docs" / "local-critics.md").read_text(encoding="utf-8")
    assert page.count("<!-- accuracy: begin -->\n| AUROC [95 %] | n | embedded | bigram coverage | likelihood") == 1


# ---- real weights -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smollm2() -> Any:
    """Reads statements with the real SmolLM2-135M-Instruct."""
    for name in ("torch", "transformers", "gguf", "accelerate"):
        pytest.importorskip(name, reason=f"the extra [local] is not installed: no {name}")
    from pytest_ragas.models.local.load import load_causal_lm

    settings = ModelSettings(model_name_or_path="smollm2", options={**KIND, "threads": 1})
    loaded = load_causal_lm(settings)  # once, however many critics read with it

    def read(statements: Sequence[str], **asked: Any) -> Sequence[Likelihood]:
        async def ask() -> Sequence[Likelihood]:
            critic = CausalLikelihoods(settings)
            try:
                return await critic.likelihoods(statements, **asked)
            finally:
                await critic.aclose()

        assert loaded is not None
        return asyncio.run(ask())

    return read


SUPPORTED = "The Brellin Bridge over the Osk was finished in 1887."
OFF_TOPIC = "Bananas are grown in Ecuador for export to Europe."
PASSAGE = "Trains cross the Osk by the Brellin Bridge, which the engineer Tamsin Orrell finished in 1887."


def test_real_weights_expect_what_the_passage_says(smollm2: Any) -> None:
    supported, off_topic = smollm2([SUPPORTED, OFF_TOPIC], context=PASSAGE, question="When was the bridge finished?")
    assert explained(supported) > 0.3
    assert explained(off_topic) < 0.1
    assert "".join(supported.tokens) == SUPPORTED


def test_real_weights_say_the_same_in_a_batch_and_alone(smollm2: Any) -> None:
    statements = [SUPPORTED, OFF_TOPIC, "In 1887.", "It was finished in 1750."]
    asked = {"context": PASSAGE, "question": "When was the bridge finished?"}
    batch = smollm2(statements, **asked)
    assert batch == smollm2(statements, **asked)
    for read in batch:
        [single] = smollm2([read.statement], **asked)
        # bfloat16 has two to three digits, and sums in another order where rows are read together
        assert explained(read) == pytest.approx(explained(single), abs=0.02)
    for read in smollm2(statements, yes_no=True, **asked):
        assert 0.0 < calibrated_yes(read) < 1.0
