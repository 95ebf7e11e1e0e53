"""A little RAG over the handbook: BM25 finds sections, the answer is what they say about the question.

Small enough to read, real enough to break: the answer is taken from the retrieved text and from nowhere else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

COMMON = frozenset(
    "a an and are as at be by can do does for from had has have how in into is it its long many may much must of on "
    "one or such that the their they to up was what when where which who will with within".split()
)


@dataclass(frozen=True)
class Section:
    """One section of the handbook."""

    title: str
    text: str


@dataclass(frozen=True)
class Answer:
    """What the RAG says, and the sections that it took it from."""

    text: str
    sections: tuple[Section, ...]


def terms(text: str) -> list[str]:
    """The words that matter, without plural endings."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [word.removesuffix("s") for word in words if word not in COMMON]


def read_sections(folder: Path) -> list[Section]:
    """Every section of every Markdown file."""
    sections = []
    for path in sorted(folder.glob("*.md")):
        document, *parts = re.split(r"^##? ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for part in parts:
            heading, _, body = part.partition("\n")
            sections.append(Section(f"{document.strip()}: {heading}", body.strip()))
    return sections


class BM25:
    """Okapi BM25 (Robertson and Zaragoza 2009) with k1 = 1.5, b = 0.75."""

    def __init__(self, texts: list[str]) -> None:
        self.bags = [Counter(terms(text)) for text in texts]
        self.lengths = [sum(bag.values()) for bag in self.bags]
        self.mean_length = sum(self.lengths) / len(self.lengths)
        self.found_in = Counter(term for bag in self.bags for term in bag)

    def score(self, query: str, index: int) -> float:
        """How well text number `index` matches the query."""
        bag, total = self.bags[index], 0.0
        norm = 1.5 * (0.25 + 0.75 * self.lengths[index] / self.mean_length)
        for term in terms(query):
            idf = math.log(1 + (len(self.bags) - self.found_in[term] + 0.5) / (self.found_in[term] + 0.5))
            total += idf * bag[term] * 2.5 / (bag[term] + norm)
        return total


class HandbookRag:
    """Answers questions about the handbook.

    With `broken_retriever` it sorts the wrong way round, as one does after a small mistake on a Friday.
    """

    def __init__(self, folder: Path, *, broken_retriever: bool = False, k: int = 2) -> None:
        self.sections = read_sections(folder)
        self.index = BM25([f"{section.title} {section.text}" for section in self.sections])
        self.broken_retriever = broken_retriever
        self.k = k

    def retrieve(self, question: str) -> tuple[Section, ...]:
        """The k best sections, best first."""
        order = sorted(
            range(len(self.sections)),
            key=lambda index: self.index.score(question, index),
            reverse=not self.broken_retriever,
        )
        return tuple(self.sections[index] for index in order[: self.k])

    def ask(self, question: str) -> Answer:
        """The sentence of the retrieved sections that answers best."""
        sections = self.retrieve(question)
        sentences = [
            sentence for section in sections for sentence in re.split(r"(?<=[.!?])\s+", section.text) if sentence
        ]
        ranking = BM25(sentences)
        best = max(range(len(sentences)), key=lambda index: ranking.score(question, index))
        return Answer(sentences[best], sections)
