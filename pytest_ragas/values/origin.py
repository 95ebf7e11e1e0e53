"""Where a row comes from: the type of its question and its documents; with its tags, the slices that it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ragas.values.sample import Sample

_TYPES = ("question_type", "evolution_type", "synthesizer_name")
"""Ours, that of ragas before 0.2, and that of ragas since."""

_SOURCES = ("sources", "source", "source_documents", "source_document", "documents", "document", "file")
"""Ours first; the others are what people call the column of a spreadsheet."""

_PATHS = ("path", "source", "file", "url", "name", "id")
"""Of a source that is an object: what names its document."""


def question_type(metadata: Mapping[str, Any]) -> str:
    """The type of the question; empty where the row does not say."""
    said = (metadata.get(name) for name in _TYPES)
    return next((text.strip() for text in said if isinstance(text, str) and text.strip()), "")


def sources(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The documents that a row was written from, each once, in the order of the row; empty where it does not say."""
    for name in _SOURCES:
        found = dict.fromkeys(_names(metadata.get(name)))
        if found:
            return tuple(found)
    return ()


def slices_of(sample: Sample) -> tuple[str, ...]:
    """The slices that a row lies in: "tag=billing", "question_type=simple", "source=docs/a.md"."""
    return slices(sample.tags, question_type(sample.metadata), sources(sample.metadata))


def slices(tags: Sequence[str], question_type: str, sources: Sequence[str]) -> tuple[str, ...]:
    """The slices of a row by what is known of it; a tag that repeats the type of the question is none of its own."""
    named = [f"tag={tag}" for tag in tags if tag != question_type]
    named += [f"question_type={question_type}"] if question_type else []
    return tuple(dict.fromkeys([*named, *(f"source={source}" for source in sources)]))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, Mapping):
        named = (value.get(name) for name in _PATHS)
        yield from (name.strip() for name in [next(filter(_is_name, named), "")] if name)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _names(one)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
