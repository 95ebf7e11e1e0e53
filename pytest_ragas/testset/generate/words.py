"""The words of a text, in any script, and its sentences: what is compared and asked about without a model.

Not the words of `metrics/embedded/words.py`, though both read any script. Those are normalised until texts match that
mean the same (no accents, endings, thousands commas, spelled-out numbers), and scores, which carry their version,
depend on each of these rules. Here words tell passages and questions apart, and names must stay names: without endings
and small words, two different questions would be one. Which passage a seed leads to depends on these rules in turn, so
that neither side can take the other's without changing what users have committed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_ragas.errors import cut

# scripts without spaces between words: pairs of characters stand for words
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f"
_WORD = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|[^\W_{_UNSPACED}]+")
_PIECE = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+[.)])\s)|(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_MARK = re.compile(r"^(?:#{1,6}|[-*+]|\d+[.)])\s+")
"""What makes a line a heading or an item."""
_HEADING = re.compile(r"(?m)^#{1,6}\s.*$")
"""A heading of Markdown: it is no sentence, nor a part of the one that follows."""
_SHORT = 4
"""Words below which a sentence is no focus, but a heading or a crumb."""
_FEW = 8
"""Words of a passage below which it is a crumb."""
_LONG = 300
"""Characters of a focus at most: of a table or a listing its beginning."""


def is_crumb(text: str) -> bool:
    """Whether a passage says too little to be asked about, where there are others."""
    return len(words(text)) < _FEW


def words(text: str) -> list[str]:
    """Case-folded words and numbers, in order."""
    return list(_words(text))


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        run = match.group()
        if match.lastgroup:
            yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
        else:
            yield run.casefold()


def entities(text: str) -> set[str]:
    """Case-folded names and numbers: capitalised words that do not begin a sentence, and whatever holds a digit."""
    found: set[str] = set()
    for sentence in _PIECE.split(text):
        for place, match in enumerate(_WORD.finditer(sentence)):
            word = match.group()
            if any(char.isdigit() for char in word) or (place and word[0].isupper()):
                found.add(word.casefold())
    return found


def sentences(text: str) -> list[str]:
    """Its sentences and list items that are long enough to ask about; the whole text where none is."""
    body = _HEADING.sub("\n\n", text)
    pieces = [_MARK.sub("", " ".join(piece.split())) for piece in _PIECE.split(body)]
    long_enough = [piece for piece in pieces if len(words(piece)) >= _SHORT] or [" ".join(text.split())]
    return [cut(piece, _LONG) for piece in long_enough]
