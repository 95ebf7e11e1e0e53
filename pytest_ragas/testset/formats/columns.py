"""The outermost value of a JSON or YAML testset to rows: a list of records, or an object of lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ragas.files.found import found
from pytest_ragas.files.text import FileProblem
from pytest_ragas.testset.aliases import CANONICAL
from pytest_ragas.testset.formats.raw import RawRow


def rows_of(value: Any, lines: Sequence[int] = ()) -> Iterator[RawRow]:
    """The rows of a list of records, or of an object with one list per column.

    Args:
        value: The outermost JSON value of the file.
        lines: Line on which each item of a list begins, where that is known.

    Raises:
        FileProblem: Neither of the two, or columns of unequal length.
    """
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield RawRow(number, lines[number - 1] if lines else 0, item)
    elif isinstance(value, dict):
        yield from _records(value)
    else:
        raise FileProblem(
            f"found {found(value)} where a list of rows must be. "
            'Write for example [{"user_input": "…", "response": "…"}].'
        )


def _records(columns: Mapping[Any, Any]) -> Iterator[RawRow]:
    given = {name: column for name, column in columns.items() if column is not None}
    if not any(name in CANONICAL for name in columns):
        raise FileProblem(
            f"none of its keys ({_listed(list(columns))}) is a column of a testset. Write a list of rows, "
            '[{"user_input": "…"}], or an object with one list per column, {"user_input": ["…"]}.'
        )
    odd = [name for name, column in given.items() if not isinstance(column, list)]
    if odd and all(isinstance(column, Mapping) for column in given.values()):
        raise FileProblem(
            "its columns are objects, as pandas writes them by default. "
            'Write it with DataFrame.to_json(path, orient="records").'
        )
    if any(isinstance(given.get(name), str) for name in ("user_input", "question")):
        raise FileProblem("it is a single row. Put it into a list: [{…}].")
    if odd:
        raise FileProblem(
            f"the column {odd[0]!r} is {found(given[odd[0]])}, and others are lists. Write one entry per row, "
            "or write a list of rows."
        )
    lengths = {name: len(column) for name, column in given.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise FileProblem(
            f"its columns have unequal lengths ({shown}), so that it is open which entries belong together. "
            "Give every column one entry per row, null where there is none."
        )
    for number, values in enumerate(zip(*given.values()), 1):  # noqa: B905 - strict= says less than the check above
        yield RawRow(number, 0, dict(zip(given, values)))  # noqa: B905


def _listed(names: list[Any], limit: int = 6) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return (shown if len(names) <= limit else f"{shown}, …") or "it has none"
