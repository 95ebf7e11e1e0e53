"""What weights are, whatever their folder is called: a digest of every file that decides what the model answers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pytest_ragas.models.local.cache import models_dir
from pytest_ragas.models.local.wheel import sha256_of

_REMEMBERED = 16_000_000
"""Bytes from which a file's digest is remembered: below, reading it takes no longer than looking it up."""

_DECIDES = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt", ".tiktoken", ".py")
"""Endings of weights, configuration, tokenizer, chat template and code; a README decides nothing."""

_NOTES = ("pytest-ragas.json", "training_args.bin", "trainer_state.json", "optimizer.bin", "scheduler.bin")
"""Of these endings, and yet read by nobody who loads the model."""


def folder_digest(folder: Path) -> str:
    """The sha256 over names and sha256 of the files of a model.

    Whole files, also large ones: two stages of one fine-tuning differ in nothing else. A file of 16 MB or more is read
    once, and again when its size or time of change differs; what the hub stored under its sha256 is not read.

    Raises:
        OSError: A file cannot be read.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix in _DECIDES and file.name not in _NOTES)
    return _over((file.name, file_digest(file)) for file in files if file.is_file())


def tree_digest(folder: Path) -> str:
    """As `folder_digest`, with the folders inside: sentence-transformers keeps a module in each. Hidden ones are none.

    Raises:
        OSError: A file cannot be read.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix in _DECIDES and file.name not in _NOTES)
    named = ((file.relative_to(folder).as_posix(), file) for file in files if file.is_file())
    return _over((name, file_digest(file)) for name, file in named if not name.startswith((".", "onnx/", "openvino/")))


def file_digest(file: Path) -> str:
    """The sha256 of a file, in hex; that of a large one may be remembered.

    Raises:
        OSError: It cannot be read.
    """
    real = file.resolve()
    # how huggingface_hub names what Git LFS stores: by its sha256
    if real.parent.name == "blobs" and re.fullmatch("[0-9a-f]{64}", real.name):
        return real.name
    stat = real.stat()
    if stat.st_size < _REMEMBERED:
        return sha256_of(real)
    key = hashlib.sha256(os.fsencode(real)).hexdigest()[:24]
    note = models_dir() / ".digests" / f"{key}.json"
    is_like = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
    with suppress(OSError, ValueError, LookupError, TypeError):
        remembered = json.loads(note.read_text(encoding="utf-8"))
        if remembered["is_like"] == is_like:
            return str(remembered["sha256"])
    digest = sha256_of(real)
    with suppress(OSError):  # a cache that cannot be written costs time, no more
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False, encoding="utf-8") as stream:
            json.dump({"path": str(real), "is_like": is_like, "sha256": digest}, stream)
        os.replace(stream.name, note)
    return digest


def _over(named: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"{digest}  {name}\n" for name, digest in named)
    return hashlib.sha256(lines.encode()).hexdigest()
