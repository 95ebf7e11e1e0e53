"""Recorded answers of a RAG, scored on this machine without a model: the rows carry their answers."""

from __future__ import annotations

import pytest

from pytest_ragas import Sample, ThresholdFailure, assert_faithfulness


@pytest.mark.ragas(
    testset="super_bowl.json",
    metrics=["faithfulness", "answer_relevancy", "context_precision", "context_recall", "answer_correctness"],
)
def test_two_answers_are_measured(ragas_sample):
    """No thresholds: the scores are in the summary, where the second answer stands out."""


@pytest.mark.ragas(testset="evalscope_readme.json", thresholds={"faithfulness": 0.15, "answer_correctness": 0.15})
def test_five_answers_hold_their_thresholds(ragas_sample):
    """Each row is a test of its own, and fails on its own.

    The thresholds lie a little below what these rows score today. They paraphrase a lot, and the embedded
    default measures wording: its scores are to be compared with the suite's own past, not with 1.
    """


def test_an_invented_answer_is_caught():
    """The helpers work in any test, without a testset."""
    sample = Sample(
        user_input="Who won the most super bowls?",
        response="The most super bowls have been won by The New England Patriots",
        retrieved_contexts=[
            "The Green Bay Packers...Green Bay, Wisconsin.",
            "The Packers compete...Football Conference",
        ],
    )
    with pytest.raises(ThresholdFailure, match="faithfulness"):
        assert_faithfulness(sample, threshold=0.5)
