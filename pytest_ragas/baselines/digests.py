"""Short digests: whether a row was edited, was answered differently, or was judged in another way."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

_DIGITS = 6
"""Of the value of a finding: cosine similarities differ in later digits from machine to machine."""


def content_digest(sample: Sample) -> str:
    """Twelve hex digits of what a row asks and expects."""
    return digest(
        [
            sample.user_input,
            sample.reference,
            _list(sample.reference_contexts),
            _list(sample.reference_context_ids),
        ]
    )


def answer_digest(sample: Sample) -> str:
    """Twelve hex digits of what a RAG answered and retrieved."""
    return digest([sample.response, _list(sample.retrieved_contexts), _list(sample.retrieved_context_ids)])


def evidence_digest(score: Score) -> str:
    """Twelve hex digits of the verdicts behind a score; empty where there are none. Not of the critic's reasons."""
    if not score.evidence:
        return ""
    return digest([[found.kind, found.part, found.text, round(found.value, _DIGITS)] for found in score.evidence])


def digest(value: Any) -> str:
    """Twelve hex digits of a JSON value; the order of keys does not matter."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _list(texts: Any) -> list[str] | None:
    return None if texts is None else list(texts)
