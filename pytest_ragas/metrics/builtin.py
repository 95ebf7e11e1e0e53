"""The metrics that come with the package, registered through the hook that others use."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

from pytest_ragas.hookspecs import hookimpl
from pytest_ragas.metrics.registry import Registry
from pytest_ragas.protocols import MetricSpec

_FAMILIES = ("native", "embedded", "free", "ragas")


@hookimpl
def pytest_ragas_register_metrics(register: Callable[[MetricSpec], None]) -> None:
    """Register every metric of ours. Reads specs only: no model library is imported."""
    for family in _FAMILIES:
        for spec in _specs_of(family):
            register(spec)


def registry() -> Registry:
    """A registry of the built-in metrics, for callers without a plugin manager."""
    known = Registry()
    pytest_ragas_register_metrics(known.register)
    return known


def _specs_of(family: str) -> tuple[MetricSpec, ...]:
    name = f"pytest_ragas.metrics.{family}"
    if importlib.util.find_spec(name) is None or importlib.util.find_spec(f"{name}.specs") is None:
        return ()
    specs: tuple[MetricSpec, ...] = importlib.import_module(f"{name}.specs").SPECS
    return specs
