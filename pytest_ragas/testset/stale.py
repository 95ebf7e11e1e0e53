"""Which rows of a generated testset still stand in their documents, and which were edited by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pytest_ragas.testset.generate.row import content_digest, digest_of
from pytest_ragas.values.document import Chunk, Document
from pytest_ragas.values.sample import Sample

State = Literal["fresh", "stale", "edited", "by hand"]
"""fresh: as generated, and its passages are in the documents. stale: a passage has changed or is gone. edited: somebody
has changed question, reference or contexts since. by hand: it was not generated at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowState:
    """One row against the documents of today."""

    row: Sample
    """The row, its sources where they are today; an edited one is marked so in its metadata."""
    state: State
    why: str = ""
    """What has become of its passages; empty if they are all there."""

    @property
    def question_type(self) -> str:
        """Its question type; empty for a row that was written by hand."""
        kind = self.row.metadata.get("question_type", "")
        return kind if isinstance(kind, str) and self.state != "by hand" else ""


def row_state(row: Sample, documents: Mapping[str, Document], chunks: Sequence[Chunk]) -> RowState:
    """What has become of a row.

    A passage that has moved inside its document is still there.

    Args:
        row: As the testset file has it.
        documents: Those of today, by path.
        chunks: All of theirs.
    """
    generated, sources = row.metadata.get("generated"), row.metadata.get("sources")
    if not isinstance(generated, str) or not isinstance(sources, Sequence):
        return RowState(row=row, state="by hand")
    found = [_found(source, row, documents, chunks) for source in sources]
    why = "; ".join(dict.fromkeys(place for place in found if isinstance(place, str)))
    today = [place if isinstance(place, Mapping) else source for place, source in zip(found, sources, strict=True)]
    metadata = {**row.metadata, "sources": today}
    if generated != content_digest(row) or row.metadata.get("edited") is True:
        return RowState(row=replace(row, metadata={**metadata, "edited": True}), state="edited", why=why)
    return RowState(row=replace(row, metadata=metadata), state="stale" if why else "fresh", why=why)


def _found(
    source: Any, row: Sample, documents: Mapping[str, Document], chunks: Sequence[Chunk]
) -> Mapping[str, Any] | str:
    """The source where it is today, or what has become of it."""
    if not isinstance(source, Mapping) or not {"path", "start", "end", "digest"} <= source.keys():
        return "its sources cannot be read"
    document = documents.get(source["path"])
    if document is None:
        return f"{source['path']} is not there any more"
    if digest_of(document.text[source["start"] : source["end"]]) == source["digest"]:
        return source
    for text in row.reference_contexts or ():
        if digest_of(text) == source["digest"] and (start := document.text.find(text)) >= 0:
            return {**source, "start": start, "end": start + len(text)}
    for chunk in chunks:
        if chunk.path == document.path and digest_of(chunk.text) == source["digest"]:
            return {**source, "start": chunk.start, "end": chunk.end}
    headings = source.get("headings") or ()
    return f"{document.path} has changed" + (f" under {headings[-1]!r}" if headings else "")
