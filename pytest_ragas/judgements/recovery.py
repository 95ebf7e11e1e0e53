"""`recover`: what a run that was killed had paid for and not written is put into the store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_ragas.files.lock import locked, try_lock
from pytest_ragas.judgements.journal import SUFFIX, read_journal
from pytest_ragas.judgements.judgement import Judgement
from pytest_ragas.judgements.store import StoreError
from pytest_ragas.judgements.writer import settled

_BEGINNING = 60.0
"""Seconds for which an empty file may be somebody's who is about to lock it."""


def recover(store: Path, write: Callable[[str, Sequence[Judgement], Sequence[str]], None]) -> None:
    """Write what journals of processes that are gone hold, and delete them.

    A journal that cannot be read, or not be written, stays where it is.

    Args:
        store: The SQLite file beside which they lie.
        write: Writes, for a run of some name, judgements, and deletes those of some keys.
    """
    if not _journals(store):
        return
    # the others of this run wait: what is being recovered is not to be paid for again
    with contextlib.suppress(OSError), locked(store.with_name(f"{store.name}{SUFFIX}")):
        for path in _journals(store):
            with contextlib.suppress(OSError, ValueError, StoreError):
                _recover_one(path, write)


def _recover_one(path: Path, write: Callable[[str, Sequence[Judgement], Sequence[str]], None]) -> None:
    with open(path, "r+b") as file:
        if not try_lock(file):
            return  # of a process that is alive
        data = file.read()
        if not data and time.time() - path.stat().st_mtime < _BEGINNING:
            return
        run, items = read_journal(data) if data else ("", [])
        judgements, forgotten = settled(items)
        if items:
            write(run, judgements, forgotten)
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):  # Windows deletes no open file
        path.unlink(missing_ok=True)


def _journals(store: Path) -> list[Path]:
    return sorted(store.parent.glob(f"{store.name}-*{SUFFIX}"))
