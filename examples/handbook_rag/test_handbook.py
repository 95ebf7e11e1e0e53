"""The handbook RAG answers what the testset asks, from the right sections."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.ragas(testset="testset.yaml")


@pytest.mark.ragas(thresholds={"faithfulness": 0.8, "context_recall": 0.8, "answer_correctness": 0.5})
def test_answer(ragas_sample, rag):
    answer = rag.ask(ragas_sample.user_input)
    ragas_sample.record(response=answer.text, retrieved_contexts=[section.text for section in answer.sections])


@pytest.mark.ragas(thresholds={"id_context_recall": 1.0}, metrics=["id_context_recall", "mrr"])
def test_retriever_alone(ragas_sample, rag):
    """Retrieval can be watched without answering, by the ids of what was found: these metrics are free."""
    sections = rag.retrieve(ragas_sample.user_input)
    ragas_sample.record(
        retrieved_contexts=[section.text for section in sections],
        retrieved_context_ids=[section.title for section in sections],
    )


@pytest.mark.ragas(target="handbook_target", thresholds={"faithfulness": 0.8})
def test_answers_asked_ahead(ragas_sample):
    """The plugin calls the target for all rows ahead, concurrently; the test may look at the answer, or be `...`."""
    assert ragas_sample.response.endswith(".")
