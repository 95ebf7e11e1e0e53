"""The metrics that come with the package, registered through the hook that others use."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ragas.hookspecs import hookimpl
from pytest_ragas.metrics.embedded import specs as embedded
from pytest_ragas.metrics.free import specs as free
from pytest_ragas.metrics.likelihood import specs as likelihood
from pytest_ragas.metrics.native import specs as native
from pytest_ragas.metrics.ragas import specs as ragas
from pytest_ragas.metrics.registry import Registry
from pytest_ragas.protocols import MetricSpec


@hookimpl
def pytest_ragas_register_metrics(register: Callable[[MetricSpec], None]) -> None:
    """Register every metric of ours. Reads specs only: no model library is imported."""
    for family in (native, embedded, likelihood, free, ragas):
        for spec in family.SPECS:
            register(spec)


def registry() -> Registry:
    """A registry of the built-in metrics, for callers without a plugin manager."""
    known = Registry()
    pytest_ragas_register_metrics(known.register)
    return known
