"""A local LLM with real weights, SmolLM2-135M: every native prompt is answered in structure, through a real pytest run.

What it answers is not looked at: it is no judge.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import StructureError
from pytest_ragas.metrics.native import structure as structures
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.models.build import build_llm
from pytest_ragas.models.local.weights import find_weights
from pytest_ragas.models.structured import Structure
from pytest_ragas.prompts.prompt import Prompt
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer

CONTEXTS = ["The Eiffel Tower is in Paris. It was completed in 1889."]
STATEMENTS = structures.numbered(["The tower is in Paris.", "The tower is in Rome."])
VERDICTS = structures.verdicts_structure(2)


@pytest.fixture(scope="module")
def smollm2() -> str:
    """The folder of the weights; converted once, then out of the cache."""
    for library in ("torch", "transformers", "llguidance", "gguf"):
        pytest.importorskip(library, reason=f"the extra [local] is not installed: no {library}")
    return str(find_weights("smollm2").folder)


@pytest.fixture(scope="module")
def llm(smollm2: str) -> Iterator[Any]:
    """One model for all tests of this module; asked on the loop of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
        made = build_llm(
            ModelSettings(
                model_name_or_path=smollm2,
                generation_config={"max_tokens": 60},
                options={"device": "cpu", "dtype": "float32", "threads": 1},
            )
        )
        yield made
        asyncio.run(made.aclose())


def test_prompts_of_the_native_metrics_are_answered_in_structure(llm: Any) -> None:
    asked: list[tuple[Prompt, dict[str, Any], Any]] = [
        (prompt("verdicts"), {"contexts": CONTEXTS, "statements": STATEMENTS}, VERDICTS),
        (
            prompt("statements"),
            {"question": "Where is it?", "text": "It is in Paris."},
            structures.structure("Statements", statements=structures.array(structures.TEXT)),
        ),
        (
            prompt("relevant_sentences"),
            {"sentences": STATEMENTS, "question": "Where is it?"},
            structures.structure(
                "RelevantSentences",
                reason=structures.TEXT,
                numbers=structures.array(structures.one_of(1, 2)),
            ),
        ),
    ]

    async def work() -> list[Any]:
        return await asyncio.gather(
            *(one.ask(llm, data, schema) for one, data, schema in asked), return_exceptions=True
        )

    for answer, (_, _, schema) in zip(asyncio.run(work()), asked, strict=True):
        assert isinstance(answer, (Answer, StructureError)), answer
        value = json.loads(answer.raw)
        assert Structure.of(schema).valid(value)
        if isinstance(answer, StructureError):
            assert "ran into its limit of 60 tokens" in str(answer)


def test_together_is_the_same_as_alone(llm: Any) -> None:
    asked = [
        {"contexts": CONTEXTS, "statements": structures.numbered([text])}
        for text in ("The tower is in Paris.", "It opened in 1925, and many people visit it.", "Bananas.")
    ]

    async def work() -> tuple[list[Answer], list[Answer]]:
        schema = structures.verdicts_structure(1)
        alone = [await prompt("verdicts").ask(llm, data, schema) for data in asked]
        return alone, list(await asyncio.gather(*(prompt("verdicts").ask(llm, data, schema) for data in asked)))

    alone, together = asyncio.run(work())
    assert [answer.raw for answer in together] == [answer.raw for answer in alone]


ROW = {
    "id": "tower",
    "user_input": "Where is the Eiffel Tower?",
    "response": "The Eiffel Tower is in Paris.",
    "reference": "It stands in Paris.",
    "retrieved_contexts": CONTEXTS,
    "reference_contexts": CONTEXTS,
}
NATIVE = sorted(spec.name for spec in SPECS)
CONFTEST = """
import pytest
from pytest_ragas import ScriptedEmbeddings


@pytest.fixture(scope="session")
def ragas_embeddings():
    return ScriptedEmbeddings(lambda text: [1.0, float(len(text))])
"""


def run_suite(pytester: pytest.Pytester, critic: dict[str, Any], metrics: list[str]) -> str:
    """What pytest says of one row that is scored with these metrics."""
    pytester.makefile(".json", ragas=json.dumps({"critic_llm": critic}))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(f"""
        import pytest
        from pytest_ragas import Sample

        @pytest.mark.parametrize("metric", {metrics})
        def test_metric(ragas, metric):
            try:
                score = ragas.score(Sample(**{ROW}), [metric])[metric]
                print(f"{{metric}} has the score {{score.value:.2f}}")
            except Exception as error:
                print(f"{{metric}} has none: {{type(error).__name__}} {{' '.join(str(error).split())}}")
    """)
    result = pytester.runpytest_subprocess(
        "--ragas-config=ragas.json", "-p", "no:cacheprovider", "-p", "no:randomly", "-s", "-n0", timeout=900
    )
    result.assert_outcomes(passed=len(metrics))
    said: str = result.stdout.str()
    return said


def check_each_is_scored_or_told(said: str, metrics: list[str]) -> None:
    told = (
        r"ran into its limit of \d+ tokens|The request has [\d,]+ tokens|takes about \d+ tokens at least"
        r"|no statement|nothing to judge"
    )
    for metric in metrics:
        assert re.search(rf"{metric} has (the score [01]\.\d\d|none: .*({told}))", said), (metric, said)


def test_all_native_metrics_through_pytest(
    pytester: pytest.Pytester, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gives a score, or a failure that says why: also with weights that know nothing."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    critic = {
        "model_name_or_path": str(tiny_weights),
        "generation_config": {"max_tokens": 200},
        "device": "cpu",
        "threads": 1,
    }
    check_each_is_scored_or_told(run_suite(pytester, critic, NATIVE), NATIVE)


def test_real_weights_through_pytest(pytester: pytest.Pytester, smollm2: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    critic = {
        "model_name_or_path": smollm2,
        "generation_config": {"temperature": 0, "max_tokens": 48},
        "device": "cpu",
        "threads": 1,
    }
    metrics = ["context_precision"]
    check_each_is_scored_or_told(run_suite(pytester, critic, metrics), metrics)
