"""Layers of settings to one `Settings`: the later layer weighs more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ragas.settings.layers import Layer
from pytest_ragas.settings.model import model_settings
from pytest_ragas.settings.prices import prices_from
from pytest_ragas.settings.values import Settings
from pytest_ragas.values.gate import thresholds_from

_MODELS = ("critic_llm", "generator_llm", "embeddings")
_WHOLE = ("concurrency", "target_concurrency", "max_calls", "max_tokens", "repeats")
_NUMBERS = (
    "min_coverage",
    "target_timeout",
    "max_usd",
    "max_seconds",
    "repeats_confidence",
    "compare_alpha",
    "compare_fall",
)

Gates = list[tuple[str, str]]


def merged(layers: Sequence[Layer]) -> Settings:
    """What layers without problems say together.

    Tables that users fill entry by entry (thresholds, gates, options of metrics, prices, rules of a comparison) are
    merged entry by entry. A model is replaced as a whole: a key of one endpoint must never be sent to another.
    """
    values: dict[str, Any] = {}
    thresholds: dict[str, float] = {}
    options: dict[str, dict[str, Any]] = {}
    prices: dict[str, Any] = {}
    drops: dict[str, float] = {}
    rules: dict[str, Any] = {}
    gates: Gates = []
    origin: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.table.items():
            if key == "thresholds":
                thresholds.update(value)
                origin.update({f"thresholds.{metric}": layer.origin for metric in value})
            elif key == "metric_options":
                for metric, given in value.items():
                    options.setdefault(metric, {}).update(given)
                    origin.update({f"metric_options.{metric}.{name}": layer.origin for name in given})
            elif key == "compare_fail":
                drops.update({metric: float(drop) for metric, drop in value.items()})
                origin.update({f"compare_fail.{metric}": layer.origin for metric in value})
            elif key == "compare_rules":
                rules.update(value)
                origin.update({f"compare_rules.{name}": layer.origin for name in value})
            elif key == "prices":
                prices.update(value)
                origin.update({f"prices.{model}": layer.origin for model in value})
            elif key != "gates":
                values[key] = model_settings(value) if key in _MODELS else value
                origin[key] = layer.origin
        added = [*layer.table.get("gates", {}).items(), *layer.gates]
        gates = _over(gates, added)
        origin.update({f"gates.{aggregate.strip()}": layer.origin for aggregate, _ in added})
    if "metrics" in values:
        values["metrics"] = tuple(dict.fromkeys(values["metrics"]))
    for whole in _WHOLE:  # JSON Schema calls 16.0 an integer too
        if whole in values:
            values[whole] = int(values[whole])
    for number in _NUMBERS:
        if number in values:
            values[number] = float(values[number])
    return Settings(
        **values,
        thresholds=thresholds_from(thresholds),
        metric_options=options,
        prices=prices_from(prices),
        compare_fail=drops,
        compare_rules=rules,
        gates=tuple(f"{aggregate.strip()} {bound.strip()}" for aggregate, bound in gates),
        origin=origin,
        notes=tuple(note for layer in layers for note in layer.notes),
    )


def _over(lower: Gates, higher: Gates) -> Gates:
    """Gates of a lower layer that a higher one says nothing of, then those of the higher one.

    A lower and an upper bound on one aggregate are two gates.
    """
    replaced = {_key(gate) for gate in higher}
    return [gate for gate in lower if _key(gate) not in replaced] + higher


def _key(gate: tuple[str, str]) -> tuple[str, str]:
    aggregate, bound = gate
    return "".join(aggregate.split()), bound.strip()[:1]
