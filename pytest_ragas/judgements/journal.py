r"""`Journal`: what was paid for and is not in the store yet, in a file that survives the process.

SQLite takes a fifth of a millisecond for each transaction, so that judgements are gathered before they are written
there. Until then they lie here: in a file that is mapped into memory, so that to write one costs a copy of its bytes,
no system call and no change of threads. What is in such a mapping belongs to the operating system: it is in the file
whenever and however the process ends. (A power cut is another matter, here as in SQLite's write-ahead log.)

```text
judgements.sqlite3-<process>-<random>.unwritten     locked by its process as long as that lives
    head       "ragas unwritten 1\n", where the records begin (8 bytes), name of the run
    record …   length, CRC-32, JSON: [kind, key, metric, sample, request, content], or "key" of one to delete
    0          there is no further one
```
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pytest_ragas.files.lock import try_lock
from pytest_ragas.judgements.judgement import Judgement, label, text_of

SUFFIX = ".unwritten"

FORMAT_VERSION = 1
# 1: first release

_MAGIC = b"ragas unwritten %d\n" % FORMAT_VERSION
_START = struct.Struct("<Q")
_START_AT = 24
_RUN_AT = _START_AT + _START.size
_HEAD = 256
_RECORD = struct.Struct("<II")
_END = b"\0" * _RECORD.size

_SIZE = 256 * 1024
"""Bytes of a new file; about 200 answers, many times what a transaction waits for."""
_LARGEST = 256 * 1024 * 1024
"""Bytes from which on nothing is taken any more: somebody holds the store for minutes."""


class Journal:
    """Belongs to one process, and to whoever holds its writer's lock. Never raises: without it, the store is all."""

    def __init__(self, store: Path, *, run: str) -> None:
        """
        Args:
            store: The SQLite file beside which it lies.
            run: Names the run.
        """
        self._store = store
        self._run = run
        self._path: Path | None = None
        self._file: IO[bytes] | None = None
        self._bytes: mmap.mmap | None = None
        self._size = _SIZE
        self._start = self._end = _HEAD
        self._given_up = False

    def add(self, judgement: Judgement) -> None:
        """Take a judgement. Scores are left out: they are computed anew from answers that are stored."""
        if judgement.kind != "score":
            head = text_of([judgement.kind, judgement.key, label(judgement.metric), label(judgement.sample)])
            request = judgement.request_text or text_of(dict(judgement.request))
            content = judgement.text or text_of(judgement.content)
            self._append(f"{head[:-1]},{request},{content}]".encode())

    def forget(self, key: str) -> None:
        """Take back a judgement."""
        self._append(text_of(key).encode())

    def mark(self) -> int:
        """Where it ends now."""
        return self._end

    def written(self, mark: int) -> None:
        """What it held up to a mark is in the store. Marks that were taken since are void."""
        if self._bytes is None:
            return
        self._start_at(mark)
        waiting = self._end - mark
        # never over what is copied: a kill in between would leave neither
        if _HEAD + waiting + len(_END) <= mark:
            self._bytes[_HEAD : _HEAD + waiting + len(_END)] = self._bytes[mark : self._end] + _END
            self._start_at(_HEAD)
            self._end = _HEAD + waiting

    def close(self) -> None:
        """Let go of the file. It stays if something in it was not written, for whoever opens the store next."""
        self._given_up = True
        if self._bytes is None or self._file is None or self._path is None:
            return
        self._bytes.close()
        self._bytes = None
        if self._start < self._end:
            self._file.close()
            return
        with contextlib.suppress(OSError):  # while it is locked: nobody shall read it meanwhile
            self._path.unlink()
        self._file.close()
        with contextlib.suppress(OSError):  # Windows deletes no open file
            self._path.unlink(missing_ok=True)

    def _append(self, data: bytes) -> None:
        if self._given_up:
            return
        try:
            if self._bytes is None:
                self._bytes = self._begin()
            end = self._end + _RECORD.size + len(data)
            if end + len(_END) > self._size:
                self._bytes = self._grown(self._bytes, end + len(_END))
        except (OSError, ValueError):  # no place for it: a full disk, a file system that maps nothing
            self._given_up = True
            return
        # the length comes last: a record that is written by half is none
        self._bytes[self._end + _RECORD.size : end + len(_END)] = data + _END
        self._bytes[self._end : self._end + _RECORD.size] = _RECORD.pack(len(data), zlib.crc32(data))
        self._end = end

    def _begin(self) -> mmap.mmap:
        """A new file, locked before it holds anything: an empty one is somebody's who is just beginning.

        Raises:
            OSError: It cannot be made, or not be mapped.
        """
        head = _MAGIC.ljust(_START_AT, b"\0") + _START.pack(_HEAD) + self._run.encode()[: _HEAD - _RUN_AT]
        self._path = self._store.with_name(f"{self._store.name}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}")
        self._file = open(self._path, "x+b", buffering=0)
        try:
            if not try_lock(self._file):
                raise OSError("somebody looked at it in this very moment")
            # written out, not left sparse: a page that the disk has no room for would end the process
            self._file.write(head.ljust(_SIZE, b"\0"))
            return mmap.mmap(self._file.fileno(), _SIZE)
        except BaseException:
            self._file.close()
            self._path.unlink(missing_ok=True)
            raise

    def _grown(self, mapped: mmap.mmap, needed: int) -> mmap.mmap:
        """The same file, larger.

        Raises:
            ValueError: It is large enough.
        """
        size = max(2 * self._size, needed)
        if size > _LARGEST:
            raise ValueError(size)
        assert self._file is not None
        self._file.seek(self._size)
        self._file.write(bytes(size - self._size))
        larger = mmap.mmap(self._file.fileno(), size)
        mapped.close()
        self._size = size
        return larger

    def _start_at(self, start: int) -> None:
        assert self._bytes is not None
        self._bytes[_START_AT : _START_AT + _START.size] = _START.pack(start)
        self._start = start


def read_journal(data: bytes) -> tuple[str, list[Judgement | str]]:
    """What a file holds, in its order.

    Returns:
        The name of the run, and judgements and keys of those that were taken back.

    Raises:
        ValueError: It is none of ours, or of a newer format.
    """
    if not data.startswith(_MAGIC):
        raise ValueError("no journal")
    run = data[_RUN_AT:_HEAD].rstrip(b"\0").decode("utf-8", "replace")
    return run, [_item(record) for record in _records(data, _START.unpack_from(data, _START_AT)[0])]


def _records(data: bytes, place: int) -> Iterator[Any]:
    while place + _RECORD.size <= len(data):
        length, checksum = _RECORD.unpack_from(data, place)
        place += _RECORD.size
        record = data[place : place + length]
        if not length or zlib.crc32(record) != checksum:
            return  # the end; after a power cut, what the disk has of it
        yield json.loads(record)
        place += length


def _item(record: Any) -> Judgement | str:
    if isinstance(record, str):
        return record
    kind, key, metric, sample, request, content = record
    return Judgement(kind=kind, key=key, metric=metric, sample=sample, request=request, content=content)
