"""Texts in columns of a terminal: how wide they are there, and how they are cut and padded."""

from __future__ import annotations

import unicodedata


def width_of(text: str) -> int:
    """Columns that a text takes in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def shorten(text: str, limit: int) -> str:
    """A text in at most `limit` columns; what does not fit is replaced by "..", which every terminal can show."""
    text = "".join(character if character.isprintable() else " " for character in text)
    if width_of(text) <= limit:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns(character)
        if used > limit - 2:
            break
        kept += character
    return f"{kept}.."[: max(limit, 0)]


def shorten_left(text: str, limit: int) -> str:
    """A text in at most `limit` columns, of which the end says more than the beginning: "..::test_rag"."""
    return shorten(text[::-1], limit)[::-1]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """A text filled up with spaces to `width` columns; `right` aligns it there."""
    space = " " * (width - width_of(text))
    return space + text if right else text + space
