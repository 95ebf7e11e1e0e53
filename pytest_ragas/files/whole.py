"""`written_whole`: a file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """A stream whose text takes the place of a file when the block ends, and nothing if it raises.

    A reader sees the old file or the new one, and an interruption leaves the old one. Missing directories are made; a
    symbolic link stays one; the permissions of an existing file are kept.

    Args:
        path: The file; UTF-8, and line ends as they are written.

    Raises:
        OSError: It cannot be written.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        # newline="": the formats write their own line ends, and "\r" inside a text must stay as it is
        with draft.open("x", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o7777)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
