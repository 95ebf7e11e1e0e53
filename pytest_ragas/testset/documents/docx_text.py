"""A Word file to Markdown text: the one door to python-docx. Headings, lists and tables are kept."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from pytest_ragas.errors import MissingExtraError, cut
from pytest_ragas.files.text import FileProblem
from pytest_ragas.testset.documents.html_text import joined, markdown_table

_HEADING = re.compile(r"(?i)heading (\d)")


def docx_text(data: bytes) -> str:
    """The body of a Word file as Markdown. Headers, footnotes and text boxes are left out.

    Raises:
        FileProblem: No Word file.
        MissingExtraError: python-docx is not installed.
    """
    try:
        import docx
    except ImportError:
        raise MissingExtraError("Reading Word files", "python-docx", "documents") from None
    try:
        pieces = list(_pieces(docx.Document(io.BytesIO(data))))
    except Exception as error:  # whatever a broken file makes of the library
        raise FileProblem(
            f"it is no Word file that can be read ({type(error).__name__}: {cut(str(error), 100)})."
        ) from None
    return joined(pieces)


def _pieces(document: Any) -> Iterator[tuple[str, bool]]:
    """(Markdown, whether it is an item of a list) of each paragraph and table."""
    below = "#" if any(paragraph.style and paragraph.style.name == "Title" for paragraph in document.paragraphs) else ""
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            rows = [_cells(row) for row in block.rows]
            rows = [row for row in rows if any(row)]
            if rows:
                yield markdown_table(rows), False
        elif text := block.text.strip():
            prefix = _prefix(block, below)
            yield prefix + (" ".join(text.split()) if prefix else text), prefix == "- "


def _prefix(paragraph: Any, below: str) -> str:
    """The mark of a heading or an item; headings stand `below` the title of the document, where it has one."""
    style = paragraph.style
    while style is not None:  # a house style is based on a built-in one
        if found := _HEADING.fullmatch(style.name or ""):
            return (below + "#" * int(found[1]))[:6] + " "
        if style.name == "Title":
            return "# "
        if (style.name or "").startswith("List "):
            return "- "
        style = style.base_style
    properties = paragraph._p.pPr
    return "- " if properties is not None and properties.numPr is not None else ""


def _cells(row: Any) -> list[str]:
    """The cells of a row; one that spans several columns comes once."""
    texts, last = [], None
    for cell in row.cells:
        if cell._tc is not last:
            texts.append(" ".join(cell.text.split()))
        last = cell._tc
    return texts
