"""`locked`: one process at a time changes a file. `try_lock`: whether the process that made a file is alive."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def locked(path: Path, *, patience: float = 30.0) -> Iterator[None]:
    """Hold the lock of a file while it is read, changed and put in place.

    The lock is a file in the system's folder for temporary files: beside a committed file it would be litter, and the
    file itself is replaced. Processes on several machines are not kept apart.

    Args:
        path: The file; need not exist.
        patience: Seconds to wait for others. The default is for whoever takes milliseconds.

    Raises:
        OSError: Others held it for too long.
    """
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
    # of each user: a lock of somebody else could not be opened
    user = os.getuid() if hasattr(os, "getuid") else 0
    lock = Path(tempfile.gettempdir(), f"pytest-ragas-{user}-{name}.lock")
    deadline = time.monotonic() + patience
    while True:
        with open(lock, "a+b") as file:
            # whoever had it deleted it: then this is the lock of nobody
            if try_lock(file) and _is_still_there(lock, file):
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):  # Windows deletes no open file
                        lock.unlink()
                    _unlock(file)
                return
        if time.monotonic() > deadline:
            raise OSError(f"other processes were writing it for {patience:g} s")
        time.sleep(0.01)


def _is_still_there(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def try_lock(file: IO[bytes]) -> bool:
        """Lock an open file until it is closed; False if another process has. Moves to its beginning."""
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(file: IO[bytes]) -> bool:
        """Lock an open file until it is closed; False if another process has.

        Raises:
            OSError: The file system knows no locks.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
