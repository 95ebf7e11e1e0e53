"""The marks of a test, its class and its module: asked for a dozen times in every test, and walked over once."""

from __future__ import annotations

import pytest

_KEPT = pytest.StashKey[tuple[list[list[pytest.Mark]], int, tuple[pytest.Mark, ...]]]()
"""Of an item: the lists of marks that it has from its nodes, how many were in them, and the marks."""


def marks_of(item: pytest.Item) -> tuple[pytest.Mark, ...]:
    """All marks of a test, those closest to it first; those that were added meanwhile too."""
    kept = item.stash.get(_KEPT, None)
    if kept is not None and kept[0][-1] is item.own_markers and kept[1] == sum(map(len, kept[0])):
        return kept[2]
    lists = [node.own_markers for node in item.listchain()]
    marks = tuple(item.iter_markers())
    item.stash[_KEPT] = lists, len(marks), marks
    return marks


def marks_named(item: pytest.Item, name: str) -> tuple[pytest.Mark, ...]:
    """The marks of a test of this name, those closest to it first."""
    return tuple(mark for mark in marks_of(item) if mark.name == name)
