"""What was found, in words, for error messages."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping

from pytest_ragas.errors import cut
from pytest_ragas.files.json_text import Doubled


def found(value: object, limit: int = 60) -> str:
    """A value as an error message names it: "the number 3", "the text 'abc…'", "a list of 2".

    Args:
        value: A JSON value, or something that should have been one.
        limit: Characters of a text to show.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {cut(str(value), limit)}" if _writable(value) else "a number of very many digits"
    if isinstance(value, str):
        return f"the text {cut(value, limit)!r}" if value else "an empty text"
    if isinstance(value, Mapping):
        return "an object" if value else "an empty object"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, (datetime.date, datetime.time)):
        return "a time" if isinstance(value, datetime.time) else "a date"
    return f"a Python {type(value).__name__}"


MAX_DEPTH = 100
"""Lists and objects inside each other; more is an accident, and would exhaust Python's stack somewhere."""


def not_json(value: object, depth: int = 0) -> tuple[str, str]:
    """The first part of a value that JSON cannot hold.

    Args:
        value: Anything.
        depth: How deep in the whole it lies.

    Returns:
        Its path ("[2].x") and what it is; ("", "") if the value is a JSON value through and through.
    """
    if value is None or isinstance(value, (bool, int)):
        return "", "" if value is None or _writable(value) else "a number of very many digits"
    if isinstance(value, str):
        return "", broken_text(value)
    if isinstance(value, float):
        return "", "" if math.isfinite(value) else f"the number {value}, which is not finite"
    if depth > MAX_DEPTH:
        return "", f"more than {MAX_DEPTH} levels of lists and objects"
    if isinstance(value, Doubled):
        return "", f"the key {value.twice!r} twice in one object"
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                return "", f"{found(key)} as a key, and keys must be text"
            path, problem = not_json(inner, depth + 1)
            if broken := broken_text(key) or problem:
                return f".{key}{path}", broken
        return "", ""
    if isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            path, problem = not_json(inner, depth + 1)
            if problem:
                return f"[{position}]{path}", problem
        return "", ""
    return "", f"{found(value)}, which is no JSON value"


def _writable(number: float) -> bool:
    # Python writes integers of up to 4,300 digits
    return not isinstance(number, int) or number.bit_length() < 14_000


def broken_text(text: str) -> str:
    """What makes a text unfit for a file or a request: half of a surrogate pair, as cutting an emoji leaves it."""
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"half of a character (\\u{ord(text[error.start]):04x}) at position {error.start}, which is no text"
    return ""
