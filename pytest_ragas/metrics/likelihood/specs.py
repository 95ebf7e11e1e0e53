"""What is known of the likelihood metrics: names, needs, versions. Imports none of them."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ragas.metrics.later import later
from pytest_ragas.protocols import Metric, MetricContext, MetricSpec

__all__ = ["SPECS"]

_MEASURE = "1"
"""Version of what all of them share: the texts that the model reads, sentences, formula. Raise it when a score may
change."""


def _spec(
    name: str, needs: str, factory: Callable[[MetricContext], Metric], summary: str, *, version: str = "1"
) -> MetricSpec:
    fields = frozenset(needs.split())
    return MetricSpec(
        name=name,
        backend="likelihood",
        needs=fields,
        uses=frozenset({"likelihood"}),
        factory=factory,
        version=f"{_MEASURE}.{version}",
        summary=f"{summary} (likelihoods of a language model)",
        options=frozenset({"measure"}),
        depends_on=fields | {"user_input"},
    )


# What it cannot measure honestly is not here. Whether a response answers its question, and whether a context is about
# it, the likelihood of the question tells worse than its words do; the others need claims and entities.
SPECS: tuple[MetricSpec, ...] = (
    _spec(
        "faithfulness",
        "response retrieved_contexts",
        later("likelihood.grounded", "Grounded.of_response"),
        "Share of what surprises in the response that the retrieved contexts explain",
    ),
    _spec(
        "response_groundedness",
        "response retrieved_contexts",
        later("likelihood.grounded", "Grounded.of_response"),
        "The same measure as faithfulness",
    ),
    _spec(
        "context_recall",
        "reference retrieved_contexts",
        later("likelihood.grounded", "Grounded.of_reference"),
        "Share of what surprises in the reference that the retrieved contexts explain",
    ),
)
