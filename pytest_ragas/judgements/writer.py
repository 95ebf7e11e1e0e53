"""`Writer`: hands judgements to the store in a thread of its own, a moment after they are known.

Until then they are in a journal, so that a process that is killed loses none.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pytest_ragas.judgements.journal import Journal
from pytest_ragas.judgements.judgement import Judgement, Kind
from pytest_ragas.judgements.store import StoreBusyError, StoreError

THREAD_NAME = "ragas-judgements"

_PATIENCE = 10.0
"""Seconds that `finish()` waits for the last write."""
_GATHER = 0.01
"""Seconds that a write waits for what comes with it: a transaction for each judgement would be the costliest part."""
_BURST = 64
"""Judgements in that time from which on a write waits longer: no server answers as fast."""
_GATHER_BURST = 0.1
"""Seconds that a write waits in a burst."""
_PAUSE = 0.2
"""Seconds between two tries of a store that others hold."""


class Writer:
    """Writes what it is given at once: what comes in while a write is under way is the next one.

    What it is given is in the journal first. A write in the event loop's thread would wait there for the disk, and for
    other processes. Here a judgement is on its way within a hundredth of a second, and a burst costs one transaction
    instead of hundreds. What is not written yet, or cannot be, is still found.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Judgement], Sequence[str]], None],
        *,
        failed: Callable[[str], None],
        journal: Callable[[], Journal] | None = None,
    ) -> None:
        """
        Args:
            write: Writes judgements and deletes those of some keys, all or nothing; called in the thread. Raises
                `StoreError`.
            failed: Told once, with a sentence, if it cannot; nothing is written from then on.
            journal: Makes one for this process; None where the store is on a server.
        """
        self._write = write
        self._failed = failed
        self._new_journal = journal
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._queue: list[Judgement | str] = []
        self._unwritten: dict[str, Judgement] = {}
        # that of a parent stays the parent's: it is locked in either
        self._journal = self._new_journal() if self._new_journal else None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._broken = False
        self._idle = False

    def add(self, judgement: Judgement) -> None:
        """Take a judgement; never waits for the store."""
        self._after_fork()
        with self._changed:
            self._unwritten[judgement.key] = judgement
            if self._take(judgement) and self._journal is not None:
                self._journal.add(judgement)

    def forget(self, key: str) -> None:
        """Delete a judgement that turned out to be of no use; never waits for the store."""
        self._after_fork()
        with self._changed:
            self._unwritten.pop(key, None)
            if self._take(key) and self._journal is not None:
                self._journal.forget(key)

    def _take(self, item: Judgement | str) -> bool:
        if self._broken or self._closing:
            return False
        self._queue.append(item)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
            self._thread.start()
            atexit.register(self.finish)  # of a process that ends without closing its session
        elif self._idle:
            self._idle = False
            self._changed.notify_all()
        return True

    def find(self, kind: Kind, key: str) -> Any:
        """The content of a judgement that is not in the store yet; None if there is none."""
        judgement = self._unwritten.get(key)
        return judgement.content if judgement is not None and judgement.kind == kind else None

    def finish(self) -> None:
        """Wait until everything is written, for a while; the thread ends. May be called twice."""
        self._after_fork()
        with self._changed:
            thread, self._closing = self._thread, True
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)
            if thread.is_alive():
                self._give_up(f"{len(self._unwritten)} judgements were not stored: writing took too long.")
        with self._changed:
            if self._journal is not None:
                self._journal.close()
        atexit.unregister(self.finish)

    def _run(self) -> None:
        give_up_at = float("inf")
        while True:
            with self._changed:
                while not self._queue and not self._closing:
                    self._idle = True
                    self._changed.wait()
                self._idle = False
                self._changed.wait_for(lambda: self._closing or self._broken, _GATHER)
                if len(self._queue) >= _BURST:
                    self._changed.wait_for(lambda: self._closing or self._broken, _GATHER_BURST - _GATHER)
                if not self._queue or self._broken:
                    return
                batch, self._queue = self._queue, []
                mark = self._journal.mark() if self._journal is not None else 0
                if self._closing and give_up_at == float("inf"):
                    give_up_at = time.monotonic() + _PATIENCE / 2
            try:
                self._write(*settled(batch))
            except StoreBusyError as error:
                if time.monotonic() > give_up_at:
                    self._give_up(f"{error} {len(self._unwritten)} judgements were not stored.")
                    return
                with self._changed:
                    self._queue = batch + self._queue
                    self._changed.wait(_PAUSE)
            except StoreError as error:
                self._give_up(f"{error} This run goes on without storing what it judges.")
                return
            except Exception as error:  # ours: it must not end the thread in silence
                self._give_up(f"Judgements cannot be stored: {type(error).__name__}: {error}.")
                return
            else:
                with self._changed:
                    if self._journal is not None:
                        self._journal.written(mark)
                    for item in batch:
                        if isinstance(item, Judgement) and self._unwritten.get(item.key) is item:
                            del self._unwritten[item.key]

    def _give_up(self, why: str) -> None:
        with self._changed:
            first, self._broken = not self._broken, True
            self._queue.clear()
        if first:
            self._failed(why)

    def _after_fork(self) -> None:
        if self._pid != os.getpid():
            # what the parent has not written yet is still the parent's to write
            self._begin()


def settled(batch: Sequence[Judgement | str]) -> tuple[list[Judgement], list[str]]:
    """What to write and what to delete: of each key, what was said of it last.

    Args:
        batch: Judgements to write, and keys of those to delete, in the order in which that was said.
    """
    last = {item if isinstance(item, str) else item.key: item for item in batch}
    written = [item for item in last.values() if isinstance(item, Judgement)]
    return written, [item for item in last.values() if isinstance(item, str)]
