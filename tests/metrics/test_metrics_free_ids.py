"""Metrics on context ids against hand computation."""

from __future__ import annotations

import asyncio

import pytest

from pytest_ragas.errors import ConfigurationError, NothingToJudgeError
from pytest_ragas.metrics.free.ids import HitRate, IdContextPrecision, IdContextRecall, ReciprocalRank
from pytest_ragas.metrics.free.specs import SPECS
from pytest_ragas.protocols import Metric, MetricContext, MetricSpec
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score


def context(name: str = "", **options: object) -> MetricContext:
    return MetricContext(critic=EmbeddedCritic(), options=options, name=name)


def scored(metric: Metric, retrieved: list[str], reference: list[str]) -> Score:
    sample = Sample(retrieved_context_ids=retrieved, reference_context_ids=reference)
    return asyncio.run(metric.score(sample))


# retrieved, reference, recall, precision, hit rate, reciprocal rank
CASES = [
    (["a", "b", "c"], ["a", "b", "c"], 1.0, 1.0, 1.0, 1.0),
    (["x", "a", "y", "b"], ["a", "b", "c"], 2 / 3, 0.5, 1.0, 0.5),
    (["x", "y"], ["a"], 0.0, 0.0, 0.0, 0.0),
    (["x", "y", "a"], ["a"], 1.0, 1 / 3, 1.0, 1 / 3),
    # an id that came back twice is one context, at its first place
    (["x", "x", "x", "a", "a"], ["a", "a", "b"], 0.5, 0.5, 1.0, 0.5),
]


@pytest.mark.parametrize(("retrieved", "reference", "recall", "precision", "hit", "rank"), CASES)
def test_values(
    retrieved: list[str], reference: list[str], recall: float, precision: float, hit: float, rank: float
) -> None:
    assert scored(IdContextRecall(context()), retrieved, reference).value == pytest.approx(recall)
    assert scored(IdContextPrecision(context()), retrieved, reference).value == pytest.approx(precision)
    assert scored(HitRate(context()), retrieved, reference).value == hit
    assert scored(ReciprocalRank(context()), retrieved, reference).value == pytest.approx(rank)


@pytest.mark.parametrize(("k", "hit", "rank"), [(1, 0.0, 0.0), (2, 0.0, 0.0), (3, 1.0, 1 / 3), (99, 1.0, 1 / 3)])
def test_k_counts_distinct_ids(k: int, hit: float, rank: float) -> None:
    retrieved = ["x", "x", "y", "a"]
    assert scored(HitRate(context(k=k)), retrieved, ["a"]).value == hit
    assert scored(ReciprocalRank(context(k=k)), retrieved, ["a"]).value == pytest.approx(rank)


@pytest.mark.parametrize("metric", [HitRate, ReciprocalRank])
@pytest.mark.parametrize("k", [0, -1, 2.0, "3", True])
def test_k_must_be_a_count(metric: type, k: object) -> None:
    with pytest.raises(ConfigurationError, match="whole number of at least 1"):
        metric(context(k=k))


def test_nothing_retrieved_is_a_miss_but_has_no_precision() -> None:
    for metric in (IdContextRecall, HitRate, ReciprocalRank):
        assert scored(metric(context()), [], ["a"]).value == 0.0
    with pytest.raises(NothingToJudgeError, match="retrieved_context_ids is empty"):
        scored(IdContextPrecision(context()), [], ["a"])


@pytest.mark.parametrize("metric", [IdContextRecall, IdContextPrecision, HitRate, ReciprocalRank])
def test_no_reference_ids_is_no_score(metric: type) -> None:
    with pytest.raises(NothingToJudgeError, match="reference_context_ids is empty"):
        scored(metric(context()), ["a"], [])


def test_ids_that_are_numbers_are_compared_as_strings() -> None:
    sample = Sample(retrieved_context_ids=[7, 8], reference_context_ids=["7"])  # type: ignore[list-item]
    assert asyncio.run(IdContextRecall(context()).score(sample)).value == 1.0


def test_recall_names_what_was_missed() -> None:
    score = scored(IdContextRecall(context()), ["x", "a"], ["a", "b"])
    assert score.reason == "1 of 2 reference contexts were retrieved"
    assert [(finding.text, finding.value, finding.reason) for finding in score.evidence] == [
        ("a", 1.0, "retrieved at rank 2"),
        ("b", 0.0, "not retrieved"),
    ]


def test_ranking_shows_every_retrieved_id() -> None:
    score = scored(ReciprocalRank(context()), ["x", "a"], ["a"])
    assert score.reason == "the first reference context is at rank 2"
    assert [(finding.text, finding.bad) for finding in score.evidence] == [("x", True), ("a", False)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_specs_build_metrics_that_carry_the_name_asked_for(spec: MetricSpec) -> None:
    assert spec.backend == "free"
    assert spec.uses == frozenset()
    assert spec.factory(context()).name == spec.name
    metric = spec.factory(context(name=f"native:{spec.name}"))
    sample = Sample(
        response="a b", reference="a c", retrieved_contexts=["a"], reference_contexts=["a"],
        retrieved_context_ids=["1"], reference_context_ids=["1"],
    )  # fmt: skip
    score = asyncio.run(metric.score(sample))
    assert score.metric == f"native:{spec.name}"
    assert score.evidence
    assert score.reason


def test_ids_equal_ragas() -> None:
    """Its set-based classes give the same values; they are legacy classes, so the door does not offer them."""
    pytest.importorskip("ragas", exc_type=ImportError)
    from ragas.dataset_schema import SingleTurnSample
    from ragas.metrics._context_precision import IDBasedContextPrecision
    from ragas.metrics._context_recall import IDBasedContextRecall, NonLLMContextRecall
    from ragas.metrics._string import NonLLMStringSimilarity

    from pytest_ragas.metrics.free.text_recall import TextContextRecall

    class Quiet(NonLLMStringSimilarity):  # type: ignore[misc]
        """Its public method makes a telemetry event, which reads a file in the home directory."""

        async def single_turn_ascore(self, row: object, callbacks: object) -> float:
            return float(await self._single_turn_ascore(row, callbacks))

    for retrieved, reference, recall, precision, _, _ in CASES:
        row = SingleTurnSample(retrieved_context_ids=retrieved, reference_context_ids=reference)
        assert asyncio.run(IDBasedContextRecall()._single_turn_ascore(row, [])) == pytest.approx(recall)
        assert asyncio.run(IDBasedContextPrecision()._single_turn_ascore(row, [])) == pytest.approx(precision)
    texts = ["the tower is tall", "the tower is old", "a bridge", "the tower is very tall", "bridges"]
    for count in range(1, 5):
        row = SingleTurnSample(retrieved_contexts=texts[count:], reference_contexts=texts[:count])
        theirs = asyncio.run(NonLLMContextRecall(_distance_measure=Quiet())._single_turn_ascore(row, []))
        sample = Sample(retrieved_contexts=texts[count:], reference_contexts=texts[:count])
        assert asyncio.run(TextContextRecall(context()).score(sample)).value == theirs
