"""The schema of the SQLite file, and how a connection to one is opened."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

from pytest_ragas.judgements.judgement import FORMAT_VERSION
from pytest_ragas.judgements.store import StoreBusyError, StoreError

APPLICATION_ID = 0x72616761  # "raga": PRAGMA application_id, so that no other program's file is taken for ours

BUSY = 30.0
"""Seconds that a write waits for those of other processes; each takes about a millisecond."""

SCHEMA = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,   -- grows with every run that stored or used something
    name TEXT NOT NULL UNIQUE,  -- one for all processes of a pytest-xdist run
    started REAL NOT NULL     -- Unix seconds
);
CREATE TABLE answers (        -- what models answered
    key TEXT PRIMARY KEY,     -- 32 hex digits of the whole request; pytest_ragas/judgements/key.py makes them
    kind TEXT NOT NULL,       -- 'answer' of an LLM, or 'vector' of an embedding model
    metric TEXT NOT NULL,     -- the metric that asked first, and
    sample TEXT NOT NULL,     -- the id of the row that it asked for: for people, may be empty
    request TEXT NOT NULL,    -- JSON: model, and digests of messages, structure or text; says what changed
    content TEXT NOT NULL,    -- JSON: {"value", "raw", "usage"} of an answer, {"float32": base64} of a vector
    run INTEGER NOT NULL      -- the last run that stored or used it
);
CREATE INDEX answers_of ON answers (metric, sample);
CREATE TABLE scores (         -- what metrics made of the answers
    key TEXT PRIMARY KEY,     -- 32 hex digits of sample content, metric, version, options and models
    metric TEXT NOT NULL,     -- its name as users write it
    sample TEXT NOT NULL,     -- id of the row that it was first asked for
    request TEXT NOT NULL,    -- JSON: metric, options, models, and digests of the sample's fields; says what changed
    content TEXT NOT NULL,    -- JSON: the score with its evidence
    answers TEXT NOT NULL,    -- JSON: keys of the answers that it was computed from
    run INTEGER NOT NULL      -- the last run that stored or used it
);
CREATE INDEX scores_of ON scores (metric, sample);
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection to a file that is made if it is missing.

    Raises:
        StoreError: It cannot be opened, is no store of ours, or a newer one. Nothing was changed then.
        StoreBusyError: Others hold it for too long.
    """
    connection = _connect(path, "rwc", timeout=BUSY)
    try:
        deadline = time.monotonic() + BUSY
        while True:
            try:
                # in this order: SQLite must not turn a file of somebody else into WAL
                made = _check(connection, path)
                _set_up(connection, path, made=made)
                return connection
            except sqlite3.OperationalError as error:
                # the change to WAL needs the file for itself, and gives up without waiting for it
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(random.uniform(0.001, 0.02))
    except sqlite3.Error as error:
        connection.close()
        raise problem(error, path, "opened") from error
    except BaseException:
        connection.close()
        raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, also to a file on a disk that is not writable.

    Raises:
        StoreError: There is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise StoreError(f"There is no judgement store {path}.")
    last: sqlite3.Error | None = None
    # WAL wants a file beside the store, which a read-only disk refuses; immutable does without, and without the
    # judgements of a run that was killed and lie in the -wal file still: those need a copy
    for attempt in (_plainly, _immutable, _copied):
        try:
            connection = attempt(path)
        except sqlite3.Error as error:
            last = error
            continue
        if connection is None:
            continue
        try:
            if not _check(connection, path):
                raise StoreError(f"The judgement store {path} is empty.")
            return connection
        except sqlite3.Error as error:
            connection.close()
            last = error
            if not is_access(error):
                break
        except BaseException:
            connection.close()
            raise
    assert last is not None
    raise problem(last, path, "read") from last


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else held the file."""
    return "locked" in str(error) or "busy" in str(error)


def is_access(error: sqlite3.Error) -> bool:
    """Whether the file, or the folder that it lies in, may not be written."""
    text = str(error)
    return "unable to open" in text or "readonly" in text or "read-only" in text or "disk I/O" in text


def problem(error: sqlite3.Error, path: Path, what: str) -> StoreError:
    """SQLite's words, with the file's name and the mend."""
    text = str(error)
    if is_busy(error):
        return StoreBusyError(f"The judgement store {path} cannot be {what}: other processes held it for {BUSY:g} s.")
    if "not a database" in text or "malformed" in text or "encrypted" in text:
        mend = "It is damaged; nothing was deleted. Move it away, or name another folder with --ragas-cache-dir."
    elif "full" in text:
        mend = "Free some space, or name another folder with --ragas-cache-dir."
    elif is_access(error):
        mend = "Check the permissions of its folder, or name another one with --ragas-cache-dir."
    else:
        mend = "Name another folder with --ragas-cache-dir, or run with --ragas-cache=off."
    return StoreError(f"The judgement store {path} cannot be {what} ({text}). {mend}")


def _connect(path: Path, mode: str, *, timeout: float, query: str = "") -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}{query}",
            uri=True,
            timeout=timeout,
            isolation_level=None,  # transactions are begun by hand
            check_same_thread=False,  # the store locks
        )
    except sqlite3.Error as error:
        raise problem(error, path, "opened") from error


def _check(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is a store of ours in it; False for an empty file.

    Raises:
        StoreError: It is of a newer format, or of another program.
    """
    # in one transaction: another process may be making the schema between two of these
    begun = not connection.in_transaction
    if begun:
        connection.execute("BEGIN")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        if begun:
            with contextlib.suppress(sqlite3.Error):  # a damaged file began nothing
                connection.execute("ROLLBACK")
    if owner == APPLICATION_ID and version > FORMAT_VERSION:
        raise StoreError(
            f"The judgement store {path} is of format {version}, written by a newer pytest-ragas; this one reads up to "
            f"{FORMAT_VERSION}. Upgrade pytest-ragas, or name another folder with --ragas-cache-dir. "
            "Nothing was changed in it."
        )
    if owner == APPLICATION_ID and version == FORMAT_VERSION:
        return True
    if owner or version or tables:
        raise StoreError(
            f"{path} is an SQLite file of another program. Name another folder with --ragas-cache-dir. "
            "Nothing was changed in it."
        )
    return False


def _set_up(connection: sqlite3.Connection, path: Path, *, made: bool) -> None:
    # WAL: readers go on while one writes, and what was committed survives a kill -9. NORMAL: no wait for the disk at
    # each commit; a power cut may take the last judgements, but never damages the file. Where the file system
    # cannot do WAL (some network disks), SQLite stays with its older journal, and everything here holds.
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_size_limit = 8388608")
    if made:
        # also shows here, not at the first judgement, that the file is not writable
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _check(connection, path):  # another process may have made it in between
            for statement in SCHEMA.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # some errors end the transaction themselves
            connection.execute("ROLLBACK")
        raise


def _plainly(path: Path) -> sqlite3.Connection | None:
    return _connect(path, "ro", timeout=5.0)


def _immutable(path: Path) -> sqlite3.Connection | None:
    wal = path.with_name(path.name + "-wal")
    if wal.is_file() and wal.stat().st_size:
        return None
    return _connect(path, "ro", timeout=5.0, query="&immutable=1")


def _copied(path: Path) -> sqlite3.Connection | None:
    """A connection to a copy with its -wal file, in a temporary folder that is gone when this returns."""
    with tempfile.TemporaryDirectory(prefix="pytest-ragas-") as folder:
        copy = Path(folder, path.name)
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
        source = _connect(copy, "rw", timeout=5.0)
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            source.backup(memory)
        except BaseException:
            memory.close()
            raise
        finally:
            source.close()
        return memory
