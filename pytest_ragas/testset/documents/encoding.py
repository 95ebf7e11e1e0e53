"""Bytes of a document to text. Documents come from anywhere, so more than UTF-8 is read here than in our own files.

The order: a byte order mark (UTF-8, UTF-16, UTF-32) says what it is; what is valid UTF-8 is UTF-8, whatever a page
says of itself; then the encoding that a page names; other bytes are Windows-1252, of which the printable Latin-1 is a
part, unless they cannot be text in a Latin script.
"""

from __future__ import annotations

import codecs

from pytest_ragas.files.text import FileProblem

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16."""

_MOST_ACCENTS = 0.2
"""Share of bytes beyond ASCII in a Latin text. French and Vietnamese stay below a tenth; Cyrillic, Greek, Chinese and
Japanese in their own 8-bit encodings lie far above, and would come out as nonsense."""


def decode_document(data: bytes, *, declared: str = "") -> str:
    """The text, with line feeds for line ends.

    Args:
        data: The bytes of a file.
        declared: An encoding that the file itself names (HTML), for bytes that are not UTF-8.

    Raises:
        FileProblem: They are no text, or one in an encoding that cannot be told.
    """
    text = _decode(data, declared)
    if "\x00" in text:
        raise FileProblem(
            f"the zero byte at offset {data.find(0)} says that it is no text, or UTF-16 without its mark. "
            "Save it as UTF-8."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(data: bytes, declared: str) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], name, len(mark))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        first = error.start
    if declared and _known(declared):
        return _strict(data, declared, 0)
    beyond = sum(byte >= 0x80 for byte in data)
    if beyond <= _MOST_ACCENTS * len(data) and b"\x00" not in data:
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            pass
    raise FileProblem(
        f"byte 0x{data[first]:02x} at offset {first} is not UTF-8, and the whole is neither Windows-1252 nor Latin-1. "
        "Save it as UTF-8."
    )


def _strict(data: bytes, encoding: str, offset: int) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileProblem(
            f"byte 0x{data[error.start]:02x} at offset {offset + error.start} is not {encoding.upper()}, which the "
            "file says it is. Save it as UTF-8."
        ) from None


def _known(encoding: str) -> bool:
    try:
        "".encode(encoding)  # "hex" is an encoding too, but none of text
    except (LookupError, ValueError):
        return False
    return True
