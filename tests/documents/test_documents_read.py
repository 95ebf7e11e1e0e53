"""Files, folders and globs to documents: what is read, in which order, and what is said of bad ones."""

from __future__ import annotations

import codecs
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents_texts import HANDBOOK_HTML, HANDBOOK_MD

from pytest_ragas.errors import DocumentsError
from pytest_ragas.testset.documents.read import read_documents

FILES = Path(__file__).with_name("files")
SAID = "Café bills – up to 25 €, naïvely."


def text_of(tmp_path: Path, name: str, data: bytes) -> str:
    (tmp_path / name).write_bytes(data)
    (document,) = read_documents([name], root=tmp_path)
    return document.text


def problem_of(tmp_path: Path, name: str, data: bytes) -> str:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DocumentsError) as caught:
        read_documents([name], root=tmp_path)
    message = str(caught.value)
    assert message.startswith(f"Cannot read 1 document:\n  {name}: ")
    return message.split(f"{name}: ", 1)[1]


# ---- which files --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("docs/b.md", "docs/a.txt", "docs/deep/c.rst", "docs/.hidden/d.md", "docs/.e.md", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"This is {name}.\n", encoding="utf-8")
    (tmp_path / "docs/logo.png").write_bytes(b"\x89PNG\x00")
    return tmp_path


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        (["docs"], ["docs/a.txt", "docs/b.md", "docs/deep/c.rst"]),
        (["docs/*"], ["docs/a.txt", "docs/b.md"]),
        (["docs/**/*"], ["docs/a.txt", "docs/b.md", "docs/deep/c.rst"]),
        (["docs/[bc].md"], ["docs/b.md"]),
        (["docs/b.md", "README.md", "docs", "docs/*.md"], ["README.md", "docs/a.txt", "docs/b.md", "docs/deep/c.rst"]),
        (["docs/.e.md"], ["docs/.e.md"]),
    ],
)
def test_files_folders_and_globs(folder: Path, named: list[str], shown: list[str]) -> None:
    documents = read_documents(named, root=folder)
    assert [document.path for document in documents] == shown
    assert read_documents(list(reversed(named)), root=folder) == documents
    assert documents[0].text == f"This is {shown[0]}.\n"
    assert documents[0].digest == hashlib.sha256(documents[0].text.encode()).hexdigest()


def test_paths_are_shown_from_the_root_wherever_the_file_lies(folder: Path) -> None:
    (inside, outside) = read_documents([folder / "docs" / "b.md", "../README.md"], root=folder / "docs")
    assert (inside.path, outside.path) == ("../README.md", "b.md")


def test_a_file_whose_name_has_brackets_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "notes [1].md").write_text("Note one.", encoding="utf-8")
    assert read_documents(["notes [1].md"], root=tmp_path)[0].path == "notes [1].md"


def test_every_bad_one_is_named_in_one_error(folder: Path) -> None:
    (folder / "empty.md").write_bytes(b"")
    (folder / "blank.txt").write_text(" \n\n", encoding="utf-8")
    (folder / "broken.docx").write_bytes(b"not a zip")
    (folder / "pictures").mkdir()
    named = ["docs", "empty.md", "blank.txt", "REDME.md", "docs/logo.png", "pictures", "*.pdf", "docs/*.png"]
    with pytest.raises(DocumentsError) as caught:
        read_documents(named, root=folder)
    known = "Known suffixes: .docx, .htm, .html, .markdown, .md, .pdf, .rst, .txt."
    lines = str(caught.value).splitlines()
    assert lines[0] == "Cannot read 7 documents:"
    assert lines[1].startswith("  REDME.md: there is no such file")
    assert "'README.md'" in lines[1]
    assert lines[2:6] == [
        f"  docs/logo.png: the suffix '.png' is not known. {known}",
        f"  pictures: no file in this folder can be read as a document. {known}",
        f"  *.pdf: nothing matches. {known}",
        f"  docs/*.png: only logo.png matches. {known}",
    ]
    assert set(lines[6:]) == {"  empty.md: the file is empty.", "  blank.txt: it holds no text."}


