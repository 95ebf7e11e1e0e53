"""What ragas' own metrics would ask: by running them against a model that asks nobody."""

from __future__ import annotations

import pytest

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.estimate import estimate
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.estimate import Planned
from pytest_ragas.values.sample import Sample

pytest.importorskip("ragas", reason="needs the extra [ragas]")

SAMPLE = Sample(
    user_input="How long is the Nile?",
    response="The Nile is 6650 km long.",
    retrieved_contexts=["The Nile is 6650 km long and flows north.", "Cats sleep.", "Egypt lies in Africa."],
    reference="The Nile is 6650 km long.",
)


@pytest.mark.parametrize(
    ("metric", "calls"),
    # as tests/metrics/test_metrics_ragas_scores.py has them answered: one request for each context of precision
    [("faithfulness", 2), ("context_precision", 3), ("context_recall", 1), ("context_entity_recall", 2)],
)
def test_calls_of_ragas_metrics(metric: str, calls: int) -> None:
    settings = Settings(critic_llm=ModelSettings(model_name="judge", api_base="https://api.invalid/v1"), cache="off")
    found = estimate(settings, registry(), [Planned(sample=SAMPLE, basis="recorded", metrics=(f"ragas:{metric}",))])
    assert not found.problems
    assert [(line.metric, line.usage.calls) for line in found.lines] == [(f"ragas:{metric}", calls)]
