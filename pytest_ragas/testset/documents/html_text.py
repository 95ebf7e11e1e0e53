"""HTML to Markdown text, by the standard library: headings, paragraphs, lists, code and tables of what is read aloud.

Navigation, scripts and forms are left out. A page that marks its content (`<main>`, `<article>`, `role="main"`) is that
content alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from pytest_ragas.testset.documents.encoding import decode_document

_LEFT_OUT = frozenset(
    "script style noscript template svg math head nav footer form button select iframe object video audio canvas "
    "dialog".split()
)
_NOISE = frozenset(("headerlink", "linenos", "toctree-wrapper", "sr-only"))
"""Classes of what is for the eye alone, as Sphinx and MkDocs write them: the sign behind a heading, line numbers."""
_CONTENT = frozenset(("main", "article"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKS = frozenset(
    "p div section article main aside header ul ol dl dt dd blockquote figure figcaption details summary address hr "
    "body hgroup table caption".split()
)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_DECLARED_WITHIN = 2048
"""Bytes at the beginning in which a page may name its encoding; the standard says 1024."""

_BREAK = "\v"
"""A `<br>` while white space is not collapsed yet."""


def html_text(data: bytes) -> str:
    """The text of an HTML file as Markdown.

    Raises:
        FileProblem: Its bytes are no text.
    """
    found = _CHARSET.search(data[:_DECLARED_WITHIN])
    reader = _Reader()
    reader.feed(decode_document(data, declared=found[1].decode("ascii") if found else ""))
    reader.close()
    return reader.markdown()


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    content: bool
    """Whether it stands in what the page marks as its content."""
    item: bool = False
    """Of a list: no blank line between it and another one."""


class _Reader(HTMLParser):
    """Gathers pieces of Markdown while tags come by. Never fails: HTML allows everything."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[_Piece] = []
        self._words: list[str] = []
        self._prefix = ""
        self._title: list[str] | None = None
        self._in_title = False
        self._left_out = ""
        """The tag that is being left out, and how often it is open inside itself."""
        self._left_out_depth = 0
        self._content_depth = 0
        self._main = ""
        """The tag that is the content by its role, and how often it is open inside itself."""
        self._main_depth = 0
        self._pre_depth = 0
        self._lists: list[int] = []
        """For each open list the number of its last item; -1 for bullets."""
        self._tables: list[list[list[str]]] = []
        """Rows of cells of each open table."""

    # ---- what comes by ----

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and self._left_out in ("", "head"):  # an SVG picture has titles too
            self._title, self._in_title = self._title or [], self._title is None
        elif self._left_out:
            if tag == self._left_out:
                self._left_out_depth += 1
            elif tag == "body":  # </head> may be left away
                self._left_out = ""
        elif tag in _LEFT_OUT or _NOISE & set((dict(attrs).get("class") or "").split()):
            self._left_out, self._left_out_depth = tag, 1
        else:
            self._open(tag, is_main=dict(attrs).get("role") == "main")

    def _open(self, tag: str, *, is_main: bool) -> None:
        if is_main and tag not in _CONTENT:
            self._flush()
            self._main, self._main_depth = tag, 0
        if tag == self._main:
            self._main_depth += 1
        if tag == "br":
            self._words.append("\n" if self._pre_depth else _BREAK)
        elif tag == "pre":
            self._end_cell() if self._tables else self._flush()
            self._pre_depth += 1
        elif tag in ("td", "th") and self._tables:
            self._end_cell()
            self._tables[-1] = self._tables[-1] or [[]]
            self._tables[-1][-1].append("")
        elif tag == "tr" and self._tables:
            self._end_cell()
            self._tables[-1].append([])
        elif self._tables and tag != "table":
            self._words.append(" " if tag in _BREAKS or tag == "li" else "")
        elif tag in _HEADINGS:
            self._flush()
            self._prefix = "#" * _HEADINGS[tag] + " "
        elif tag == "li":
            self._begin_item()
        elif tag in _BREAKS:
            self._end_cell() if self._tables else self._flush()
            if tag in ("ul", "ol"):
                self._lists.append(0 if tag == "ol" else -1)
            self._content_depth += tag in _CONTENT
            if tag == "table":
                self._tables.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._left_out:
            if tag == self._left_out:
                self._left_out_depth -= 1
                if not self._left_out_depth:
                    self._left_out = ""
        else:
            self._close(tag)

    def _close(self, tag: str) -> None:
        if tag == "pre" and self._pre_depth:
            self._flush_code()
            self._pre_depth -= 1
        elif tag == "table" and self._tables:
            self._end_cell()
            self._end_table()
        elif self._tables:
            self._words.append(" " if tag in _BREAKS or tag == "li" else "")
        elif tag in _BREAKS or tag in _HEADINGS or tag == "li":
            self._flush()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            if tag in _CONTENT:
                self._content_depth = max(0, self._content_depth - 1)
        if tag == self._main:
            self._main_depth -= 1
            if not self._main_depth:
                self._main = ""

    def handle_data(self, data: str) -> None:
        if self._in_title and self._title is not None:
            self._title.append(data)
        elif not self._left_out:
            self._words.append(data)

    # ---- what becomes of it ----

    def markdown(self) -> str:
        """Everything that was read."""
        self._flush_code() if self._pre_depth else self._flush()
        while self._tables:
            self._end_cell()
            self._end_table()
        pieces = [piece for piece in self._pieces if piece.content] or self._pieces
        title = " ".join("".join(self._title or ()).split())
        if pieces and title and not any(piece.text.startswith("# ") for piece in pieces):
            pieces = [_Piece(f"# {title}", True), *pieces]
        return joined([(piece.text, piece.item) for piece in pieces])

    def _add(self, text: str, *, item: bool = False) -> None:
        self._pieces.append(_Piece(text, self._content_depth > 0 or bool(self._main), item))

    def _flush(self) -> None:
        if self._pre_depth:
            return
        lines = [" ".join(line.split()) for line in "".join(self._words).split(_BREAK)]
        self._words.clear()
        text = "\n".join(line for line in lines if line)
        if not text:
            return  # the prefix waits: <li><p>text
        prefix, self._prefix = self._prefix, ""
        is_item = bool(prefix) and not prefix.startswith("#")
        if not is_item and prefix:
            text = text.replace("\n", " ")
        self._add(prefix + text, item=is_item)

    def _flush_code(self) -> None:
        code = "".join(self._words).strip("\n").rstrip()
        self._words.clear()
        if code.strip():
            longest = max((len(run) for run in re.findall("`+", code)), default=0)
            fence = "`" * max(3, longest + 1)
            self._add(f"{fence}\n{code}\n{fence}")

    def _begin_item(self) -> None:
        self._flush()
        if not self._lists:
            self._lists.append(-1)
        mark = "-"
        if self._lists[-1] >= 0:
            self._lists[-1] += 1
            mark = f"{self._lists[-1]}."
        self._prefix = "  " * (len(self._lists) - 1) + mark + " "

    def _end_cell(self) -> None:
        words = " ".join("".join(self._words).replace(_BREAK, " ").split())
        self._words.clear()
        rows = self._tables[-1]
        if words and rows and rows[-1]:
            rows[-1][-1] = f"{rows[-1][-1]} {words}".strip()
        elif words:  # a caption
            self._add(words)

    def _end_table(self) -> None:
        rows = [row for row in self._tables.pop() if any(row)]
        if self._tables:  # a table in a cell of another
            self._words.append(" ".join(cell for row in rows for cell in row) + " ")
        elif rows:
            self._add(markdown_table(rows))


def joined(pieces: list[tuple[str, bool]]) -> str:
    """One text of (Markdown, whether it is an item of a list): items follow each other without a blank line."""
    lines: list[str] = []
    item_before = False
    for text, item in pieces:
        if lines and not (item and item_before):
            lines.append("")
        lines.append(text)
        item_before = item
    return "".join(f"{line}\n" for line in lines)


def markdown_table(rows: list[list[str]]) -> str:
    """Rows of cells as a table of Markdown, the first row as its head; a table of one column as paragraphs."""
    width = max(map(len, rows))
    if width == 1:
        return "\n\n".join(row[0] for row in rows)
    lines = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row + [''] * (width - len(row)))} |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
