"""A table that is never wider than the terminal: columns that matter least go first, then the first one is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.reports.width import pad, shorten, width_of

_GAP = 2
_NARROWEST = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    cells: Sequence[str]
    """One for each row."""
    weight: int = 0
    """Columns with the smallest weight go first when the terminal is narrow; 0: it stays."""
    right: bool = True
    """Numbers are aligned at their right."""

    @property
    def width(self) -> int:
        """Columns of the terminal that its widest cell takes."""
        return max(map(width_of, (self.title, *self.cells)))


def table_lines(columns: Sequence[Column], *, width: int) -> list[str]:
    """The title line and one line for each row.

    Args:
        columns: The first one names the rows; it is cut where even few columns do not fit.
        width: Of the terminal.
    """
    shown = list(columns)
    while _total(shown) > width and any(column.weight for column in shown[1:]):
        # a name cut to a stump says less than a column more
        if width - _total(shown[1:]) - _GAP >= max(_NARROWEST, shown[0].width * 2 // 3):
            break
        least = min((column for column in shown[1:] if column.weight), key=lambda column: column.weight)
        shown.remove(least)
    room = max(width - _total(shown[1:]) - _GAP, _NARROWEST) if len(shown) > 1 else width
    widths = [min(shown[0].width, room), *(column.width for column in shown[1:])]
    rows = zip(*(column.cells for column in shown), strict=True)
    return [_line(shown, widths, cells, width) for cells in ([column.title for column in shown], *rows)]


def _total(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1)


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str], width: int) -> str:
    text = (" " * _GAP).join(
        pad(shorten(cell, size), size, right=column.right)
        for column, size, cell in zip(columns, widths, cells, strict=True)
    )
    return shorten(text.rstrip(), width)
