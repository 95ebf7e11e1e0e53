"""A testset that the real SmolLM2 writes from this project's own docs, without a network, and a test that it feeds."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from local_models.test_local_models_session import CONFTEST
from pytest_ragas.testset.documents.read import read_documents
from pytest_ragas.testset.load import load_testset

DOCS = ("gates.md", "budgets.md", "repeats.md")


def test_smollm2_writes_five_rows_that_feed_a_marked_test(
    pytester: pytest.Pytester, smollm2: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten to twenty calls. A model of 135M parameters is no author: its questions are held to their wording alone."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    (pytester.path / "docs").mkdir()
    for name in DOCS:
        shutil.copy(Path(__file__).parents[2] / "docs" / name, pytester.path / "docs" / name)
    pytester.makeconftest(CONFTEST)
    (pytester.path / "pyproject.toml").write_text(
        """
        [tool.pytest.ini_options]
        asyncio_default_fixture_loop_scope = "function"
        [tool.pytest-ragas.generator_llm]
        model_name_or_path = "smollm2"
        generation_config = { max_tokens = 64 }
        """,
        encoding="utf-8",
    )
    pytester.makepyfile(
        test_docs="""
        import pytest

        @pytest.mark.ragas(docs=["docs"], test_size=5, distribution={"extractive": 1.0}, attempts=10,
                           testset="generated.json", thresholds={"context_recall": 0.5})
        def test_docs(ragas_sample):
            ragas_sample.record(response=ragas_sample.reference, retrieved_contexts=ragas_sample.reference_contexts)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5)
    text = result.stdout.str()
    told = re.search(
        r"5 rows \(5 extractive\) from \d+ passages of 3 documents; (\d+) candidates, (\d+) rejected", text
    )
    assert told, text
    assert int(told[1]) == 5 + int(told[2])
    spent = re.search(r"generator LLM +smollm2: (\d+) calls", text)
    assert spent, text
    assert int(spent[1]) <= int(told[1]), "a candidate is one call, or none where it was answered before"
    documents = {document.path: document for document in read_documents(["docs"], root=pytester.path)}
    for row in load_testset(pytester.path / "generated.json"):
        [source] = row.metadata["sources"]
        [context] = row.reference_contexts or ()
        assert documents[source["path"]].text[source["start"] : source["end"]] == context
        assert row.metadata["generator"] == "smollm2"
    lock = json.loads((pytester.path / "generated.json.lock").read_text(encoding="utf-8"))
    assert lock["models"]["critic LLM"]["provider"] == "embedded"