def test_no_names_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match="No documents are named"):
        read_documents([], root=tmp_path)


# ---- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        SAID.encode(),
        codecs.BOM_UTF8 + SAID.encode(),
        codecs.BOM_UTF16_LE + SAID.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + SAID.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + SAID.encode("utf-32-le"),
        SAID.encode("cp1252"),
    ],
    ids=["utf-8", "utf-8-mark", "utf-16-le", "utf-16-be", "utf-32", "windows-1252"],
)
def test_an_encoding_is_recognised(tmp_path: Path, data: bytes) -> None:
    assert text_of(tmp_path, "a.txt", data) == SAID


def test_latin_1_is_read(tmp_path: Path) -> None:
    assert (
        text_of(tmp_path, "a.md", "Ein schöner Café-Gruß, für Zoë.".encode("latin-1"))
        == "Ein schöner Café-Gruß, für Zoë."
    )


def test_line_ends_are_one_kind_and_no_part_of_the_digest(tmp_path: Path) -> None:
    assert text_of(tmp_path, "a.md", b"one\r\ntwo\rthree\n") == "one\ntwo\nthree\n"
    (tmp_path / "b.md").write_bytes(b"one\ntwo\nthree\n")
    first, second = read_documents(["a.md", "b.md"], root=tmp_path)
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            "Привет, это по-русски написано.".encode("cp1251"),
            "byte 0xcf at offset 0 is not UTF-8, and the whole is neither",
        ),
        (SAID.encode("utf-16-le"), "is not UTF-8, and the whole is neither"),
        ("plain".encode("utf-16-le"), "the zero byte at offset 1 says that it is no text"),
        (codecs.BOM_UTF8 + b"caf\xe9", "byte 0xe9 at offset 6 is not UTF-8, which the file says it is"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "is not UTF-16-LE, which the file says it is"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "the zero byte at offset 7 says that it is no text"),
    ],
)
def test_what_is_no_text_is_said(tmp_path: Path, data: bytes, problem: str) -> None:
    said = problem_of(tmp_path, "a.txt", data)
    assert problem in said
    assert said.endswith("Save it as UTF-8.")


# ---- HTML ---------------------------------------------------------------------------------------


def test_html_becomes_markdown(tmp_path: Path) -> None:
    assert (
        text_of(tmp_path, "a.html", HANDBOOK_HTML.encode())
        == """\
# Handbook

Welcome & hello.
This handbook says how we work.

## Leave

- 28 days a year
- 5 days carried over
  1. until March

```
days = 28

print(days)
```

Offices

| city | opens |
| --- | --- |
| Berlin | 08:30 daily |
"""
    )


def test_html_without_marked_content_is_its_body_under_its_title(tmp_path: Path) -> None:
    page = "<title>A &lt;page&gt;</title><body><div>One</div><div>Two<div>Three</body>"
    assert text_of(tmp_path, "a.htm", page.encode()) == "# A <page>\n\nOne\n\nTwo\n\nThree\n"


def test_a_page_of_sphinx_is_what_it_says(tmp_path: Path) -> None:
    page = """<body><div class="sidebar"><ul><li>Contents</li></ul></div>
    <div class="document" role="main"><div class="body"><h1>Install<a class="headerlink" href="#x">\u00b6</a></h1>
    <p>Run this:</p><table class="highlighttable"><tr><td class="linenos"><pre>1
2</pre></td><td class="code"><div class="highlight"><pre><span>pip</span> install x
x run</pre></div></td></tr></table></div><p>Then go.</p></div><div>Built with Sphinx</div></body>"""
    assert text_of(tmp_path, "a.html", page.encode()) == (
        "# Install\n\nRun this:\n\n```\npip install x\nx run\n```\n\nThen go.\n"
    )


def test_a_table_inside_a_table_is_words_of_its_cell(tmp_path: Path) -> None:
    page = "<table><tr><td>a</td><td>b<table><tr><td>c</td><td>d</td></tr></table>e</td></tr><tr><td>f<td>g</table>"
    assert text_of(tmp_path, "a.html", page.encode()) == "| a | b c d e |\n| --- | --- |\n| f | g |\n"


