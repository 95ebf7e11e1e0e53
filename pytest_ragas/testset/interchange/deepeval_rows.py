"""deepeval: goldens, as `EvaluationDataset.save_as("json" | "jsonl" | "csv")` writes them.

Source: deepeval 4.3.1, `dataset/golden.py` and `dataset/dataset.py`. In its .jsonl and .csv files contexts are one text
with `|` between them; in its .json files they are lists.
"""

from __future__ import annotations

import json
from typing import Any

from pytest_ragas.testset.interchange.exchange import Exchange, Row, RowProblem, given, kept_beside
from pytest_ragas.values.sample import Sample

_DELIMITER = "|"

_FIELDS = {
    "input": "user_input",
    "actual_output": "response",
    "expected_output": "reference",
    "retrieval_context": "retrieved_contexts",
    "context": "reference_contexts",
}
_CAMEL = {
    "actualOutput": "actual_output",
    "expectedOutput": "expected_output",
    "retrievalContext": "retrieval_context",
    "additionalMetadata": "additional_metadata",
    "sourceFile": "source_file",
}
"""Spellings of its API, and of files that its platform exports."""

_BESIDE = ("id", "tags", "retrieved_context_ids", "reference_context_ids")
"""Our columns that a golden has no place for: kept in its metadata."""

_TEXTS = ("name", "comments", "source_file")
"""Texts of a golden that are metadata here."""


def read(row: Row) -> dict[str, Any]:
    """A golden in our columns; what it has beside them becomes metadata."""
    row = given({_CAMEL.get(name, name): value for name, value in row.items()})
    if row.get("scenario"):
        raise RowProblem("it is a conversational golden. Testsets here hold single questions.")
    metadata = row.pop("additional_metadata", None) or {}
    if isinstance(metadata, str):
        metadata = _parsed(metadata)
    metadata = dict(metadata)
    out: dict[str, Any] = {name: metadata.pop(name) for name in _BESIDE if name in metadata}
    for name, value in row.items():
        if name in ("retrieval_context", "context"):
            out[_FIELDS[name]] = _contexts(value)
        elif name in _FIELDS:
            out[_FIELDS[name]] = value
        elif value not in ("", [], {}):
            metadata[name] = value
    return {**out, "metadata": metadata}


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RowProblem("its additional_metadata is no JSON object.")
    return value


def _contexts(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split(_DELIMITER) if value else []
    # a context may say where it was found
    return [entry.get("context", entry) if isinstance(entry, dict) else entry for entry in value]


def write(sample: Sample, suffix: str) -> dict[str, Any]:
    """A golden; id and tags are kept in its metadata."""
    metadata = kept_beside(sample, _BESIDE)
    beside = {name: metadata.pop(name) for name in _TEXTS if isinstance(metadata.get(name), str)}
    data = sample.to_json()
    golden: dict[str, Any] = {name: data.get(ours) for name, ours in _FIELDS.items()}
    if suffix != ".json":
        for name in ("retrieval_context", "context"):
            golden[name] = _joined(golden[name], name)
    golden = {**golden, **beside, "additional_metadata": metadata}
    return given(golden) if suffix == ".csv" else golden


def _joined(contexts: list[str] | None, name: str) -> str | None:
    if contexts is None:
        return None
    if any(_DELIMITER in context for context in contexts):
        raise RowProblem(
            f"a text of its {name} has a '{_DELIMITER}', which separates contexts there. Write a .json file."
        )
    return _DELIMITER.join(contexts)


DEEPEVAL = Exchange(
    name="deepeval",
    summary="goldens of deepeval: .json, .jsonl or .csv",
    suffixes=(".json", ".jsonl", ".csv"),
    read=read,
    write=write,
    fits=lambda row: "input" in row and bool({*_FIELDS, *_CAMEL, "scenario"} & (row.keys() - {"input"})),
)
