"""Chunks: verbatim spans, headings, and what is not torn."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from documents_texts import HANDBOOK_MD, HANDBOOK_RST, README_600

from pytest_ragas.testset.documents.chunks import SIZE, split
from pytest_ragas.testset.documents.read import read_documents
from pytest_ragas.values.document import Chunk, Document, Markup

DOCS = Path(__file__).parents[2] / "docs"


def chunks_of(text: str, *, size: int = SIZE, markup: Markup = "markdown") -> tuple[Chunk, ...]:
    document = Document(path="a.md", text=text, markup=markup)
    chunks = split(document, size=size)
    assert chunks == split(document, size=size)
    assert all(chunk.text and document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(before.end <= after.start for before, after in itertools.pairwise(chunks))
    return chunks


def test_markdown_chunks_remember_their_headings() -> None:
    chunks = chunks_of(HANDBOOK_MD, size=150)
    assert [(chunk.headings, chunk.text.splitlines()[0]) for chunk in chunks] == [
        (("Handbook",), "# Handbook"),
        (("Handbook", "Leave"), "## Leave"),
        (("Handbook", "Leave", "Parental leave"), "### Parental leave"),
        (("Handbook", "Leave", "Parental leave"), "```python"),
        (("Handbook", "Offices"), "Offices"),
    ]
    assert "title: Handbook" not in chunks[0].text  # front matter is no text
    assert chunks[3].text.endswith("    return months * 30\n```")
    assert "| Lyon | 09:00 | 40 |\n\nBring your badge." in chunks[4].text


def test_rst_chunks_remember_their_headings() -> None:
    chunks = chunks_of(HANDBOOK_RST, size=150, markup="rst")
    assert [chunk.headings for chunk in chunks] == [
        ("Handbook",),
        ("Handbook", "Leave"),
        ("Handbook", "Leave", "Parental leave"),
        ("Handbook", "Offices"),
    ]
    assert chunks[1].text.endswith("    days = 28\n\n    carried_over = 5")
    assert "       return months * 30" in chunks[2].text
    assert chunks[3].text.count("+--------+-------+") == 2


def test_small_sections_share_a_chunk_under_what_they_have_in_common() -> None:
    text = "# FAQ\n\n" + "".join(f"## Question {number}\n\nAnswer {number} is short.\n\n" for number in range(12))
    chunks = chunks_of(text, size=300)
    assert 2 <= len(chunks) <= 4
    assert {chunk.headings for chunk in chunks} <= {("FAQ",), ("FAQ", "Question 11")}


def test_plain_text_has_no_headings() -> None:
    chunks = chunks_of("# a comment\n\nText.\n\n```\nstays\n", markup="plain")
    assert [chunk.headings for chunk in chunks] == [()]


def test_code_and_tables_stay_whole_up_to_twice_the_size() -> None:
    code = "```\n" + "".join(f"line {number}\n\n" for number in range(14)) + "```"
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| {number} | {number} |" for number in range(15))
    assert 100 < len(code) < 200
    assert 100 < len(table) < 200
    chunks = chunks_of(f"Before it.\n\n{code}\n\nBetween.\n\n{table}\n\nAfter.", size=100)
    assert sum(code in chunk.text for chunk in chunks) == 1
    assert sum(table in chunk.text for chunk in chunks) == 1


def test_longer_ones_are_cut_between_lines() -> None:
    code = "```\n" + "".join(f"line number {number} of the code\n" for number in range(40)) + "```"
    for chunk in chunks_of(code, size=200):
        assert len(chunk.text) <= 200
        assert all(line.startswith(("line number", "```")) for line in chunk.text.splitlines())


def test_a_long_paragraph_is_cut_behind_sentences_evenly() -> None:
    sentences = " ".join(f"Sentence {number} of the paragraph says something." for number in range(24))
    chunks = chunks_of(sentences, size=300)
    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith("something.") for chunk in chunks)
    assert min(len(chunk.text) for chunk in chunks) > 150


def test_a_long_list_is_cut_between_items() -> None:
    text = "\n".join(f"- Item {number}. It has two sentences." for number in range(30))
    assert all(chunk.text.startswith("- Item") for chunk in chunks_of(text, size=200))


def test_text_without_spaces_is_cut_too() -> None:
    chinese = "这是一个关于假期的句子。" * 60
    assert all(chunk.text.endswith("。") for chunk in chunks_of(chinese, size=200))
    assert [len(chunk.text) for chunk in chunks_of("x" * 1000, size=200)] == [200] * 5


def test_rules_and_bare_headings_are_no_chunks() -> None:
    assert chunks_of("---\n\n***\n\n# Only a heading\n\n## And another\n") == ()


def test_a_readme_of_600_words_gives_chunks_for_five_questions() -> None:
    assert 550 < len(README_600.split()) < 750
    chunks = chunks_of(README_600)
    assert len(chunks) >= 5
    assert len({chunk.headings for chunk in chunks}) >= 5


def test_chunks_too_small_to_say_anything_are_refused() -> None:
    with pytest.raises(ValueError, match="size is 99"):
        split(Document(path="a.md", text="x"), size=99)


@pytest.mark.parametrize("size", [100, 400, 800, 5000])
def test_this_project_s_own_docs_are_covered(size: int) -> None:
    for document in read_documents([DOCS], root=DOCS.parent):
        chunks = chunks_of(document.text, size=size)
        assert sum(len(chunk.text) for chunk in chunks) > 0.95 * len(document.text.strip())
        assert max(len(chunk.text) for chunk in chunks) <= 2.5 * size


def test_any_text_gives_verbatim_spans() -> None:
    rng = random.Random(7)
    parts = [
        "# A",
        "## B",
        "text. more",
        "```",
        "~~~",
        "| a |",
        "|---|",
        "---",
        "===",
        "- x",
        "",
        "",
        "    code",
        "é 日本",
    ]
    parts += [".. note::", "::", "+--+", "x" * 130, "\f", "\u2028", "1. one", "\\"]
    for _ in range(400):
        text = "\n".join(rng.choice(parts) for _ in range(rng.randrange(40)))
        for markup in ("markdown", "rst", "plain"):
            chunks_of(text, size=100, markup=markup)
