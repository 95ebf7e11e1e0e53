"""Whether two runs were judged by the same models and metrics, so that their rows may lie in one file."""

from __future__ import annotations

from pytest_ragas.baselines.comparable import same_model
from pytest_ragas.values.recorded import MetricIdentity, RecordedRun

_JUDGES = ("critic LLM", "embeddings")


def other_judges(one: RecordedRun, other: RecordedRun) -> tuple[str, ...]:
    """Why rows of two runs cannot stand beside each other; empty where they can.

    A run may use several critics, and a part of it fewer of them: only where none of them is the same are they others.
    """
    return (*_models(one, other), *_metrics(one, other))


def _models(one: RecordedRun, other: RecordedRun) -> list[str]:
    found = []
    for role in _JUDGES:
        first = [use.identity for use in one.models if use.role == role]
        second = [use.identity for use in other.models if use.role == role]
        if not first or not second or any(same_model(before, after) for before in first for after in second):
            continue
        before, after = first[0], second[0]
        same_name = before.name == after.name
        differs = f"{before.name}, with other parameters" if same_name else f"{before.name} and {after.name}"
        found.append(f"the {role} differs ({differs})")
    return found


def _metrics(one: RecordedRun, other: RecordedRun) -> list[str]:
    found = []
    for name in sorted({identity.metric for identity in one.metrics}):
        first = {identity for identity in one.metrics if identity.metric == name}
        second = {identity for identity in other.metrics if identity.metric == name}
        if second and not first & second:
            before, after = min(first, key=repr), min(second, key=repr)
            found.append(f"{name} was computed in another way ({_how(before, after)})")
    return found


def _how(before: MetricIdentity, after: MetricIdentity) -> str:
    if before.backend != after.backend:
        return f"backend {before.backend} and {after.backend}"
    if before.version != after.version:
        return f"version {before.version} and {after.version}"
    return "with other options"
