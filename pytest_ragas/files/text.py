"""Bytes of a file to text: UTF-8 with or without its mark, and a clear word about everything else."""

from __future__ import annotations

import codecs
import difflib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""UTF-32 first: its little-endian mark begins with that of UTF-16."""


class FileProblem(Exception):
    """A file or text that cannot be read, and the mend.

    Internal: whoever knows what the file was for turns it into a `TestsetError` or `ConfigurationError`.
    """


def read_text(path: Path) -> str:
    """The whole text of a file.

    Raises:
        FileProblem: It cannot be opened, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileProblem(f"it cannot be read ({error.strerror or error}).") from None
    return decode(_without_mark(data), line=1, offset=_mark_length(data))


@dataclass(frozen=True, slots=True)
class ByteLine:
    """One line of a file, not decoded yet. Positional, since a large file has very many."""

    number: int
    """From 1."""
    data: bytes
    """With its line end, without the mark of the file."""
    offset: int
    """Of its first byte in the file."""

    def text(self) -> str:
        """Its text.

        Raises:
            FileProblem: Not UTF-8.
        """
        return decode(self.data, line=self.number, offset=self.offset)


def iter_lines(path: Path) -> Iterator[ByteLine]:
    """The lines of a file, one at a time, so that a large file is never held whole.

    Raises:
        FileProblem: The file cannot be opened, or is UTF-16 or UTF-32.
    """
    try:
        with path.open("rb") as stream:
            offset = 0
            for number, data in enumerate(stream, 1):
                if number == 1:
                    yield ByteLine(1, _without_mark(data), _mark_length(data))
                else:
                    yield ByteLine(number, data, offset)
                offset += len(data)
    except OSError as error:
        raise FileProblem(f"it cannot be read ({error.strerror or error}).") from None


def decode(data: bytes, *, line: int, offset: int) -> str:
    """Text of UTF-8 bytes.

    Args:
        data: What to decode.
        line: Number of its first line in the file, for messages.
        offset: Offset of its first byte in the file, for messages.

    Raises:
        FileProblem: Not UTF-8; the message has byte, offset and line.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
        raise FileProblem(
            f"byte 0x{data[at]:02x} at offset {offset + at} (line {line + data[:at].count(10)}) is not UTF-8 "
            f"({error.reason}). Save the file as UTF-8."
        ) from None


def _without_mark(data: bytes) -> bytes:
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            raise FileProblem(f"byte 0x{data[0]:02x} at offset 0 begins a {name} file. Save it as UTF-8.")
    # text never begins with a NUL character: one in the first two bytes is half of a 16-bit character
    if b"\x00" in data[:2]:
        raise FileProblem(
            f"the zero byte at offset {data.index(0)} says that this is UTF-16, or no text at all. Save it as UTF-8."
        )
    return data[_mark_length(data) :]


def _mark_length(data: bytes) -> int:
    return len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0


def check_is_file(path: Path, suffixes: Iterable[str]) -> None:
    """Make sure that there is a file to open.

    Args:
        path: What the user named.
        suffixes: The suffixes that could be read, for the hint about a directory.

    Raises:
        FileProblem: Nothing there (names close neighbours), or not a file (names the files in it).
    """
    try:
        if path.is_file():
            return
        if path.is_dir():
            fitting = sorted(entry.name for entry in path.iterdir() if entry.suffix.lower() in set(suffixes))
            hint = f"Name one of its files: {_names(fitting)}." if fitting else "No file in it could be loaded."
            raise FileProblem(f"it is a directory. {hint}")
        if path.exists():
            raise FileProblem("it is not a regular file. Name a file.")
        raise FileProblem(_missing(path))
    except (OSError, ValueError) as error:  # a name with a NUL character is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise FileProblem(f"it cannot be read ({reason}).") from None


def _missing(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no such file, and no directory {str(folder)!r} either (seen from {os.getcwd()})."
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        names = []
    same_stem = [name for name in names if Path(name).stem == path.stem]
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    neighbours = list(dict.fromkeys([*close, *same_stem]))
    hint = f" Did you mean {_names(neighbours)}?" if neighbours else ""
    return f"there is no such file (seen from {os.getcwd()}).{hint}"


def _names(names: list[str], limit: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
