"""What is known of the embedded metrics: names, needs, versions. Imports none of them."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ragas.metrics.later import later
from pytest_ragas.protocols import Metric, MetricContext, MetricSpec

__all__ = ["SPECS"]

_MEASURE = "1"
"""Version of the measure that all of them share: tokens, sentences, formula. Raise it when a score may change."""


def _spec(
    name: str, needs: str, factory: Callable[[MetricContext], Metric], summary: str, *, version: str = "1"
) -> MetricSpec:
    return MetricSpec(
        name=name,
        backend="embedded",
        needs=frozenset(needs.split()),
        uses=frozenset(),
        factory=factory,
        version=f"{_MEASURE}.{version}",
        summary=f"{summary} (a heuristic on the wording)",
    )


# What it cannot measure honestly is not here: noise_sensitivity, factual_correctness and context_entity_recall
# need statements and entities. answer_similarity compares embeddings and is the same metric under every critic.
SPECS: tuple[MetricSpec, ...] = (
    _spec(
        "faithfulness",
        "response retrieved_contexts",
        later("embedded.grounded", "Grounded.of_response"),
        "How far the retrieved contexts carry the wording of the response",
    ),
    _spec(
        "response_groundedness",
        "response retrieved_contexts",
        later("embedded.grounded", "Grounded.of_response"),
        "The same measure as faithfulness",
    ),
    _spec(
        "context_recall",
        "reference retrieved_contexts",
        later("embedded.grounded", "Grounded.of_reference"),
        "How far the retrieved contexts carry the wording of the reference",
    ),
    _spec(
        "context_precision",
        "reference retrieved_contexts",
        later("embedded.context_precision", "ContextPrecision.with_reference"),
        "Whether the contexts that share wording with the reference come first",
    ),
    _spec(
        "context_precision_without_reference",
        "response retrieved_contexts",
        later("embedded.context_precision", "ContextPrecision.without_reference"),
        "Whether the contexts that share wording with the response come first",
    ),
    _spec(
        "context_relevancy",
        "user_input retrieved_contexts",
        later("embedded.relevancy", "ContextRelevancy.build"),
        "How much of the question's wording the best context holds",
    ),
    _spec(
        "answer_relevancy",
        "user_input response",
        later("embedded.relevancy", "answer_relevancy"),
        "How much of the question's wording the response takes up; with embeddings configured, how close they are",
    ),
    _spec(
        "answer_correctness",
        "response reference",
        later("embedded.answer_correctness", "AnswerCorrectness.build"),
        "How far response and reference carry each other's wording, F1",
    ),
)
