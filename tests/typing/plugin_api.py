"""What a user's tests write, as mypy sees it. Never run: `mypy --strict tests/typing` reads it."""

from __future__ import annotations

import pytest

from pytest_ragas import (
    RagasEvaluator,
    Sample,
    SampleHandle,
    Score,
    Testset,
    ThresholdFailure,
    aassert_scores,
    assert_answer_correctness,
    assert_faithfulness,
    assert_scores,
    load_testset,
)


@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8})
def test_rag(ragas_sample: SampleHandle) -> str:
    question: str = ragas_sample.user_input
    recorded: Sample = ragas_sample.record(response=question, retrieved_contexts=["a"])
    return recorded.id


def test_helpers(ragas: RagasEvaluator) -> None:
    sample = Sample(user_input="?", response="!", retrieved_contexts=["a", "b"])
    score: Score = assert_faithfulness(sample, threshold=0.8)
    scores: dict[str, Score] = assert_scores(sample, faithfulness=0.8, answer_relevancy=0.7)
    more: dict[str, Score] = assert_scores(sample, {"ragas:faithfulness": 0.8})
    plain: dict[str, Score] = ragas.score(sample, ["context_precision"])
    assert_answer_correctness({"question": "?", "answer": "!", "ground_truth": "!"})
    value: float = (score, *scores.values(), *more.values(), *plain.values())[0].value
    with pytest.raises(ThresholdFailure) as caught:
        assert_faithfulness(sample, threshold=value)
    assert caught.value.results[0].sample is sample


async def test_async(ragas: RagasEvaluator) -> None:
    sample = Sample(response="!")
    scores: dict[str, Score] = await aassert_scores(sample, faithfulness=0.8)
    scores = await ragas.ascore(sample, "faithfulness")
    assert scores["faithfulness"].evidence[0].text


def use_testset(path: str) -> int:
    testset: Testset = load_testset(path)
    return len(testset)


def mistakes(ragas: RagasEvaluator) -> None:
    assert_faithfulness("an answer")  # type: ignore[arg-type]
    assert_scores(Sample(), faithfulness="high")  # type: ignore[arg-type]
    ragas.score(Sample())  # type: ignore[call-arg]
