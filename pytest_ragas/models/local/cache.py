"""The folder where converted weights lie, shared by all projects of a user; each is made once, whoever asks for it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.files.lock import locked

VARIABLE = "PYTEST_RAGAS_MODELS_DIR"
"""The environment variable that moves the folder."""

FORMAT = 1
"""Of a folder in the cache: 1, first release. Part of its name, so that versions do not replace each other's."""

MANIFEST = "pytest-ragas.json"
"""What a folder in the cache is; written last, so that a folder without it is not whole."""

_PATIENCE = 3600.0
"""Seconds to wait for another process that is downloading or converting the same weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One folder of the cache."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """A known name, or the file's."""
        return str(self.manifest.get("name") or self.folder.name)

    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())


def models_dir() -> Path:
    """The folder; need not exist.

    `PYTEST_RAGAS_MODELS_DIR`, else `pytest-ragas/models` in the user's folder for caches: `XDG_CACHE_HOME` or
    `~/.cache`, on Windows `LOCALAPPDATA`, on macOS `~/Library/Caches`.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return Path(given).expanduser().absolute()
    xdg = os.environ.get("XDG_CACHE_HOME", "").strip()
    if xdg and Path(xdg).is_absolute():  # the specification says to ignore a relative one
        base = Path(xdg)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "pytest-ragas" / "models"


def folder_name(name: str, digest: str, *, suffix: str = "") -> str:
    """How the folder of weights is called: `smollm2-b179c9523d0e-1`.

    Args:
        name: A known name, or the stem of a file.
        digest: sha256 of the file that they come from.
        suffix: What else they depend on.
    """
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "model"
    return f"{slug}-{digest[:12]}-{FORMAT}{suffix}"


def find(folder_name: str) -> Entry | None:
    """A whole folder of the cache, if there is one of this name."""
    return _entry(models_dir() / folder_name)


def entries() -> list[Entry]:
    """Everything whole in the cache, by name."""
    root = models_dir()
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return [entry for folder in folders if (entry := _entry(folder)) is not None]


def make_once(folder_name: str, make: Callable[[Path], Mapping[str, Any]]) -> Entry:
    """The folder of this name, made now unless it is there.

    Of several processes that ask at once, one makes it and the others wait. What is made half is never seen under
    the name: it lies in a folder beside, which is removed whatever happens, after a kill by whoever comes next.

    Args:
        folder_name: Its name in the cache.
        make: Fills an empty folder, and returns what the manifest shall say.

    Raises:
        ConfigurationError: The cache cannot be written, is full, or another process did not get done.
        Exception: Whatever `make` raised.
    """
    place = models_dir() / folder_name
    with explained(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place, patience=_PATIENCE):
            found = _entry(place)
            if found is not None:
                return found
            _remove_leftovers(place)
            building = Path(tempfile.mkdtemp(prefix=f".{folder_name}.", dir=place.parent))
            try:
                manifest = dict(make(building))
                (building / MANIFEST).write_text(json.dumps({"format": FORMAT, **manifest}, indent=1), encoding="utf-8")
                for file in building.iterdir():
                    file.chmod(0o644)  # safetensors writes 0600: others may read a shared cache
                building.chmod(0o755)
                shutil.rmtree(place, ignore_errors=True)  # a folder that is not whole
                building.rename(place)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    found = _entry(place)
    assert found is not None
    return found


def remove(entry: Entry) -> None:
    """Delete a folder of the cache.

    Raises:
        ConfigurationError: It cannot be deleted.
    """
    with explained(entry.folder), locked(entry.folder):
        doomed = entry.folder.with_name(f".{entry.folder.name}.removed")
        shutil.rmtree(doomed, ignore_errors=True)
        entry.folder.rename(doomed)  # at once: nobody meets half of it
        shutil.rmtree(doomed)


def check_room(folder: Path, needed: int, what: str) -> None:
    """Say beforehand that something will not fit.

    Args:
        folder: Where it shall lie.
        needed: Bytes.
        what: What is written, for the message.

    Raises:
        ConfigurationError: There is less room.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ConfigurationError(
            f"{what} needs {megabytes(needed)} in {folder}, where {megabytes(free)} are free. Make room, "
            f"or let {VARIABLE} name a folder on another disk."
        )


def megabytes(size: int) -> str:
    """A number of bytes in words: "93 MB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


@contextlib.contextmanager
def explained(place: Path) -> Iterator[None]:
    """What the system says of a file of the cache, as an error with a mend."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            mend = f"Make room, or let {VARIABLE} name a folder on another disk"
        else:
            mend = f"Let {VARIABLE} name a folder that you can write to"
        raise ConfigurationError(
            f"The cache of local models cannot be written: {error.filename or place}: {reason}. {mend}."
        ) from error


def _entry(folder: Path) -> Entry | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_ours = isinstance(manifest, dict) and manifest.get("format") == FORMAT
    return Entry(folder=folder, manifest=manifest) if is_ours else None


def _remove_leftovers(place: Path) -> None:
    """What a killed process left of this folder. We hold the lock: nobody is at work there."""
    for leftover in place.parent.glob(f".{place.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
