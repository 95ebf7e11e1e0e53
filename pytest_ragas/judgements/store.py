"""`Store`: where judgements are kept, behind one interface for SQLite and Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pytest_ragas.judgements.judgement import Judgement, Kind


class StoreError(Exception):
    """The store cannot be used; the text names it, says why, and the mend."""


class StoreBusyError(StoreError):
    """Others write for too long; worth another try."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What is in a store."""

    kinds: Mapping[Kind, int] = field(default_factory=dict)
    """How many scores, answers and vectors."""
    metrics: Mapping[str, int] = field(default_factory=dict)
    """Scores of each metric."""
    models: Mapping[str, int] = field(default_factory=dict)
    """Answers and vectors of each model."""
    tokens: int = 0
    """What the answers cost when they were asked for."""
    runs: int = 0
    """Runs that stored or used something."""
    last_run: float | None = None
    """When the last one began, in Unix seconds."""
    size: int | None = None
    """Bytes on disk."""


class Store(Protocol):
    """Judgements on disk or on a server, shared by processes. May be called from any thread, also after a fork."""

    @property
    def name(self) -> str:
        """How messages call it; holds no secret."""

    @property
    def writable(self) -> bool:
        """Whether it takes new judgements."""

    @property
    def remote(self) -> bool:
        """Whether finding something takes long enough that an event loop must not wait for it."""

    @property
    def file(self) -> Path | None:
        """The file that it is; None for a server."""

    def find(self, kind: Kind, key: str) -> Any:
        """The content of a judgement; None if there is none.

        Raises:
            StoreError: It cannot be read.
        """

    def read(self, keys: Iterable[str]) -> Iterator[Judgement]:
        """The judgements of these keys; those that are not there are left out. Errors as `find`."""

    def near(self, kind: Kind, metric: str, sample: str) -> Sequence[Judgement]:
        """What is stored of this kind for a metric and a row. Errors as `find`."""

    def everything(self) -> Iterator[Judgement]:
        """All judgements, in no order. Errors as `find`."""

    def write(self, judgements: Sequence[Judgement], *, run: str, forget: Sequence[str] = ()) -> None:
        """Add judgements, or replace those of the same keys, and delete others: all or nothing.

        Args:
            judgements: What to add.
            run: The run that does.
            forget: Keys to delete.

        Raises:
            StoreBusyError: Not now.
            StoreError: It takes none.
        """

    def used(self, keys: Iterable[str], *, run: str) -> None:
        """Note that a run used these. Errors as `write`."""

    def prune(self, *, older_than: float | None) -> Mapping[Kind, int]:
        """Delete what no run of late has used, but never what a score that stays was computed from.

        Args:
            older_than: Delete what was last used by a run that began before this time, in Unix seconds; None:
                what the last run did not use.

        Returns:
            How many of each kind were deleted. Errors as `write`.
        """

    def contents(self) -> Contents:
        """What is in it. Errors as `find`."""

    def close(self) -> None:
        """Let go of files and connections. May be called twice."""
