"""`RawRow`: what a format hands over, before anything is known of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file. Positional, since a large file has very many."""

    number: int
    """From 1, counting rows."""
    line: int
    """Line of the file on which it begins, from 1; 0 where the format does not tell."""
    values: Any
    """An object of columns, or whatever else stood there."""
    problems: tuple[tuple[str, str], ...] = ()
    """(field, what is wrong and the mend), where the format itself could not read it."""
