"""promptfoo: test cases, as its configuration and the files that it names hold them.

Source: promptfoo.dev/docs/configuration/test-cases and /reference: `{"description", "vars": {…}, "assert": […],
"metadata": {…}}`; in a CSV file each column is a variable, but for those that begin with two underscores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_ragas.testset.interchange.exchange import KEPT, Exchange, Row, RowProblem, first_text, kept_beside, texts
from pytest_ragas.values.sample import Sample

_QUESTION = ("query", "question", "user_input", "input", "prompt", "text")
_ANSWER = ("reference", "ground_truth", "expected_answer", "expected", "answer")
_CONTEXT = ("context", "contexts", "retrieved_contexts")

_RIGHT_ANSWERS = ("context-recall", "factuality", "model-graded-factuality", "similar", "equals")
"""Assertions whose value is the whole right answer."""

_EXPECTED = re.compile(r"__expected\d*")
_TYPED = re.compile(r"(?P<type>[a-z][a-z-]*)(?:\([\d.]+\))?:\s*(?P<value>.*)", re.DOTALL)


def read(row: Row) -> dict[str, Any]:
    """A test case in our columns; its other variables become metadata."""
    row = _of_csv(row) if "vars" not in row else row
    variables = row["vars"]
    if not isinstance(variables, Mapping):
        raise RowProblem("its vars are no object of names and values.")
    variables, metadata = dict(variables), dict(row.get("metadata") or {})
    context = next((name for name in _CONTEXT if name in variables), None)
    out: dict[str, Any] = {}
    if context is not None:
        out["retrieved_contexts"] = texts(variables.pop(context))
    answer = next((name for name in _ANSWER if isinstance(variables.get(name), str)), None)
    right = variables.pop(answer) if answer is not None else _right_answer(row.get("assert"))
    if right is not None:
        out["reference"] = right
    question = first_text(variables, _QUESTION)
    if question is None:
        raise RowProblem(f"none of its vars ({', '.join(map(repr, variables))}) is a question. Name it 'query'.")
    out["user_input"] = variables.pop(question)
    if row.get("description"):
        metadata["description"] = row["description"]
    out.update({name: metadata.pop(name) for name in KEPT if name in metadata})
    metadata.update(variables)
    return {**out, "metadata": metadata}


def _right_answer(assertions: Any) -> str | None:
    found = {
        entry.get("type"): entry.get("value")
        for entry in reversed(assertions if isinstance(assertions, list) else [])
        if isinstance(entry, Mapping) and isinstance(entry.get("value"), str)
    }
    return next((found[kind] for kind in _RIGHT_ANSWERS if kind in found), None)


def _of_csv(row: Row) -> dict[str, Any]:
    """A line of a CSV file as the test case that it stands for."""
    variables = {name: value for name, value in row.items() if not name.startswith("__")}
    assertions = []
    for name, value in row.items():
        if _EXPECTED.fullmatch(name) and isinstance(value, str) and value:
            typed = _TYPED.fullmatch(value)
            assertions.append(
                {"type": typed["type"], "value": typed["value"]} if typed else {"type": "equals", "value": value}
            )
    metadata = {
        name.partition(":")[2]: value for name, value in row.items() if name.startswith("__metadata:") and value
    }
    metadata = {name.removesuffix("[]"): value for name, value in metadata.items()}
    return {"vars": variables, "assert": assertions, "metadata": metadata, "description": row.get("__description")}


def write(sample: Sample, suffix: str) -> dict[str, Any]:
    """A test case that asks promptfoo for the same right answer.

    promptfoo runs a case once for each entry of a variable that is a list; so contexts are one text there, and the list
    lies in the metadata.
    """
    metadata = kept_beside(sample, KEPT)
    case: dict[str, Any] = {}
    if isinstance(metadata.get("description"), str):
        case["description"] = metadata.pop("description")
    case["vars"] = {"query": sample.user_input}
    contexts = sample.retrieved_contexts
    if contexts is not None:
        case["vars"]["context"] = "\n\n".join(contexts)
    if sample.reference is not None:
        kinds = ["factuality", *(["context-recall"] if contexts else [])]
        case["assert"] = [{"type": kind, "value": sample.reference} for kind in kinds]
    return {**case, "metadata": metadata} if metadata else case


PROMPTFOO = Exchange(
    name="promptfoo",
    summary="test cases of promptfoo: .yaml or .json; .csv is read too",
    suffixes=(".yaml", ".yml", ".json"),
    read=read,
    write=write,
    fits=lambda row: isinstance(row.get("vars"), Mapping) or any(name.startswith("__expected") for name in row),
)
