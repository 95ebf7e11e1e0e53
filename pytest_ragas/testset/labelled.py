"""A file of answers that people have judged to rows with labels: which column is whose label, and what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ragas.errors import TestsetError, UnknownNameError, cut, listed
from pytest_ragas.files.found import found
from pytest_ragas.files.text import FileProblem, check_is_file
from pytest_ragas.testset.bad_rows import BadRows
from pytest_ragas.testset.formats.table import FORMATS, format_of
from pytest_ragas.testset.rows import read_row
from pytest_ragas.values.calibration import LabelledSample
from pytest_ragas.values.sample import Sample

LABELS = "labels"
"""A column that holds an object: metric -> label."""

LABEL = "label"
"""A column whose metric the user names."""

KNOWN_COLUMNS: Mapping[str, str] = {
    "faithful": "faithfulness",
    "grounded": "faithfulness",
    "relevant": "answer_relevancy",
    "correct": "answer_correctness",
}
"""What people call a verdict of theirs -> the metric that it is about."""

_BEFORE, _AFTER = ("human_", "label_"), ("_label", "_human")
_GOOD = frozenset({"true", "yes", "y", "good", "pass", "passed"})
_BAD = frozenset({"false", "no", "n", "bad", "fail", "failed"})

Canonical = Callable[[str], str]
"""The standard name of a metric; raises `UnknownNameError` for what is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledSet:
    """Rows with labels."""

    rows: tuple[LabelledSample, ...]
    """At least one; ids are unique."""
    columns: Mapping[str, str]
    """Metric -> the column that its labels stand in, as the files name it."""
    unlabelled: int = 0
    """Rows without any label; they are left out."""


def load_labelled(
    paths: Sequence[str], *, canonical: Canonical, columns: Mapping[str, str] | None = None, metrics: Sequence[str] = ()
) -> LabelledSet:
    """Read files of judged answers: testsets in any format, with labels in further columns.

    A row may ask the same as another one, with another answer: where rows bring no ids, theirs are numbered.

    Args:
        paths: The files, as the user named them.
        canonical: Gives a metric's standard name.
        columns: Metric -> column, as the user says; found by their names, if not given.
        metrics: The only ones to look at; all that have labels, if not given.

    Raises:
        TestsetError: A file cannot be read, a row or label cannot be used, or there are no labels. Lists all that is
            wrong, with the mend.
    """
    samples = [sample for path in paths for sample in _samples(path)]
    samples = _numbered(samples)
    shown = ", ".join(paths)
    places = _columns(samples, canonical, dict(columns or {}), metrics, shown)
    rows, problems, unlabelled = [], [], 0
    for sample in samples:
        labels, wrong = _labels(sample, places, canonical, metrics)
        problems += [f"  {sample.source}, {problem}" for problem in wrong]
        if labels:
            names = {*places.values(), LABELS}
            rest = {name: value for name, value in sample.metadata.items() if name not in names}
            rows.append(LabelledSample(sample=replace(sample, metadata=rest), labels=labels))
        else:
            unlabelled += 1
    if problems:
        count = "1 label" if len(problems) == 1 else f"{len(problems)} labels"
        raise TestsetError(f"Cannot use {count} of {shown}:\n{listed(problems)}")
    lacking = [metric for metric in metrics if not any(metric in row.labels for row in rows)]
    if not rows or lacking:
        what = f"no row has a label for {', '.join(lacking)}" if lacking else "no row has a label"
        raise TestsetError(f"Cannot calibrate with {shown}: {what}.")
    found_in = {metric: places.get(metric, LABELS) for row in rows for metric in row.labels}
    return LabelledSet(rows=tuple(rows), columns=found_in, unlabelled=unlabelled)


def _samples(shown: str) -> list[Sample]:
    path = Path(shown)
    samples, bad = [], BadRows()
    try:
        check_is_file(path, FORMATS)
        for row in format_of(path).read(path):
            if row.problems:
                bad.add(row, list(row.problems))
                continue
            sample, problems = read_row(row.values, source=f"{shown} row {row.number}")
            if sample is None:
                bad.add(row, problems)
            else:
                samples.append(sample)
    except FileProblem as error:
        raise TestsetError(f"Cannot load the labelled answers {shown}: {error}") from None
    if bad:
        raise TestsetError(f"Cannot load the labelled answers {shown}: {bad}")
    if not samples:
        raise TestsetError(f"Cannot load the labelled answers {shown}: it holds no rows.")
    return samples