def test_html_names_its_encoding(tmp_path: Path) -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>Привет, это страница.</p>'
    assert text_of(tmp_path, "a.html", page.encode("cp1251")) == "Привет, это страница.\n"
    assert text_of(tmp_path, "b.html", page.encode()) == "Привет, это страница.\n"  # and may be wrong about it


@pytest.mark.parametrize(
    "page",
    ["<p", "<table><tr><td>a", "</ul></main></table></pre>x", "<pre>a<pre>b", "<li>x</li>" * 50, "<nav><nav>x</nav>y"],
)
def test_broken_html_never_fails(tmp_path: Path, page: str) -> None:
    # what stands before belongs to the page in any case
    text_of(tmp_path, "a.html", b"<p>The begin of it.</p>" + page.encode())


# ---- PDF and Word -------------------------------------------------------------------------------


def test_a_pdf_is_read_page_after_page() -> None:
    pytest.importorskip("pypdf", reason="the extra [documents] is not installed")
    (document,) = read_documents(["travel.pdf"], root=FILES)
    words = " ".join(document.text.split())
    assert words.startswith("Travel policy Trips are booked by the travel desk.")
    assert words.endswith("Café bills are paid up to 25 euros a day.")
    assert "600 kilometres.\n\nHotels may cost" in document.text


def test_pdfs_that_cannot_be_read(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="the extra [documents] is not installed")
    writer = pypdf.PdfWriter(clone_from=FILES / "travel.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    with (tmp_path / "locked.pdf").open("wb") as stream:
        writer.write(stream)
    shutil.copy(FILES / "picture.pdf", tmp_path)
    (tmp_path / "cut.pdf").write_bytes((FILES / "travel.pdf").read_bytes()[:300])
    with pytest.raises(DocumentsError) as caught:
        read_documents(["*.pdf"], root=tmp_path)
    cut, locked, picture = str(caught.value).splitlines()[1:]
    assert "cut.pdf: it is no PDF that can be read" in cut
    assert "locked.pdf: it is locked by a password" in locked
    assert "picture.pdf: its pages hold no text, only pictures" in picture


def test_a_word_file_becomes_markdown(tmp_path: Path) -> None:
    pytest.importorskip("docx", reason="the extra [documents] is not installed")
    (document,) = read_documents(["leave.docx"], root=FILES)
    assert (
        document.text
        == """\
# Leave policy

## Parental leave

Parents take up to 24 months of leave for each child. Salary is paid for the first 12 weeks.

- Ask your manager three months ahead.
- Send the form to HR.

## Sick leave

| Days | Certificate | Paid |
| --- | --- | --- |
| 1-3 | no | yes |
| 4 and more | yes yes |  |

### How to report

Call before 9:00.
"""
    )
    assert "it is no Word file that can be read" in problem_of(tmp_path, "a.docx", b"PK\x03\x04 and no more")


def test_without_the_extra_the_command_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pypdf'] = sys.modules['docx'] = None\n"
        "from pathlib import Path\n"
        "from pytest_ragas.testset.documents.read import read_documents\n"
        "read_documents(['.'], root=Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, FILES], capture_output=True, text=True, timeout=60)
    assert "Cannot read 3 documents:" in done.stderr
    assert done.stderr.count("pip install 'pytest-ragas[documents]'") == 3
    assert "leave.docx: Reading Word files needs python-docx" in done.stderr


def test_markdown_and_html_import_no_library(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HANDBOOK_MD, encoding="utf-8")
    (tmp_path / "b.html").write_text(HANDBOOK_HTML, encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from pytest_ragas.testset.documents.read import read_documents\n"
        "from pytest_ragas.testset.documents.chunks import split\n"
        "print(sum(len(split(document)) for document in read_documents(['.'], root=Path(sys.argv[1]))))\n"
        "print({'pypdf', 'docx', 'lxml', 'yaml', 'aiohttp', 'jsonschema'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n")[1] == "set()"
