"""ragas: `EvaluationDataset` and `Testset`, as `to_jsonl`, `to_csv` and `to_hf_dataset().save_to_disk()` write them.

ragas' columns are ours, and its readers pass over those that they do not know. So nothing gets lost on the way.
"""

from __future__ import annotations

from typing import Any

from pytest_ragas.testset.interchange.exchange import Exchange, Row, RowProblem, given
from pytest_ragas.values.sample import Sample

OF_RAGAS = ("rubrics", "persona_name", "query_style", "query_length", "multi_responses", "synthesizer_name")
"""Columns of ragas that are metadata here."""

_UNKNOWN = "unknown"
"""The synthesizer of rows that none has written."""


def read(row: Row) -> dict[str, Any]:
    """A row in our columns: the same, without what is null, which a HF dataset has in every row."""
    if isinstance(row.get("user_input"), list):
        raise RowProblem("it is a conversation of several turns. Testsets here hold single questions.")
    row = given(row)
    metadata = row.get("metadata")
    kind = metadata.get("question_type") if isinstance(metadata, dict) else None
    if row.get("synthesizer_name") in (_UNKNOWN, kind):  # that which `write` puts there
        row.pop("synthesizer_name", None)
    return row


def write(sample: Sample, suffix: str) -> dict[str, Any]:
    """A row of ragas; `Testset.from_jsonl` wants the name of a synthesizer in each."""
    data = sample.to_json()
    metadata = dict(data.pop("metadata", {}))
    data.pop("source", None)
    name = metadata.pop("synthesizer_name", None) or metadata.get("question_type") or _UNKNOWN
    beside = {key: metadata.pop(key) for key in OF_RAGAS if key in metadata}
    row = {**data, **beside, "synthesizer_name": str(name)}
    return {**row, "metadata": metadata} if metadata else row


RAGAS = Exchange(
    name="ragas",
    summary="EvaluationDataset or Testset of ragas: .jsonl, or the folder of a HF dataset",
    suffixes=(".jsonl", ""),
    read=read,
    write=write,
    fits=lambda row: "user_input" in row and any(name in row for name in OF_RAGAS),
)
