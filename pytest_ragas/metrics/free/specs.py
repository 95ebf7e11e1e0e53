"""The free metrics as the registry knows them."""

from __future__ import annotations

from pytest_ragas.metrics.free.exact_match import ExactMatch
from pytest_ragas.metrics.free.ids import HitRate, IdContextPrecision, IdContextRecall, ReciprocalRank
from pytest_ragas.metrics.free.rouge_l import RougeL
from pytest_ragas.metrics.free.text_recall import TextContextRecall
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
        factory=ExactMatch,
        version="1",
        summary="1 if the response equals the reference",
        options=frozenset({"normalize"}),
    ),
    MetricSpec(
        name="rouge_l",
        backend="free",
        needs=_TEXTS,
        uses=frozenset(),
        factory=RougeL,
        version="1",
        summary="F1 of the longest sequence of words that response and reference share",
        options=frozenset({"mode"}),
    ),
    MetricSpec(
        name="id_context_recall",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=IdContextRecall,
        version="1",
        summary="share of the reference context ids that were retrieved",
    ),
    MetricSpec(
        name="id_context_precision",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=IdContextPrecision,
        version="1",
        summary="share of the retrieved context ids that are reference context ids",
    ),
    MetricSpec(
        name="text_context_recall",
        backend="free",
        needs=frozenset({"retrieved_contexts", "reference_contexts"}),
        uses=frozenset(),
        factory=TextContextRecall,
        version="1",
        summary="share of the reference contexts that were retrieved, by the likeness of their text",
        options=frozenset({"measure", "threshold"}),
    ),
    MetricSpec(
        name="hit_rate",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=HitRate,
        version="1",
        summary="1 if a reference context id is among the first k retrieved ids",
        options=frozenset({"k"}),
    ),
    MetricSpec(
        name="mrr",
        backend="free",
        needs=_IDS,
        uses=frozenset(),
        factory=ReciprocalRank,
        version="1",
        summary="1 / rank of the first reference context id among the retrieved ids",
        options=frozenset({"k"}),
    ),
)