def _numbered(samples: Iterable[Sample]) -> list[Sample]:
    """The samples with ids of their own: "q7", "q7#2" …"""
    seen: Counter[str] = Counter()
    numbered = []
    for sample in samples:
        seen[sample.id] += 1
        again = seen[sample.id]
        numbered.append(sample if again == 1 else replace(sample, id=f"{sample.id}#{again}"))
    return numbered


def _columns(
    samples: Sequence[Sample], canonical: Canonical, given: dict[str, str], metrics: Sequence[str], shown: str
) -> dict[str, str]:
    """Metric -> column. What the user says comes first, then a name that says "human", then the metric's own."""
    there = dict.fromkeys(name for sample in samples for name in sample.metadata)
    for metric, column in given.items():
        if column not in there:
            raise UnknownNameError("column", column, there, where=f"{shown}, for the labels of {metric}")
    places: dict[str, tuple[int, str]] = {metric: (0, column) for metric, column in given.items()}
    taken = set(given.values())
    for column in there:
        if column in taken:
            continue
        rank, metric = _meant(column, canonical)
        if column.lower() == LABEL and len(metrics) == 1:
            rank, metric = 1, metrics[0]
        if metric and (metric not in places or rank < places[metric][0]):
            places[metric] = rank, column
    chosen = {metric: column for metric, (_, column) in places.items() if not metrics or metric in metrics}
    if not chosen and LABELS not in there:
        names = ", ".join(map(repr, list(there)[:8])) or "none"
        wanted = metrics[0] if metrics else "faithfulness"
        raise TestsetError(
            f"Cannot calibrate with {shown}: no column holds labels of {' or '.join(metrics) or 'a metric'} (columns "
            f"beside those of a testset: {names}). Say which one does, --label {wanted}=COLUMN, or name it after the "
            f"metric: {wanted}, or human_{wanted} beside scores."
        )
    return chosen


def _meant(column: str, canonical: Canonical) -> tuple[int, str]:
    """Which metric a column is about, and how plainly it says so (1 most); "" for none."""
    name = column.strip().lower()
    stripped = name
    for prefix in _BEFORE:
        stripped = stripped.removeprefix(prefix)
    for suffix in _AFTER:
        stripped = stripped.removesuffix(suffix)
    if stripped in KNOWN_COLUMNS:
        return 2, KNOWN_COLUMNS[stripped]
    try:
        return (1 if stripped != name else 3), canonical(stripped)
    except UnknownNameError:
        return 9, ""


def _labels(
    sample: Sample, places: Mapping[str, str], canonical: Canonical, metrics: Sequence[str]
) -> tuple[dict[str, float], list[str]]:
    """The labels of a row, and what is wrong with those that cannot be used."""
    labels: dict[str, float] = {}
    problems = []
    said: dict[str, tuple[str, Any]] = {}
    several = sample.metadata.get(LABELS)
    if isinstance(several, Mapping):
        for name, value in several.items():
            try:
                metric = KNOWN_COLUMNS.get(name) or canonical(name)
            except UnknownNameError as error:
                problems.append(f"{LABELS}: {error}")
                continue
            if not metrics or metric in metrics:
                said[metric] = f"{LABELS}.{name}", value
    for metric, column in places.items():
        if column in sample.metadata:
            said[metric] = column, sample.metadata[column]
    for metric, (where, value) in said.items():
        try:
            label = read_label(value)
        except ValueError as error:
            problems.append(f"{where}: {error}")
        else:
            if label is not None:
                labels[metric] = label
    return labels, problems


def read_label(value: Any) -> float | None:
    """What a label says, in [0, 1]; None where it is not given.

    Args:
        value: 0, 1, true, false, a number between, or as a text: also yes, no, good, bad, pass, fail.

    Raises:
        ValueError: It is none of these; the message says what was found, and the mend.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _GOOD | _BAD:
            return float(word in _GOOD)
        try:
            number = float(word)
        except ValueError:
            number = None
    if isinstance(number, (bool, int, float)) and 0 <= number <= 1:
        return float(number)
    hint = " Scale grades to that range first: (grade - 1) / 4 for 1 to 5." if isinstance(number, (int, float)) else ""
    shown = cut(found(value), 80)
    raise ValueError(f"found {shown} where a label must be: 1 for good, 0 for bad, or between them.{hint}")
