"""Every bad row of a file in one message: the first ones in full, the others by number."""

from __future__ import annotations

from pytest_ragas.testset.formats.raw import RawRow

_IN_FULL = 50
"""Rows whose problems are written out: about what one reads before mending the cause."""


class BadRows:
    """Gathers bad rows; its text lists all of them."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._lines: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._numbers)

    @property
    def only_counts(self) -> bool:
        """Whether there are so many that the words of further ones are not shown."""
        return len(self._numbers) >= _IN_FULL

    def add(self, row: RawRow, problems: list[tuple[str, str]]) -> None:
        """Add a row with (field, what was found and the mend)."""
        self._numbers.append(row.number)
        if len(self._numbers) <= _IN_FULL:
            place = f"row {row.number}" + (f" (line {row.line})" if row.line else "")
            self._lines += [f"  {place}{', ' + field if field else ''}: {text}" for field, text in problems]

    def __str__(self) -> str:
        count = len(self._numbers)
        head = "1 bad row." if count == 1 else f"{count} bad rows."
        rest = self._numbers[_IN_FULL:]
        tail = [f"  also bad: rows {ranges(rest)}"] if rest else []
        return "\n".join([head, *self._lines, *tail])


def ranges(numbers: list[int]) -> str:
    """Ascending numbers in short: "7, 9-12"."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
