"""Sentences of a text: the pieces that the embedded measures judge one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 600
"""Characters; what runs on for longer (tables, code, Thai) is cut at a space, so that a window stays a place."""

# A full stop with its closing quotes; the full stops of East and South Asian scripts; ends of lines.
# No alternative begins with a repeat: on a long run of spaces it would take quadratic time
_BREAK = re.compile(
    r"(?P<full_stop>[.!?…][\"'”’»)\]*_]*[^\S\n]+)"
    r"|[。！？｡][」』”’）]*"
    r"|[।॥؟۔][^\S\n]*"
    r"|(?P<blank_line>\n\s*\n\s*)"
    r"|(?P<line>\n[^\S\n]*)"
)
# "Dr. Who", "J. R. R. Tolkien", "the U.S. Army", "e.g. Berlin", and the number of a list item
_NO_FULL_STOP = re.compile(
    r"(?:\b[A-Z]|\b(?:Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|vs|Fig|e\.g|i\.e|cf)|(?:^|\n)[^\S\n]*\d{1,3})\.\s*$"
)
_LIST_MARKER = re.compile(r"\A(?:[-*•–#>]+|\d{1,3}[.)])\s+")
# "[1]", "[2, 3]", "[^4]", "【5†source】": where a RAG says which context it read; no claim of its own
_CITATION = re.compile(r" ?(?:\[\^?\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]|【[^】]{0,40}】)")


def sentences(text: str) -> list[str]:
    """Sentences of a text in order, without list markers and citation marks; no empty ones.

    A line break ends a sentence unless the next line goes on in lower case (hard-wrapped text).
    """
    plain = _CITATION.sub("", text)
    return [
        piece
        for start, end in _spans(plain)
        if (sentence := _LIST_MARKER.sub("", plain[start:end].strip()))
        for piece in _pieces(sentence)
    ]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _BREAK.finditer(text):
        if _goes_on(text, found):
            continue
        yield start, found.end()
        start = found.end()
    yield start, len(text)


def _goes_on(text: str, found: re.Match[str]) -> bool:
    """Whether what looks like the end of a sentence is none."""
    kind = found.lastgroup
    if kind not in ("full_stop", "line"):
        return False
    if text[found.end() : found.end() + 1].islower():
        return True
    return kind == "full_stop" and bool(_NO_FULL_STOP.search(text, max(0, found.start() - 8), found.end()))


def _pieces(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        at = sentence.rfind(" ", 1, LONGEST)
        at = at if at > 0 else LONGEST
        yield sentence[:at]
        sentence = sentence[at:].lstrip()
    if sentence:
        yield sentence
