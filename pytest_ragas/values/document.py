"""`Document` and `Chunk`: what a testset is written from, and where in it a passage stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Markup = Literal["markdown", "rst", "plain"]
"""How a text writes its headings, code and tables."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The text of one file."""

    path: str
    """The file, from the root, with forward slashes on every system: "docs/gates.md"."""
    text: str
    """What the file says. Line ends are "\\n". HTML and Word files become Markdown, the pages of a PDF plain text."""
    digest: str = ""
    """SHA-256 of `text` in UTF-8, hex digits: the same for a file that was saved in another encoding or with other
    line ends. Filled in where it is not given."""
    markup: Markup = "markdown"
    """How `text` is read for headings, code and tables."""

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A passage of a document: `document.text[chunk.start:chunk.end] == chunk.text`."""

    path: str
    """That of the document."""
    start: int
    """Offset of its first character in the text of the document, from 0."""
    end: int
    """Offset behind its last character."""
    text: str
    """The passage, word for word."""
    headings: tuple[str, ...] = ()
    """The headings that all of it stands under, outermost first."""
