"""A candidate that passed to a row of a testset: spans checked, sources noted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas.errors import GenerationError
from pytest_ragas.protocols import QuestionDraft, QuestionType
from pytest_ragas.values.document import Chunk, Document
from pytest_ragas.values.sample import Sample


def asked(draft: QuestionDraft) -> str:
    """The user's input: the question; of a conversation, all of its turns, so that one text says it all."""
    if not draft.history:
        return draft.question
    turns = [f"User: {question}\nAssistant: {answer}" for question, answer in draft.history]
    return "\n".join([*turns, f"User: {draft.question}"])


def row_of(
    draft: QuestionDraft,
    kind: QuestionType,
    chunks: Sequence[Chunk],
    documents: Mapping[str, Document],
    *,
    generator: str,
) -> Sample:
    """The row.

    Args:
        draft: A candidate that passed.
        kind: Its type, which becomes a tag too.
        chunks: What it was written from.
        documents: By path.
        generator: Name of the generator LLM.

    Raises:
        GenerationError: A chunk is not what its document says at its place: the splitting is broken.
    """
    for chunk in chunks:
        if documents[chunk.path].text[chunk.start : chunk.end] != chunk.text:
            raise GenerationError(
                f"The passage {chunk.start}-{chunk.end} of {chunk.path} is not what the document says there. "
                "Please report it with the document."
            )
    metadata: dict[str, Any] = {
        "question_type": kind.name,
        "sources": [source_of(chunk) for chunk in chunks],
        "generator": generator,
    }
    if draft.history:
        metadata["history"] = [
            {"role": role, "content": text}
            for turn in draft.history
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        metadata["follow_up"] = draft.question
    row = Sample(
        user_input=asked(draft),
        reference=draft.answer,
        reference_contexts=tuple(chunk.text for chunk in chunks) if kind.answerable else (),
        tags=(kind.name,),
    )
    metadata["generated"] = content_digest(row)
    return Sample(
        id=row.id,
        user_input=row.user_input,
        reference=row.reference,
        reference_contexts=row.reference_contexts,
        tags=row.tags,
        metadata=metadata,
    )


def source_of(chunk: Chunk) -> dict[str, Any]:
    """Where a passage stands, as JSON."""
    return {
        "path": chunk.path,
        "start": chunk.start,
        "end": chunk.end,
        "headings": list(chunk.headings),
        "digest": digest_of(chunk.text),
    }


def digest_of(text: str) -> str:
    """Sixteen hex digits of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def content_digest(row: Sample) -> str:
    """Sixteen hex digits of what a row asks and expects: another one after an edit by hand."""
    content = [row.user_input, row.reference, list(row.reference_contexts or ())]
    return digest_of(json.dumps(content, ensure_ascii=False))
