"""`@pytest.mark.ragas(...)`: what its arguments may be, and what a test's stacked markers say together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError, UnknownNameError, cut
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset

NAME = "ragas"

GENERATES = ("test_size", "distribution", "language", "seed", "chunk_size", "attempts", "generator")
"""Arguments that say what a generated testset shall be like; they go with `docs`."""

TestsetSource = str | os.PathLike[str] | Testset | Sequence["Mapping[str, Any] | Sample"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkerArguments:
    """What the ragas markers of one test say together."""

    testset: TestsetSource | None = None
    """Where its rows come from; None: the test itself brings what is scored."""
    thresholds: Mapping[str, float | None] | None = None
    """Bounds by metric as the user spelled it; None in place of a bound takes the configured one away."""
    metrics: tuple[str, ...] | None = None
    """What is scored; None: what the configuration says."""
    target: str | None = None
    """Name of the fixture that holds the RAG as a callable."""
    scoring: str | None = None
    """"blocking" where the test waits for its own scores, whatever the configuration says."""

    repeats: int | None = None
    """How often an answer is judged; None: what the configuration says."""
    docs: tuple[str, ...] | None = None
    """What the testset is generated from where its file is missing; None: it must be there."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """What it shall be like then: those of `GENERATES` that were given."""


def read_markers(marks: Iterable[pytest.Mark], *, where: str) -> MarkerArguments:
    """What the stacked markers of one test say: per argument the closest one wins.

    Args:
        marks: The ragas markers, closest first, as `iter_markers` gives them.
        where: The test, for messages.

    Raises:
        ConfigurationError: An argument does not exist, or cannot be what it is.
    """
    place = f"the ragas marker of {where}"
    arguments: dict[str, Any] = {}
    for mark in marks:
        if mark.args:
            raise ConfigurationError(
                f"Unnamed arguments {cut(repr(mark.args), 80)} in {place}. Name them: "
                '@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8}).'
            )
        for name, value in mark.kwargs.items():
            if name not in _READERS:
                raise UnknownNameError("argument", name, _READERS, where=place)
            if name not in arguments and value is not None:
                arguments[name] = _READERS[name](value, place)
    recipe = {name: arguments.pop(name) for name in GENERATES if name in arguments}
    _check_generates(arguments, recipe, place)
    return MarkerArguments(**arguments, recipe=recipe)


def _check_generates(arguments: Mapping[str, Any], recipe: Mapping[str, Any], place: str) -> None:
    if "docs" not in arguments:
        if recipe:
            raise ConfigurationError(
                f"{next(iter(recipe))}= in {place} says what a generated testset shall be like, and docs= is missing. "
                'Write docs=["docs/*.md"], or leave it out for a testset that is there.'
            )
    elif not isinstance(arguments.get("testset"), (str, os.PathLike)):
        raise ConfigurationError(
            f'docs= in {place} needs the file that the testset is generated into. Write testset="generated.json".'
        )


def _testset(value: Any, place: str) -> TestsetSource:
    if isinstance(value, (str, os.PathLike, Testset)):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(row, (Mapping, Sample)) for row in value):
        return value
    raise ConfigurationError(
        f"testset={cut(repr(value), 80)} in {place} is no testset. Give a file ('testset.json'), a Testset "
        "(pytest_ragas.load_testset) or a list of rows."
    )


def _thresholds(value: Any, place: str) -> Mapping[str, float | None]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"thresholds={cut(repr(value), 80)} in {place} must be a mapping from metrics to bounds. "
            'Write for example thresholds={"faithfulness": 0.8}.'
        )
    return {metric: read_bound(metric, bound, place) for metric, bound in value.items()}


def read_bound(metric: Any, bound: Any, place: str) -> float | None:
    """One threshold as the user wrote it.

    Raises:
        ConfigurationError: The metric is no name, or the bound no number in [0, 1].
    """
    if not isinstance(metric, str):
        raise ConfigurationError(f"{metric!r} in {place} is no name of a metric. Write for example 'faithfulness'.")
    if bound is None:
        return None
    # a bool is an int, and float('nan') compares false with everything
    if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not 0 <= bound <= 1:
        raise ConfigurationError(
            f"The threshold {metric}={bound!r} in {place} must be a number from 0 to 1, for example 0.8."
        )
    return float(bound)


def _metrics(value: Any, place: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(
            f"metrics={cut(repr(value), 80)} in {place} must be a list of names. "
            'Write for example metrics=["faithfulness"].'
        )
    return tuple(names)


def _scoring(value: Any, place: str) -> str:
    if value not in ("deferred", "blocking"):
        raise ConfigurationError(
            f"scoring={cut(repr(value), 80)} in {place} must be 'deferred' or 'blocking'. "
            'Write scoring="blocking" for a test that must wait for its own scores.'
        )
    return str(value)


def _target(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.isidentifier():
        raise ConfigurationError(
            f"target={cut(repr(value), 80)} in {place} must be the name of a fixture that gives your RAG as a "
            'callable. Write for example target="rag".'
        )
    return value


def _repeats(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"repeats={cut(repr(value), 80)} in {place} must be a whole number of 1 or more. "
            "Write for example repeats=3."
        )
    return value


def _docs(value: Any, place: str) -> tuple[str, ...]:
    paths = (value,) if isinstance(value, (str, os.PathLike)) else value
    if not isinstance(paths, Sequence) or not paths or not all(isinstance(path, (str, os.PathLike)) for path in paths):
        raise ConfigurationError(
            f"docs={cut(repr(value), 80)} in {place} must be a list of files, folders or globs. "
            'Write for example docs=["docs/*.md"].'
        )
    return tuple(os.fspath(path) for path in paths)


def _of_recipe(value: Any, place: str) -> Any:
    """Read when a testset must be generated, by the recipe: most runs load one that is there."""
    return value


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "testset": _testset,
    "thresholds": _thresholds,
    "metrics": _metrics,
    "scoring": _scoring,
    "target": _target,
    "repeats": _repeats,
    "docs": _docs,
    **dict.fromkeys(GENERATES, _of_recipe),
}
