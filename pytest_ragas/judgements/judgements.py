"""`Judgements`: what a run finds and keeps, in each mode, wherever it is stored."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pytest_ragas.errors import JudgementStoreError, MissingJudgementError, PytestRagasError, cut
from pytest_ragas.judgements.cassette import Cassette
from pytest_ragas.judgements.changes import changes
from pytest_ragas.judgements.journal import Journal
from pytest_ragas.judgements.judgement import KINDS, Judgement, Kind, text_of
from pytest_ragas.judgements.store import Store, StoreError
from pytest_ragas.judgements.writer import Writer

Mode = Literal["read-write", "replay", "refresh"]

_SHOWN = 5
"""Changes that a message lists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgementCounts:
    """What one process found and kept so far."""

    found: int = 0
    """Scores, answers and vectors that were answered without a call."""
    kept: int = 0
    """Scores, answers and vectors that are new."""


class Judgements:
    """Finds what was judged before, and keeps what is judged now. One for each process; safe in any thread.

    - `read-write`: found where it is stored; else the model is asked, and what it says is kept.
    - `replay`: found where it is stored; else an error. Nothing is written.
    - `refresh`: every request is sent once in this process, and what is stored is replaced.

    A cassette is looked into before the store, and gets everything that the run used. In `replay` it is the only place.
    """

    def __init__(
        self,
        *,
        mode: Mode,
        store: Store | None,
        cassette: Cassette | None = None,
        run: str,
        notes: Sequence[str] = (),
    ) -> None:
        """
        Args:
            mode: What is looked for, and what is kept.
            store: Where; None if there is no place, and the run goes on without.
            cassette: A file that is read first, and recorded to.
            run: Names the run; the same in all its processes.
            notes: What went wrong so far, for `notes`.
        """
        self.mode = mode
        self._store = store
        self._opened = store  # also when it has been given up
        self._cassette = cassette
        self._run = run
        self._notes = list(notes)
        self._lost = bool(notes)
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        if store is not None and store.writable and mode != "replay":
            beside = store.file
            # closures over the store, not over self: they run in a thread, and self may be collected
            self._writer = Writer(
                lambda batch, gone: store.write(batch, run=run, forget=gone),
                failed=self._note_store,
                journal=functools.partial(Journal, beside, run=run) if beside is not None else None,
            )
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        # key -> whether this run has written it, which notes the run too
        self._used: dict[str, bool] = {}
        self._own: dict[str, Judgement] = {}
        self._found = self._kept = 0

    # ---- what a run is told -----------------------------------------------------------------------

    @property
    def replays(self) -> bool:
        """Whether nothing may be asked."""
        return self.mode == "replay"

    @property
    def counts(self) -> JudgementCounts:
        """How much was found and kept so far."""
        return JudgementCounts(found=self._found, kept=self._kept)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know once: that something cannot be stored, and the mend."""
        return tuple(self._notes)

    # ---- finding ----------------------------------------------------------------------------------

    @property
    def at_once(self) -> bool:
        """Whether `find` answers without waiting for a network."""
        return self._store is None or not self._store.remote

    def find(self, kind: Kind, key: str) -> Any:
        """The content of a judgement; None if it must be asked for.

        Raises:
            JudgementStoreError: In `replay`: what is stored cannot be read.
        """
        if self._pid != os.getpid():
            self._begin()  # what the parent used is the parent's to note
        content = self._look(kind, key)
        if content is not None:
            self._found += 1
            self._used.setdefault(key, False)
        return content

    async def afind(self, kind: Kind, key: str) -> Any:
        """`find`, for an event loop: it goes on meanwhile if the store is on a network."""
        if self.at_once:
            return self.find(kind, key)
        return await asyncio.to_thread(self.find, kind, key)

    def _look(self, kind: Kind, key: str) -> Any:
        if key in self._own and self._own[key].kind == kind:
            return self._own[key].content
        if self._writer is not None and (content := self._writer.find(kind, key)) is not None:
            return content
        if self.mode == "refresh":
            return None
        if self._cassette is not None and (content := self._cassette.find(kind, key)) is not None:
            return content
        if self._store is None:
            return None
        try:
            return self._store.find(kind, key)
        except StoreError as error:
            if self.replays:
                raise JudgementStoreError(str(error)) from error
            self._give_up_reading(str(error))
            return None

    def missing(self, kind: Kind, what: str, *, request: Mapping[str, Any], role: str) -> MissingJudgementError:
        """The error for what is neither stored nor asked for.

        Args:
            kind: What is missing.
            what: What was asked of whom, for the message.
            request: The same as data (`judgements.key`).
            role: "critic LLM" or "embeddings".
        """
        missing = f"no {kind} is stored for {what} in {self._place()}"
        error = MissingJudgementError(
            f"{missing}, and --ragas-cache=replay makes no call. {self._mend()}",
            missing=missing,
            kind=kind,
            request=request,
        )
        error.role = role
        return error

    def near(self, kind: Kind, metric: str, sample: str) -> Sequence[Judgement]:
        """What is stored for a metric and a row; nothing where it cannot be read."""
        try:
            if self._cassette is not None:
                return self._cassette.near(kind, metric, sample)
            return self._store.near(kind, metric, sample) if self._store is not None else ()
        except (StoreError, JudgementStoreError):
            return ()

    def explained(
        self, error: MissingJudgementError, *, metric: str, sample: str, score: Mapping[str, Any] | None
    ) -> MissingJudgementError:
        """The error with what changed since the nearest stored judgement, and the mend.

        Args:
            error: What is missing.
            metric: Who asked.
            sample: Id of the row that it asked for.
            score: What decides the score that was to be computed; None where scores of the metric are not stored.
        """
        changed: list[str] = []
        stored = self.near("score", metric, sample) if score is not None else ()
        if stored and score is not None:
            changed = changes(score, stored)
        elif error.kind in KINDS and (stored := self.near(error.kind, metric, sample)):
            changed = changes(error.request, stored)
        # what changed comes first: reports cut
        if changed:
            more = f"; and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            why = f"changed since it was recorded: {'; '.join(changed[:_SHOWN])}{more}. "
        else:
            why = "" if stored else "nothing is recorded for this row. "
        told = MissingJudgementError(
            f"{why}--ragas-cache=replay makes no call. {self._mend()} ({error.missing or error})",
            missing=error.missing,
            kind=error.kind,
            request=error.request,
        )
        told.role = error.role
        return told

    def _mend(self) -> str:
        cassette = f" --ragas-cassette={self._cassette.shown}" if self._cassette is not None else ""
        return f"Record it: run once with --ragas-cache=read-write{cassette}."

    # ---- keeping ----------------------------------------------------------------------------------

    def keep(self, judgement: Judgement) -> None:
        """Keep a judgement: from here on a kill does not lose it. Never raises, never waits."""
        if self.replays:
            return
        if self._pid != os.getpid():
            self._begin()
        if not judgement.text:
            try:
                judgement = replace(judgement, text=text_of(judgement.content))
            except ValueError:
                return  # a model of somebody's own answered with what is no JSON: it is asked again next time
        self._kept += 1
        self._used[judgement.key] = True
        if self._writer is None or self._cassette is not None or self.mode == "refresh":
            self._own[judgement.key] = judgement
        if self._writer is not None:
            self._writer.add(judgement)

    def forget(self, keys: Iterable[str]) -> None:
        """Keep none of these after all: what was answered turned out to be of no use."""
        if self.replays:
            return
        for key in keys:
            self._own.pop(key, None)
            self._used.pop(key, None)
            if self._writer is not None:
                self._writer.forget(key)

    def finish(self) -> None:
        """Write what is not written yet, and the cassette. Never raises; what fails is in `notes`. Idempotent."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            if self._writer is not None:
                self._writer.finish()
            if self.replays:
                return
            used, self._used = self._used, {}
            if self._cassette is not None:
                self._record(used)
            found = [key for key, written in used.items() if not written]
            if self._store is not None and self._writer is not None and found:
                try:
                    self._store.used(found, run=self._run)
                except StoreError as error:
                    self._note_store(str(error))

    def abandon(self) -> None:
        """Let go of files and connections; nothing is written that is not yet, not even the cassette."""
        if self._opened is not None:
            self._opened.close()

    def close(self) -> None:
        """`finish`, and let go of files and connections."""
        self.finish()
        self.abandon()

    def _record(self, used: Iterable[str]) -> None:
        """Put what was used into the cassette, and what the scores among it were computed from."""
        assert self._cassette is not None
        entries: dict[str, Judgement] = {}
        wanted = dict.fromkeys(used)
        try:
            while wanted:
                got = {key: self._own[key] for key in wanted if key in self._own}
                away = [key for key in wanted if key not in got and key not in self._cassette]
                if self._store is not None:
                    got.update({judgement.key: judgement for judgement in self._store.read(away)})
                entries.update(got)
                below = (key for judgement in got.values() for key in judgement.answers)
                wanted = {key: None for key in below if key not in entries}
            self._cassette.add(entries.values())
        except OSError as error:
            why = error.strerror or str(error)
            self._note(f"The cassette {self._cassette.shown} cannot be written ({why}). What it has stays as it was.")
        except (PytestRagasError, StoreError) as error:
            self._note(f"{error} The cassette was not written.")

    def _place(self) -> str:
        if self._cassette is not None and self.replays:
            return self._cassette.shown
        return self._store.name if self._store is not None else "nothing"

    def _give_up_reading(self, why: str) -> None:
        with self._lock:
            if self._store is not None:
                self._note_store(f"{why} This run goes on without it.")
            self._store = self._writer = None

    def _note_store(self, text: str) -> None:
        """Once: a server that is gone can be neither read nor written."""
        if not self._lost:
            self._lost = True
            self._note(text)

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(cut(text, 600))
