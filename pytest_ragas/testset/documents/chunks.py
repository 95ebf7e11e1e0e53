"""A document to passages that a question can be asked about.

Blocks are packed into a chunk while they fit and stand under one heading, or under small sections side by side.
A heading goes with what follows it. Code and tables stay whole up to twice the size. A paragraph that is too long is
cut at the end of an item or sentence, evenly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_ragas.testset.documents.blocks import Block, blocks
from pytest_ragas.values.document import Chunk, Document

SIZE = 800
"""Characters: about 130 English words. A README of 600 words gives five to eight chunks."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+]|\d+[.)])[ \t])")
_LINE = re.compile(r"\n")
_SPACE = re.compile(r"\s+")
_ENDS = {"text": (_ITEM, _SENTENCE_END, _LINE, _SPACE), "whole": (_LINE, _SPACE)}
"""Where a block that is too long may be cut, best first."""


def split(document: Document, *, size: int = SIZE) -> tuple[Chunk, ...]:
    """Cut a document into chunks.

    Args:
        document: What to cut.
        size: Characters that a chunk holds at most, 100 or more. Code and tables of up to twice as many stay whole,
            and then so does the chunk.

    Returns:
        Chunks in the order of the document, not overlapping, none of them blank or a bare heading. The same for the
        same text and size, always.

    Raises:
        ValueError: `size` is below 100.
    """
    if size < 100:
        raise ValueError(f"size is {size}; chunks of fewer than 100 characters say nothing.")
    return tuple(chunk for group in _groups(document, size) if (chunk := _chunk(document, group)))


def _groups(document: Document, size: int) -> Iterator[list[Block]]:
    """Blocks that make one chunk each; headings go with the block behind them."""
    group: list[Block] = []
    waiting: list[Block] = []
    """Headings that nothing stands under yet."""
    for block in _fitting(document, size):
        if block.kind == "heading":
            if not waiting and _length(group) >= size // 2:
                yield group
                group = []
            above = [heading for heading in waiting if heading.headings == block.headings[:-1][: len(heading.headings)]]
            waiting = [*above, block]
            continue
        if group and block.end - group[0].start > size:
            yield group
            group = []
        group += [*waiting, block]
        waiting = []
    if group:
        yield group


def _fitting(document: Document, size: int) -> Iterator[Block]:
    """Every block, those that are too long in pieces."""
    for block in blocks(document):
        length = block.end - block.start
        if block.kind == "heading" or length <= (2 * size if block.kind == "whole" else size):
            yield block
            continue
        start = block.start
        while start < block.end:
            end = _cut(document.text, start, block.end, size, _ENDS[block.kind])
            yield Block(start, end, block.kind, block.headings)
            start = end


def _cut(text: str, start: int, end: int, size: int, ends: tuple[re.Pattern[str], ...]) -> int:
    """Where the next piece of a long block ends: near to an even share, at the best kind of end there is."""
    rest = end - start
    if rest <= size:
        return end
    share = rest / -(-rest // size)
    low, high = start + int(share / 2), start + min(size, int(share * 1.5))
    for pattern in ends:
        found = [match.end() for match in pattern.finditer(text, low, high) if match.end() < end]
        if found:
            return min(found, key=lambda at: abs(at - start - share))
    return high


def _length(group: list[Block]) -> int:
    return group[-1].end - group[0].start if group else 0


def _chunk(document: Document, group: list[Block]) -> Chunk | None:
    start, end = group[0].start, group[-1].end
    text = document.text[start:end].rstrip()
    if not any(character.isalnum() for character in text):
        return None
    headings = _common([block.headings for block in group if block.kind != "heading"])
    return Chunk(path=document.path, start=start, end=start + len(text), text=text, headings=headings)


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """What all paths begin with."""
    first, last = min(paths), max(paths)
    same = 0
    while same < len(first) and first[same] == last[same]:  # the smallest path is never the longer one of equals
        same += 1
    return first[:same]
