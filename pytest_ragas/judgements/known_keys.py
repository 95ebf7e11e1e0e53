"""`KnownKeys`: which judgements are in a file, so that what is new costs no question."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

Table = Literal["answers", "scores"]

_MOST = 200_000
"""Judgements whose keys are kept, about 100 bytes each; a larger table is asked every time."""

_OVERLAP = 64
"""Rows that are read again: SQLite gives the number of a last row that was deleted to the next one."""


class KnownKeys:
    """The keys of one table, as far as this process has looked.

    A suite that is judged for the first time asks for a dozen keys a sample that are not there. Each question to SQLite
    takes 20 microseconds, and gives up the interpreter to another thread, which gives it back 5 ms later. The keys
    that are new since the last look come as one row: for each row, SQLite's driver gives the interpreter up too.
    """

    def __init__(
        self, table: Table, rows: Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]], *, stale: float
    ) -> None:
        """
        Args:
            table: Whose keys.
            rows: Answers an SQL statement with its values.
            stale: Seconds for which others' keys may go unseen; 0: every key that is not known is looked for.
        """
        self._rows = rows
        self._stale = stale
        self._newest = f"SELECT coalesce(max(rowid), 0) FROM {table}"
        self._after = f"SELECT group_concat(key) FROM {table} WHERE rowid > ?"
        self._keys: set[str] = set()
        self._last = 0
        self._looked = float("-inf")
        self._too_many = False
        self._looking = threading.Lock()

    def may_have(self, key: str) -> bool:
        """Whether the table may hold a key. Raises what `rows` raises."""
        if key in self._keys or self._too_many:
            return True
        if time.monotonic() - self._looked < self._stale:
            return False
        with self._looking:
            self._look()
        return key in self._keys or self._too_many

    def add(self, keys: Iterable[str]) -> None:
        """This process has written these."""
        self._keys.update(keys)

    def _look(self) -> None:
        newest = self._rows(self._newest, ())[0][0]
        if newest < self._last:  # somebody pruned: the rows that are left may have new numbers
            self._last = 0
        self._too_many = newest > _MOST
        if newest > self._last and not self._too_many:
            found = self._rows(self._after, (max(0, self._last - _OVERLAP),))[0][0]
            self._keys.update((found or "").split(","))
            self._last = newest
        self._looked = time.monotonic()
