"""One row of a file to a `Sample`: column names, types, and what two columns say of one field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ragas.errors import TestsetError
from pytest_ragas.files.found import broken_text, found, not_json
from pytest_ragas.files.json_text import Doubled
from pytest_ragas.testset.aliases import CANONICAL, kind
from pytest_ragas.testset.schema import row_check, row_problems
from pytest_ragas.values.sample import Sample

Problems = list[tuple[str, str]]
"""(field, what was found there and the mend)."""


def sample_from_row(row: Mapping[str, Any], *, source: str) -> Sample:
    """The sample that a row of a testset describes.

    Args:
        row: Columns in our names or the old ones (`question`, `answer`, `contexts`, `ground_truth(s)`), mixed as
            they come; other columns become metadata. None means: not given.
        source: Where the row came from, for messages: "testset.json row 7".

    Raises:
        TestsetError: The row cannot be used; the message lists every bad field, what was found, and the mend.
    """
    sample, problems = read_row(row, source=source)
    if sample is None:
        lines = "\n".join(f"  {field + ': ' if field else ''}{text}" for field, text in problems)
        raise TestsetError(f"Cannot read {source}:\n{lines}")
    return sample


def read_row(row: object, *, source: str) -> tuple[Sample | None, Problems]:
    """As `sample_from_row`, but problems are returned, so that the caller can list those of every row.

    Returns:
        The sample and no problems, or None and at least one problem.
    """
    if isinstance(row, Doubled):
        return None, [(row.twice, "stands twice in this row. Keep one of them.")]
    if not row_check()(row):
        columns = row.items() if isinstance(row, Mapping) else ()
        others = [_unfit(column, value) for column, value in columns if column not in CANONICAL]
        return None, row_problems(row) + [problem for problem in others if problem]
    assert isinstance(row, Mapping)  # the check says so
    fields: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    came_from: dict[str, str] = {}
    problems: Problems = []
    for column, value in row.items():
        if column == "metadata" or (value is None and column in CANONICAL):
            continue
        name = CANONICAL.get(column)
        if name is None:
            if problem := _unfit(column, value):
                problems.append(problem)
            else:
                metadata[column] = value
            continue
        value, problem_text = _normal(column, value)
        if problem_text:
            problems.append((column, problem_text))
        elif name not in fields:
            fields[name], came_from[name] = value, column
        elif value is not None and fields[name] is None:
            fields[name], came_from[name] = value, column
        elif value is not None and value != fields[name]:
            problems.append((f"{came_from[name]} and {column}", _both(fields[name], value)))
    problems += _add_metadata(metadata, row.get("metadata"))
    if problems:
        return None, problems
    return Sample(**fields, metadata=metadata, source=source), []


def _normal(column: str, value: Any) -> tuple[Any, str]:
    """A value as `Sample` has it (lists become tuples), and the problem that keeps it from being used."""
    holds = kind(column)
    if column == "ground_truths":
        if isinstance(value, (list, tuple)):
            if len(value) > 1:
                return None, f"found {found(value)}; a row has one reference. Join them to one text as 'reference'."
            value = value[0] if value else None
    elif holds == "name":
        value = _name(value)
    elif holds == "texts":
        value = (value,) if isinstance(value, str) else tuple(value)
    elif holds == "names":
        if column == "tags" and isinstance(value, str):
            value = tuple(tag for tag in (part.strip() for part in value.split(",")) if tag)
        else:
            value = tuple(map(_name, value)) if isinstance(value, (list, tuple)) else (_name(value),)
    for text in value if isinstance(value, tuple) else (value,):
        if text is not None and (broken := broken_text(text)):
            return None, f"found {broken}. Remove it, or write the whole character."
    return value, ""


def _name(value: Any) -> str:
    return value if isinstance(value, str) else str(int(value))


def _both(first: Any, second: Any) -> str:
    shown = [found(value if isinstance(value, str) else list(value)) for value in (first, second)]
    return f"both are given for one field, with different values ({shown[0]} and {shown[1]}). Keep one of them."


def _unfit(column: object, value: Any) -> tuple[str, str] | None:
    if not isinstance(column, str):
        return "", f"found {found(column)} as the name of a column. Put it in quotes."
    if broken := broken_text(column):
        return "", f"found {broken} in the name of a column. Rename it."
    path, problem = not_json(value)
    return (f"{column}{path}", f"found {problem}. Write it as a text, or leave it out.") if problem else None


def _add_metadata(metadata: dict[str, Any], given: Mapping[str, Any] | None) -> Problems:
    problems: Problems = []
    for key, value in (given or {}).items():
        if problem := _unfit(key, value):
            problems.append((f"metadata.{problem[0]}", problem[1]))
        elif key in metadata and metadata[key] != value:
            problems.append((f"{key} and metadata.{key}", "both are given, with different values. Keep one of them."))
        else:
            metadata[key] = value
    return problems
