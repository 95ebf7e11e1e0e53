"""The free metrics as the registry knows them. Imports none of them."""

from __future__ import annotations

from pytest_ragas.metrics.later import later
from pytest_ragas.protocols import MetricSpec

__all__ = ["SPECS"]

_TEXTS = frozenset({"response", "reference"})
_IDS = frozenset({"retrieved_context_ids", "reference_context_ids"})

SPECS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="exact_match",
        backend="free",
        needs=_TEXTS,
        uses=frozenset(),
        factory=later("free.exact_match", "ExactMatch"),
        version="1",
        summary="1 if the response equals the reference",
        options=frozenset({"normalize"}),
    ),
    MetricSpec(
        name="rouge_l",
        backend="free",
        needs=_TEXTS,
        uses=frozenset(),
        factory=later("free.rouge_l", "RougeL"),
        version="1",
        summary="F1 of the longest sequence of words that response and reference share",
        options=frozenset({"mode"}),
    ),
    MetricSpec(
        name="id_context_recall",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=later("free.ids", "IdContextRecall"),
        version="1",
        summary="share of the reference context ids that were retrieved",
    ),
    MetricSpec(
        name="id_context_precision",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=later("free.ids", "IdContextPrecision"),
        version="1",
        summary="share of the retrieved context ids that are reference context ids",
    ),
    MetricSpec(
        name="text_context_recall",
        backend="free",
        needs=frozenset({"retrieved_contexts", "reference_contexts"}),
        uses=frozenset(),
        factory=later("free.text_recall", "TextContextRecall"),
        version="1",
        summary="share of the reference contexts that were retrieved, by the likeness of their text",
        options=frozenset({"measure", "threshold"}),
    ),
    MetricSpec(
        name="hit_rate",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=later("free.ids", "HitRate"),
        version="1",
        summary="1 if a reference context id is among the first k retrieved ids",
        options=frozenset({"k"}),
    ),
    MetricSpec(
        name="mrr",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=later("free.ids", "ReciprocalRank"),
        version="1",
        summary="1 / rank of the first reference context id among the retrieved ids",
        options=frozenset({"k"}),
    ),
)
