"""The text of a document to blocks: headings, paragraphs, and what is torn unwillingly (code, tables)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_ragas.values.document import Document

_FENCE = re.compile(r"\s*(?P<fence>`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(?P<marks>#{1,6})[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*$")
_SETEXT = re.compile(r" {0,3}(?P<mark>=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])([ \t]*\1){2,}[ \t]*$")
_TABLE_RULE = re.compile(r"(?=.*\|)[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")

_RST_RULE = re.compile(r"(?P<mark>[!-/:-@\[-`{-~])(?P=mark){2,}[ \t]*$")
_RST_DIRECTIVE = re.compile(r"\.\. [^ ].*")
_RST_TABLE = re.compile(r"\+[-=+]+\+[ \t]*$|=+( +=+)+[ \t]*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole lines of a document."""

    start: int
    """Offset of its first character."""
    end: int
    """Offset behind its last character; a line end is not part of it."""
    kind: Literal["heading", "text", "whole"]
    """whole: code or a table, whose parts say little."""
    headings: tuple[str, ...]
    """Where it stands; a heading is part of its own path."""


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str
    """Without its line end."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    @property
    def indented(self) -> bool:
        return self.text[:1] in (" ", "\t")


def blocks(document: Document) -> Iterator[Block]:
    """The blocks of a document, in order. Blank lines, rules and front matter are in none."""
    if document.markup == "markdown":
        return _markdown(document.text)
    return _rst(document.text) if document.markup == "rst" else _plain(document.text)


def _lines(text: str, start: int = 0) -> list[_Line]:
    lines = []
    for line in text[start:].split("\n"):
        lines.append(_Line(start, line))
        start += len(line) + 1
    return lines


def _run(lines: list[_Line], first: int) -> int:
    """The number of the line behind a run of lines that are not blank."""
    last = first
    while last < len(lines) and not lines[last].blank:
        last += 1
    return last


def _plain(text: str) -> Iterator[Block]:
    lines = _lines(text)
    at = 0
    while at < len(lines):
        behind = _run(lines, at)
        if behind > at:
            yield Block(lines[at].start, lines[behind - 1].end, "text", ())
        at = behind + 1


class _Path:
    """The headings that a reader of the document stands under."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        self._open = [(above, name) for above, name in self._open if above < level]
        self._open.append((level, title))

    def __call__(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._open)


# ---- Markdown -----------------------------------------------------------------------------------


def _markdown(text: str) -> Iterator[Block]:
    front = _FRONT_MATTER.match(text)
    lines = _lines(text, front.end() if front else 0)
    path = _Path()
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.blank:
            at += 1
            continue
        if heading := _ATX.match(line.text):
            path.enter(len(heading["marks"]), _title(heading["title"]))
            yield Block(line.start, line.end, "heading", path())
            at += 1
            continue
        if fence := _FENCE.match(line.text):
            behind = _behind_fence(lines, at, fence["fence"])
            yield Block(line.start, lines[behind - 1].end, "whole", path())
            at = behind
            continue
        if _RULE.match(line.text):
            at += 1
            continue
        under = _SETEXT.match(lines[at + 1].text) if at + 1 < len(lines) else None
        if under and not _is_item(line.text):
            path.enter(1 if under["mark"][0] == "=" else 2, _title(line.text))
            yield Block(line.start, lines[at + 1].end, "heading", path())
            at += 2
            continue
        behind = _behind_paragraph(lines, at)
        is_table = behind - at > 1 and _TABLE_RULE.match(lines[at + 1].text)
        yield Block(line.start, lines[behind - 1].end, "whole" if is_table else "text", path())
        at = behind


def _behind_paragraph(lines: list[_Line], first: int) -> int:
    """A paragraph ends at a blank line, a heading or a fence."""
    last = first + 1
    while last < len(lines) and not (
        lines[last].blank or _ATX.match(lines[last].text) or _FENCE.match(lines[last].text)
    ):
        last += 1
    return last


def _behind_fence(lines: list[_Line], first: int, fence: str) -> int:
    for number in range(first + 1, len(lines)):
        text = lines[number].text.strip()
        if text.startswith(fence) and not text.strip(fence[0]):
            return number + 1
    return _last_written(lines) + 1  # never closed: to the end, as Markdown has it


def _last_written(lines: list[_Line]) -> int:
    return max(number for number, line in enumerate(lines) if not line.blank)


def _is_item(text: str) -> bool:
    return re.match(r"\s*(?:[-*+]|\d+[.)])\s", text) is not None


def _title(text: str) -> str:
    """A heading as words: without the marks of links, code and emphasis."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", text).strip()


# ---- reStructuredText ---------------------------------------------------------------------------


def _rst(text: str) -> Iterator[Block]:
    lines = _lines(text)
    path = _Path()
    styles: list[tuple[str, bool]] = []
    """(mark, with a line above) in order of appearance: the position is the level."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.blank:
            at += 1
        elif found := _rst_heading(lines, at):
            title, style, behind = found
            if style not in styles:
                styles.append(style)
            path.enter(styles.index(style), title)
            yield Block(line.start, lines[behind - 1].end, "heading", path())
            at = behind
        elif _RST_TABLE.match(line.text):
            behind = _run(lines, at)
            yield Block(line.start, lines[behind - 1].end, "whole", path())
            at = behind
        elif _RST_DIRECTIVE.match(line.text):
            behind = _behind_indented(lines, at + 1)
            yield Block(line.start, lines[behind - 1].end, "whole", path())
            at = behind
        elif _RST_RULE.match(line.text):
            at += 1
        else:
            behind = _behind_rst_paragraph(lines, at)
            literal = lines[behind - 1].text.rstrip().endswith("::")
            if literal:
                behind = _behind_indented(lines, behind)
            yield Block(line.start, lines[behind - 1].end, "whole" if literal else "text", path())
            at = behind


def _rst_heading(lines: list[_Line], at: int) -> tuple[str, tuple[str, bool], int] | None:
    """Title, style and the number of the line behind, if a heading begins here."""
    texts = [line.text for line in lines[at : at + 3]] + ["", ""]
    above = _RST_RULE.match(texts[0])
    if above and texts[1].strip() and texts[2].rstrip() == texts[0].rstrip():
        return texts[1].strip(), (above["mark"], True), at + 3
    under = _RST_RULE.match(texts[1])
    if under and not above and len(texts[1].rstrip()) >= len(texts[0].rstrip()) and not lines[at].indented:
        return texts[0].strip(), (under["mark"], False), at + 2
    return None


def _behind_rst_paragraph(lines: list[_Line], first: int) -> int:
    last = first + 1
    while last < len(lines) and not (lines[last].blank or _RST_DIRECTIVE.match(lines[last].text)):
        last += 1
    return last


def _behind_indented(lines: list[_Line], first: int) -> int:
    """The number of the line behind those that are indented; blank ones between them belong to them."""
    last = behind = first
    while last < len(lines) and (lines[last].blank or lines[last].indented):
        last += 1
        if not lines[last - 1].blank:
            behind = last
    return behind
