"""A GGUF file as a folder of safetensors in the cache, converted once.

transformers reads GGUF in pure Python: 17 CPU-seconds for 135M parameters on every load, against one from safetensors.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, cut
from pytest_ragas.models.local.cache import Entry, find, folder_name, make_once
from pytest_ragas.models.local.folder import explained_reading

MAGIC = b"GGUF"

Source = Callable[[Path], Path]
"""Brings the GGUF file; it may lie in the folder that is given, where it is removed again."""


def converted(source: Source, *, name: str, digest: str, what: Mapping[str, Any], draw: bool = False) -> Entry:
    """The folder in the cache that a GGUF file was converted into, now unless it has been.

    Args:
        source: Brings the file, if it is needed.
        name: A known name, or the file's stem.
        digest: sha256 of the file.
        what: What the manifest shall say beside name, sha256 and versions.
        draw: Tell the terminal what is going on.

    Raises:
        MissingExtraError: A library that converts is not installed.
        ConfigurationError: The file is no whole GGUF, of an architecture that transformers does not know, or there is
            no room.
    """
    # before anything is asked of transformers: version() takes a millisecond
    place = folder_name(name, digest, suffix=f"-t{_transformers(name)}")
    found = find(place)
    if found is not None:
        return found
    for library in ("torch", "transformers", "gguf", "accelerate"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(f"The local model {name!r}", library, "local")

    def make(folder: Path) -> Mapping[str, Any]:
        file = source(folder)
        try:
            _check_magic(file)
            if draw:
                print(f"converting {file.name} to safetensors, once", flush=True)
            _convert(file, folder)
        finally:
            if file.parent == folder:
                file.unlink()
        versions = {library: version(library) for library in ("transformers", "gguf")}
        return {"name": name, "sha256": digest, "converted_by": versions, **what}

    return make_once(place, make)


def _transformers(name: str) -> str:
    """The major release: a tokenizer and a configuration that 5 wrote mean nothing, or something else, to 4."""
    try:
        return version("transformers").partition(".")[0]
    except PackageNotFoundError:
        raise MissingExtraError(f"The local model {name!r}", "transformers", "local") from None


def _check_magic(file: Path) -> None:
    with explained_reading(file), open(file, "rb") as stream:
        magic = stream.read(4)
    if magic != MAGIC:
        raise ConfigurationError(
            f"{file} is no GGUF file: it begins with {magic!r}, not {MAGIC!r}. If it is a Git LFS pointer or an "
            "error page, download it again."
        )


def _convert(file: Path, folder: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    package = str(Path(__file__).parents[3])
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environ.get("PYTHONPATH")]))
    environ["HF_HUB_OFFLINE"] = "1"
    # its own process group: Ctrl-C must not make it draw a traceback; it ends when we let go of its standard input
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_ragas.models.local.convert", str(file.absolute()), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environ,
        start_new_session=True,
    )
    try:
        stdout, stderr = _outputs(process)
    except BaseException:
        with suppress(OSError):
            process.kill()
        process.wait()
        raise
    if process.returncode == 0:
        return
    if process.returncode == 3:
        raise ConfigurationError(stdout.strip())
    raise ConfigurationError(_explained(file, process.returncode, stderr))


def _outputs(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it printed. `communicate()` would close its standard input at once, which tells it to end."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin is not None
    assert stdout is not None
    assert stderr is not None
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.append(stderr.read()), daemon=True)
    reader.start()
    said = stdout.read()
    process.wait()
    reader.join()
    for stream in (stdin, stdout, stderr):
        stream.close()
    return said, "".join(errors)


def _explained(file: Path, status: int, stderr: str) -> str:
    last = cut(next((line for line in reversed(stderr.splitlines()) if line.strip()), "it said nothing"))
    if status == -9:
        return f"Converting {file.name} was killed, as the system does when memory runs out. A smaller model fits."
    if "not supported" in last and "architecture" in last:
        return (
            f"{file.name} holds a model that transformers does not read from GGUF ({last}). Take the model's "
            "safetensors instead, or serve the file with llama.cpp and name model_name and api_base."
        )
    return (
        f"{file} cannot be read as a GGUF model ({last}). It may be cut off or damaged: compare its size and sha256 "
        "with its source, or download it again."
    )
