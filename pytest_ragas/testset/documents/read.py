"""Files, folders and globs to `Document`s: every one read, every bad one named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ragas.errors import DocumentsError, MissingExtraError
from pytest_ragas.files.text import FileProblem
from pytest_ragas.testset.documents.encoding import decode_document
from pytest_ragas.testset.documents.find import find_files
from pytest_ragas.values.document import Document, Markup


def _plain(data: bytes) -> str:
    return decode_document(data)


def _html(data: bytes) -> str:
    from pytest_ragas.testset.documents.html_text import html_text

    return html_text(data)


def _pdf(data: bytes) -> str:
    from pytest_ragas.testset.documents.pdf_text import pdf_text

    return pdf_text(data)


def _docx(data: bytes) -> str:
    from pytest_ragas.testset.documents.docx_text import docx_text

    return docx_text(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    text: Callable[[bytes], str]
    """Raises FileProblem for bytes that are no such file, and MissingExtraError."""
    markup: Markup


_READERS = {
    ".md": _Reader(_plain, "markdown"),
    ".markdown": _Reader(_plain, "markdown"),
    ".txt": _Reader(_plain, "plain"),
    ".rst": _Reader(_plain, "rst"),
    ".html": _Reader(_html, "markdown"),
    ".htm": _Reader(_html, "markdown"),
    ".pdf": _Reader(_pdf, "plain"),
    ".docx": _Reader(_docx, "markdown"),
}
"""By suffix, in lower case."""

SUFFIXES = tuple(_READERS)
"""Those that can be read."""


def read_documents(paths: Sequence[str | Path], *, root: Path) -> tuple[Document, ...]:
    """Read documents that a testset is to be written from.

    Args:
        paths: Files, folders (all readable files below) and globs; relative ones begin at `root`. A file that several
            of them mean is read once.
        root: The folder that paths are shown from.

    Returns:
        At least one document, sorted by path.

    Raises:
        DocumentsError: Some cannot be found or read, or hold no text; the message names all of them.
    """
    root = root.absolute()
    files, problems = find_files([paths] if isinstance(paths, (str, Path)) else paths, root=root, suffixes=SUFFIXES)
    documents = []
    for shown, file in files:
        try:
            documents.append(_document(shown, file))
        except (FileProblem, MissingExtraError) as error:
            problems.append((shown, str(error)))
    if problems:
        count = "1 document" if len(problems) == 1 else f"{len(problems)} documents"
        lines = "\n".join(f"  {name}: {problem}" for name, problem in problems)
        raise DocumentsError(f"Cannot read {count}:\n{lines}")
    if not documents:
        raise DocumentsError("No documents are named. Name files, folders or globs, for example docs/*.md.")
    return tuple(documents)


def _document(shown: str, file: Path) -> Document:
    reader = _READERS[file.suffix.lower()]
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileProblem(f"it cannot be read ({error.strerror or error}).") from None
    if not data:
        raise FileProblem("the file is empty.")
    text = reader.text(data)
    if not text.strip():
        raise FileProblem("it holds no text.")
    return Document(path=shown, text=text, markup=reader.markup)
