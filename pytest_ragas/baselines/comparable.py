"""Whether scores of two runs were made in the same way: only then does a difference say something of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pytest_ragas.errors import cut
from pytest_ragas.values.model import ModelIdentity
from pytest_ragas.values.recorded import MetricIdentity, RecordedRun

_JUDGES = ("critic LLM", "embeddings")
"""Roles that scores depend on; a generator LLM writes testsets, and those are paired row by row."""

_T = TypeVar("_T")


def differences(baseline: RecordedRun, current: RecordedRun) -> tuple[str, ...]:
    """Why the scores of two runs do not compare; empty where they do.

    Another critic LLM or other embeddings, and of metrics that both runs have: another backend, version, options or
    prompts. Another testset is no reason, since rows are paired; nor is the same model at another endpoint.

    Args:
        baseline: The earlier run.
        current: Today's.

    Returns:
        One phrase for each: "critic LLM: gpt-4o-mini in the baseline, gpt-4o now".
    """
    common = _metrics(baseline).keys() & _metrics(current).keys()
    found = [] if _without_models(current, common) else _of_models(baseline, current)
    return (*found, *_of_metrics(_metrics(baseline), _metrics(current), sorted(common)))


def remarks(baseline: RecordedRun, current: RecordedRun) -> tuple[str, ...]:
    """What a reader of the comparison should know, though it is no obstacle; one sentence part each."""
    found = [] if baseline.complete else ["the baseline's run was stopped before its end"]
    if not current.complete:
        found.append("this run was stopped before its end")
    found += _moved(baseline, current)
    before, now = _asked(baseline), _asked(current)
    gone: dict[str, None] = {}
    new: dict[str, None] = {}
    for test in before.keys() & now.keys():
        gone.update(dict.fromkeys(before[test] - now[test]))
        new.update(dict.fromkeys(now[test] - before[test]))
    found += [f"{metric} is in the baseline, and is no longer asked for" for metric in sorted(gone)]
    found += [f"{metric} is new: the baseline has no scores of it" for metric in sorted(new)]
    return tuple(found)


def _without_models(run: RecordedRun, metrics: Iterable[str]) -> bool:
    known = _metrics(run)
    backends = {identity.backend for metric in metrics for identity in known[metric]}
    return backends == {"free"}


def _of_models(baseline: RecordedRun, current: RecordedRun) -> list[str]:
    found = []
    for role in _JUDGES:
        before, now = _models(baseline, role), _models(current, role)
        if not before or not now:
            continue  # no metric of that run needed one
        found += [
            _model_words(role, before, model) for model in now if not any(same_model(model, other) for other in before)
        ]
    return found


def same_model(first: ModelIdentity, second: ModelIdentity) -> bool:
    """Whether it is the same model: the client and the address of an API say nothing of what answers."""
    if (first.name, first.parameters) != (second.name, second.parameters):
        return False
    return first.provider == second.provider or bool(first.endpoint and second.endpoint)


def _model_words(role: str, before: tuple[ModelIdentity, ...], now: ModelIdentity) -> str:
    same_name = [model for model in before if model.name == now.name]
    if len(same_name) == 1:
        changed = _changed(dict(same_name[0].parameters), dict(now.parameters))
        if changed:
            return f"{role} {now.name}: {', '.join(changed)}"
        return f"{role} {now.name}: through {same_name[0].provider} in the baseline, {now.provider} now"
    return f"{role}: {', '.join(model.name for model in before)} in the baseline, {now.name} now"


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {_value(before, name)} in the baseline, {_value(now, name)} now"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _value(parameters: Mapping[str, str], name: str) -> str:
    return cut(parameters[name], 60) if name in parameters else "not given"


def _of_metrics(
    before: Mapping[str, tuple[MetricIdentity, ...]],
    now: Mapping[str, tuple[MetricIdentity, ...]],
    metrics: Iterable[str],
) -> list[str]:
    found = []
    for metric in metrics:
        for identity in now[metric]:
            if identity not in before[metric]:
                found.append(f"{metric}: {_metric_words(before[metric], identity)}")
    return found


def _metric_words(before: tuple[MetricIdentity, ...], now: MetricIdentity) -> str:
    backends = _each(identity.backend for identity in before)
    if now.backend not in backends:
        return f"backend {', '.join(backends)} in the baseline, {now.backend} now"
    versions = _each(identity.version for identity in before if identity.backend == now.backend)
    if now.version not in versions:
        return f"version {', '.join(versions)} in the baseline, {now.version} now"
    return "other options or prompts than in the baseline"


def _moved(baseline: RecordedRun, current: RecordedRun) -> list[str]:
    """The same model at another address: it may be another one under the same name."""
    found = []
    for role in _JUDGES:
        before = _models(baseline, role)
        for model in _models(current, role):
            places = _each(other.endpoint for other in before if same_model(model, other))
            if places and model.endpoint not in places:
                found.append(f"{role} {model.name}: at {', '.join(places)} in the baseline, at {model.endpoint} now")
    return found


def _models(run: RecordedRun, role: str) -> tuple[ModelIdentity, ...]:
    return _each(use.identity for use in run.models if use.role == role)


def _metrics(run: RecordedRun) -> dict[str, tuple[MetricIdentity, ...]]:
    names = _each(identity.metric for identity in run.metrics)
    return {name: tuple(identity for identity in run.metrics if identity.metric == name) for name in names}


def _asked(run: RecordedRun) -> dict[str, set[str]]:
    """The metrics that each test is scored with."""
    asked: dict[str, set[str]] = {}
    for row in run.rows:
        asked.setdefault(row.key.test, set()).update((score.metric for score in row.scores), row.failures)
    return asked


def _each(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))
