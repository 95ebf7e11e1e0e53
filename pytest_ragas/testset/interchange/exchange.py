"""`Exchange`: how another tool writes a testset, and what of ours it has a place for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.values.sample import Sample

Row = Mapping[str, Any]

KEPT = (
    "id",
    "response",
    "retrieved_contexts",
    "reference_contexts",
    "tags",
    "retrieved_context_ids",
    "reference_context_ids",
)
"""Columns of ours that tools without a place for them keep in their metadata."""


class RowProblem(Exception):
    """A row of another tool that is no question with one answer. Internal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """The format of one tool."""

    name: str
    """As users type it."""
    summary: str
    suffixes: tuple[str, ...]
    """Of the files that are written, the usual one first; "" for a folder."""
    read: Callable[[Row], dict[str, Any]]
    """A row of the tool to one in our columns; raises RowProblem."""
    write: Callable[[Sample, str], dict[str, Any]]
    """A sample to a row of the tool, for a file of a suffix; raises RowProblem."""
    fits: Callable[[Row], bool]
    """Whether a row looks as if this tool had written it."""


def texts(value: Any) -> list[str] | None:
    """One text or several, as a list; None where there is nothing."""
    if value is None:
        return None
    return [value] if isinstance(value, str) else list(value)


def given(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what is not given."""
    return {name: value for name, value in row.items() if value is not None}


def first_text(values: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The name under which the first of these texts stands; the only text's name where none of them is there."""
    for name in names:
        if isinstance(values.get(name), str):
            return name
    alone = [name for name, value in values.items() if isinstance(value, str)]
    return alone[0] if len(alone) == 1 else None


def kept_beside(sample: Sample, names: Sequence[str]) -> dict[str, Any]:
    """What a tool has no place for, as entries of its metadata, under the names of our columns.

    Args:
        sample: Any.
        names: Our columns that the tool has no place for.
    """
    data = sample.to_json()
    beside = {name: data[name] for name in names if name in data}
    return {**sample.metadata, **beside}
