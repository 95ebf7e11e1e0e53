"""`SQLiteStore`: judgements in one file, shared by all processes of a machine."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_ragas.judgements import sqlite_schema as schema
from pytest_ragas.judgements.judgement import Judgement, Kind, label, text_of
from pytest_ragas.judgements.known_keys import KnownKeys, Table
from pytest_ragas.judgements.store import Contents, StoreError

_NEAR = 200
"""Judgements that are looked at to say what changed."""
_CHUNK = 500
"""Values of one statement; SQLite takes 999."""

_AT_HAND = 20_000
"""Scores that are read together; about 1 kB each."""

_LATEST_SCORES = "SELECT key, content FROM scores ORDER BY run DESC LIMIT ?"

_STALE = 0.05
"""Seconds for which a process that judges may not see what another one has just stored."""

_COLUMNS: dict[Table, tuple[str, ...]] = {
    "answers": ("key", "kind", "metric", "sample", "request", "content", "run"),
    "scores": ("key", "metric", "sample", "request", "content", "answers", "run"),
}
_REPLACED = ("request", "content", "answers", "run")
"""Columns that a judgement of the same key replaces: who asked first stays."""

_AT_ONCE = 128
"""Judgements of one statement, a power of 2: SQLite takes 999 values."""

# connections of a parent process: closing one here, even by forgetting it, would take locks in the parent's name
_LEFT_BEHIND: list[sqlite3.Connection | None] = []


class SQLiteStore:
    """Satisfies `Store`. Two connections: reading never waits for a write."""

    remote = False

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """
        Args:
            path: The file; made, with the schema, if it is missing. Its folder must exist.
            readonly: Change nothing; the file must exist.

        Raises:
            StoreError: It cannot be opened, is damaged, of another program, or of a newer format.
        """
        self._path = path
        self._readonly = readonly
        self._pid = os.getpid()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._runs: dict[str, int] = {}
        self._at_hand: dict[str, str] | None = None
        self._forget_keys()
        # a checkpoint is the business of whoever writes: the reader's connection never makes one
        self._writer: sqlite3.Connection | None = None if readonly else schema.open_for_writing(path)
        self._reader: sqlite3.Connection | None = schema.open_for_reading(path) if readonly else None

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self._path

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return not self._readonly

    def find(self, kind: Kind, key: str) -> Any:
        """The content of a judgement; None if there is none.

        The first score that is asked for brings those that the last runs used: an unchanged suite will ask for them
        all, and 2,000 statements take ten times as long as one.
        """
        self._after_fork()
        table: Table = "scores" if kind == "score" else "answers"
        text = None
        if table == "scores":
            if self._at_hand is None:
                self._at_hand = dict(self._rows(_LATEST_SCORES, (_AT_HAND,)))
            text = self._at_hand.pop(key, None)  # a process asks once or twice, and memory is not for ever
        if text is None and self._known[table].may_have(key):
            rows = self._rows(f"SELECT content FROM {table} WHERE key = ?", (key,))
            text = rows[0][0] if rows else None
        return None if text is None else self._json(text)

    def read(self, keys: Iterable[str]) -> Iterator[Judgement]:
        """The judgements of these keys."""
        for chunk in _chunks(keys):
            marks = ",".join("?" * len(chunk))
            yield from self._answers(f"WHERE key IN ({marks})", chunk)
            yield from self._scores(f"WHERE key IN ({marks})", chunk)

    def near(self, kind: Kind, metric: str, sample: str) -> Sequence[Judgement]:
        """What is stored of this kind for a metric and a row."""
        where, values = "WHERE metric = ? AND sample = ?", [label(metric), label(sample)]
        if kind == "score":
            return list(self._scores(f"{where} LIMIT {_NEAR}", values))
        return list(self._answers(f"{where} AND kind = ? LIMIT {_NEAR}", [*values, kind]))

    def everything(self) -> Iterator[Judgement]:
        """All judgements."""
        yield from self._scores("", ())
        yield from self._answers("", ())

    def write(self, judgements: Sequence[Judgement], *, run: str, forget: Sequence[str] = ()) -> None:
        """Add, replace and delete, in one transaction."""
        with self._transaction() as (connection, number):
            rows: dict[Table, list[tuple[Any, ...]]] = {"answers": [], "scores": []}
            id_ = number(run)
            for one in judgements:
                content = one.text or text_of(one.content)
                request = one.request_text or text_of(dict(one.request))
                head = (one.key, label(one.metric), label(one.sample), request, content)
                if one.kind == "score":
                    rows["scores"].append((*head, text_of(list(one.answers)), id_))
                else:
                    rows["answers"].append((head[0], one.kind, *head[1:], id_))
            for table, added in rows.items():
                _add(connection, table, added)
                connection.executemany(f"DELETE FROM {table} WHERE key = ?", [(key,) for key in forget])
        for table, added in rows.items():
            self._known[table].add(row[0] for row in added)

    def used(self, keys: Iterable[str], *, run: str) -> None:
        """Note that a run used these."""
        with self._transaction() as (connection, number):
            pairs = [(number(run), key) for key in keys]
            connection.executemany("UPDATE scores SET run = ? WHERE key = ?", pairs)
            connection.executemany("UPDATE answers SET run = ? WHERE key = ?", pairs)

    def prune(self, *, older_than: float | None) -> Mapping[Kind, int]:
        """Delete what no run of late has used."""
        with self._transaction() as (connection, _):
            if older_than is None:
                first = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0]
            else:
                newer = "SELECT coalesce(min(id), 1 + (SELECT coalesce(max(id), 0) FROM runs)) FROM runs"
                first = connection.execute(f"{newer} WHERE started >= ?", (older_than,)).fetchone()[0]
            deleted: dict[Kind, int] = {
                "score": connection.execute("DELETE FROM scores WHERE run < ?", (first,)).rowcount
            }
            connection.execute("CREATE TEMP TABLE kept (key TEXT PRIMARY KEY)")
            for (keys,) in connection.execute("SELECT answers FROM scores").fetchall():
                rows = [(key,) for key in self._json(keys)]
                connection.executemany("INSERT OR IGNORE INTO kept VALUES (?)", rows)
            kinds: tuple[Kind, ...] = ("answer", "vector")
            for kind in kinds:
                deleted[kind] = connection.execute(
                    "DELETE FROM answers WHERE kind = ? AND run < ? AND key NOT IN (SELECT key FROM kept)",
                    (kind, first),
                ).rowcount
            connection.execute("DROP TABLE kept")
            # never the last one: ids must go on growing
            connection.execute(
                "DELETE FROM runs WHERE id < (SELECT max(id) FROM runs) AND id NOT IN "
                "(SELECT run FROM answers UNION SELECT run FROM scores)"
            )
        self._shrink()
        return deleted

    def contents(self) -> Contents:
        """What is in it."""
        kinds: dict[Kind, int] = {"score": self._rows("SELECT count(*) FROM scores")[0][0]}
        models: dict[str, int] = {}
        tokens = 0
        for kind, request, content in self._rows("SELECT kind, request, content FROM answers"):
            kinds[kind] = kinds.get(kind, 0) + 1
            model = self._json(request).get("model", {}).get("name", "")
            models[model] = models.get(model, 0) + 1
            tokens += sum(self._json(content)["usage"][1:]) if kind == "answer" else 0
        runs, last = self._rows("SELECT count(*), max(started) FROM runs")[0]
        return Contents(
            kinds=kinds,
            metrics=dict(self._rows("SELECT metric, count(*) FROM scores GROUP BY metric ORDER BY metric")),
            models=dict(sorted(models.items())),
            tokens=tokens,
            runs=runs,
            last_run=last,
            size=self._size(),
        )

    def close(self) -> None:
        """Close the file. The last process that does it also tidies its -wal file away."""
        self._after_fork()
        with self._reading:
            if self._reader is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._reader.close()
            self._reader = None
        with self._writing:
            if self._writer is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.close()
            self._writer = None

    # ---- one statement ---------------------------------------------------------------------------

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        self._after_fork()
        try:
            with self._reading:
                if self._reader is None:
                    self._reader = schema.open_for_reading(self._path)
                # all at once: an unfinished statement would hold up those who tidy the -wal file away
                return self._reader.execute(statement, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._problem(error, "read") from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, Any]]:
        self._after_fork()
        if self._readonly:
            raise StoreError(f"The judgement store {self._path} is open for reading only.")
        try:
            with self._writing:
                if self._writer is None:
                    self._writer = schema.open_for_writing(self._path)
                connection = self._writer
                # IMMEDIATE: a transaction that begins with a read cannot wait when it comes to write
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection, lambda run: self._run(connection, run)
                    connection.execute("COMMIT")
                except BaseException:
                    self._runs.clear()
                    with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
                        connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise self._problem(error, "written") from error

    def _run(self, connection: sqlite3.Connection, name: str) -> int:
        """The number of a run; it is given one when it first writes."""
        if name not in self._runs:
            connection.execute("INSERT OR IGNORE INTO runs (name, started) VALUES (?, ?)", (name, time.time()))
            self._runs[name] = connection.execute("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()[0]
        return self._runs[name]

    def _scores(self, where: str, values: Sequence[Any]) -> Iterator[Judgement]:
        statement = f"SELECT key, metric, sample, request, content, answers FROM scores {where}"
        for key, metric, sample, request, content, answers in self._rows(statement, values):
            yield Judgement(
                kind="score",
                key=key,
                metric=metric,
                sample=sample,
                request=self._json(request),
                content=self._json(content),
                answers=tuple(self._json(answers)),
            )

    def _answers(self, where: str, values: Sequence[Any]) -> Iterator[Judgement]:
        statement = f"SELECT key, kind, metric, sample, request, content FROM answers {where}"
        for key, kind, metric, sample, request, content in self._rows(statement, values):
            yield Judgement(
                kind=kind,
                key=key,
                metric=metric,
                sample=sample,
                request=self._json(request),
                content=self._json(content),
            )

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (TypeError, ValueError) as error:  # a page with other bytes in it
            raise self._problem(sqlite3.DatabaseError("its text is malformed"), "read") from error

    def _problem(self, error: Exception, what: str) -> StoreError:
        if not isinstance(error, sqlite3.Error):
            error = sqlite3.DatabaseError("its text is malformed")
        return schema.problem(error, self._path, what)

    def _shrink(self) -> None:
        # while other processes read or write this cannot be done; the space is used again anyway
        with contextlib.suppress(sqlite3.Error), self._writing:
            if self._writer is not None:
                self._writer.execute("VACUUM")
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _size(self) -> int:
        size = 0
        for suffix in ("", "-wal"):
            with contextlib.suppress(OSError):
                size += self._path.with_name(self._path.name + suffix).stat().st_size
        return size

    def _after_fork(self) -> None:
        if self._pid != os.getpid():
            _LEFT_BEHIND.extend((self._reader, self._writer))
            self._reader = self._writer = None
            self._reading, self._writing = threading.Lock(), threading.Lock()
            self._runs.clear()
            self._at_hand = None
            self._forget_keys()
            self._pid = os.getpid()

    def _forget_keys(self) -> None:
        stale = 0.0 if self._readonly else _STALE
        self._known: dict[Table, KnownKeys] = {
            "answers": KnownKeys("answers", self._rows, stale=stale),
            "scores": KnownKeys("scores", self._rows, stale=stale),
        }


def _add(connection: sqlite3.Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows, or replace those of the same keys.

    Many with each statement: between two rows of `executemany` the driver gives the interpreter up, and waits
    until the thread that scores lets it go on.
    """
    size, start = _AT_ONCE, 0
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        connection.execute(_adding(table, size), [value for row in rows[start : start + size] for value in row])
        start += size


@functools.cache
def _adding(table: Table, rows: int) -> str:
    columns = _COLUMNS[table]
    values = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns if name in _REPLACED)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values} ON CONFLICT (key) DO UPDATE SET {replaced}"


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        yield chunk
