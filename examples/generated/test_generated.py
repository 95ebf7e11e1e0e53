"""A testset that writes itself from documents: the first run generates `generated.json`, every later one loads it."""

from __future__ import annotations

import pytest


@pytest.mark.ragas(
    docs=["../handbook_rag/handbook/*.md"],
    test_size=8,
    distribution={"simple": 0.5, "multi_context": 0.25, "extractive": 0.25},
    testset="generated.json",
    target="handbook",
    thresholds={"faithfulness": 0.8, "context_recall": 0.6},
)
def test_the_handbook_answers(ragas_sample):
    """Each row is a test of its own; the plugin asks the RAG for all of them ahead."""
