"""A PDF to plain text, page after page: the one door to pypdf."""

from __future__ import annotations

import io
from typing import Any

from pytest_ragas.errors import MissingExtraError, cut
from pytest_ragas.files.text import FileProblem


def pdf_text(data: bytes) -> str:
    """The text of a PDF; blank lines between pages.

    Raises:
        FileProblem: No PDF, one with a password, or one of pictures only.
        MissingExtraError: pypdf is not installed.
    """
    try:
        import pypdf
    except ImportError:
        raise MissingExtraError("Reading PDF files", "pypdf", "documents") from None
    try:
        text = "\n\n".join(filter(None, _pages(pypdf.PdfReader(io.BytesIO(data)))))
    except FileProblem:
        raise
    except Exception as error:  # whatever a broken file makes of the library
        raise FileProblem(f"it is no PDF that can be read ({type(error).__name__}: {cut(str(error), 100)}).") from None
    if not text:
        raise FileProblem("its pages hold no text, only pictures. Run a text recognition (OCR) over it before.")
    return text + "\n"


def _pages(reader: Any) -> list[str]:
    if reader.is_encrypted and not reader.decrypt(""):
        raise FileProblem("it is locked by a password. Save a copy without one.")
    return [_clean(page.extract_text()) for page in reader.pages]


def _clean(text: str) -> str:
    # fonts without a table of characters give zero bytes and halves of pairs
    whole = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return "\n".join(line.rstrip() for line in whole.splitlines()).strip()
