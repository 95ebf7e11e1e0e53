"""LangSmith: examples of a dataset, as its exports have them: `{"id", "inputs": {…}, "outputs": {…}, "metadata": {…}}`.

Source: docs.langchain.com/langsmith/example-data-format. The keys inside `inputs` and `outputs` are the user's own; the
outputs of an example are the right answer, not that of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ragas.testset.interchange.exchange import (
    KEPT,
    Exchange,
    Row,
    RowProblem,
    first_text,
    given,
    kept_beside,
    texts,
)
from pytest_ragas.values.sample import Sample

_QUESTION = ("question", "user_input", "input", "query", "prompt", "text")
_ANSWER = ("answer", "reference", "ground_truth", "expected_output", "expected", "output", "response")
_RETRIEVED = ("retrieved_contexts", "contexts", "context", "documents")
_RIGHT = ("reference_contexts", "contexts", "context", "documents")

_OF_THE_SERVER = ("created_at", "modified_at", "dataset_id", "source_run_id", "attachments", "split", "name")


def read(row: Row) -> dict[str, Any]:
    """An example in our columns; what its inputs and outputs hold beside them becomes metadata."""
    inputs, outputs, metadata = ({**(row.get(part) or {})} for part in ("inputs", "outputs", "metadata"))
    question = first_text(inputs, _QUESTION)
    if question is None:
        raise RowProblem(f"none of its inputs ({_names(inputs)}) is a question. Name it 'question'.")
    out: dict[str, Any] = {"user_input": inputs.pop(question)}
    for name, found, known in (("retrieved_contexts", inputs, _RETRIEVED), ("reference_contexts", outputs, _RIGHT)):
        there = next((key for key in known if _is_texts(found.get(key))), None)
        if there is not None:
            out[name] = texts(found.pop(there))
    answer = first_text(outputs, _ANSWER)
    if answer is not None:
        out["reference"] = outputs.pop(answer)
    if row.get("id"):
        out["id"] = row["id"]
    out.update({name: metadata.pop(name) for name in KEPT if name in metadata})
    rest = {name: value for name, value in row.items() if name not in ("id", "inputs", "outputs", "metadata")}
    metadata.update(given({name: value for name, value in rest.items() if name not in _OF_THE_SERVER}))
    metadata.update({f"inputs.{name}": value for name, value in inputs.items()})
    metadata.update({f"outputs.{name}": value for name, value in outputs.items()})
    return {**out, "metadata": metadata}


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(text, str) for text in value))


def _names(values: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, values)) or "there are none"


def write(sample: Sample, suffix: str) -> dict[str, Any]:
    """An example. LangSmith gives ids of its own: ours lies in the metadata, with what was answered and retrieved."""
    metadata = kept_beside(sample, KEPT)
    inputs: dict[str, Any] = {"question": sample.user_input}
    outputs: dict[str, Any] = {} if sample.reference is None else {"answer": sample.reference}
    for key in list(metadata):
        part, dot, name = key.partition(".")
        if dot and part in ("inputs", "outputs"):
            (inputs if part == "inputs" else outputs)[name] = metadata.pop(key)
    return {"inputs": inputs, "outputs": outputs, "metadata": metadata}


LANGSMITH = Exchange(
    name="langsmith",
    summary="examples of a LangSmith dataset: .json or .jsonl",
    suffixes=(".jsonl", ".json"),
    read=read,
    write=write,
    fits=lambda row: isinstance(row.get("inputs"), Mapping) and "outputs" in row,
)
