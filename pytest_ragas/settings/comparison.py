"""The settings of a comparison as its rules."""

from __future__ import annotations

from typing import Any

from pytest_ragas.settings.option_text import EVERY_METRIC
from pytest_ragas.settings.values import Settings
from pytest_ragas.values.comparison_rules import ComparisonRules

_WHOLE = ("few_clusters", "smallest_slice", "seed")


def comparison_rules(settings: Settings) -> ComparisonRules:
    """What makes a run worse than its baseline, as the keys `compare_…` say."""
    effects = {metric: drop for metric, drop in settings.compare_fail.items() if metric != EVERY_METRIC}
    # JSON Schema calls 8.0 an integer too
    given = settings.compare_rules
    others: dict[str, Any] = {name: int(value) if name in _WHOLE else value for name, value in given.items()}
    return ComparisonRules(
        alpha=settings.compare_alpha,
        effect=settings.compare_fail.get(EVERY_METRIC),
        effects=effects,
        fall=settings.compare_fall if settings.compare_fall < 1 else None,
        **others,
    )
