"""The columns of a testset: our names, the older ones that are read too, and what each may hold."""

from __future__ import annotations

from typing import Literal

Kind = Literal["text", "texts", "name", "names", "metadata"]
"""text: one text. texts: several, and one text stands for a list of one. name: a text or whole number.
names: several of those. metadata: an object."""

KINDS: dict[str, Kind] = {
    "id": "name",
    "user_input": "text",
    "response": "text",
    "retrieved_contexts": "texts",
    "reference": "text",
    "reference_contexts": "texts",
    "retrieved_context_ids": "names",
    "reference_context_ids": "names",
    "tags": "names",
    "metadata": "metadata",
}
"""Our names, in the order in which a saved file has them."""

OLD_NAMES = {
    "question": "user_input",
    "answer": "response",
    "contexts": "retrieved_contexts",
    "ground_truth": "reference",
    "ground_truths": "reference",
}
"""Names of ragas before 0.2 and of EvalScope's RAGAS page."""

CANONICAL = {**{name: name for name in KINDS}, **OLD_NAMES}
"""Every name that is read -> our name."""


def kind(column: str) -> Kind:
    """What a column of `CANONICAL` holds in a file: `ground_truths` alone is not of the kind of its new name."""
    return "texts" if column == "ground_truths" else KINDS[CANONICAL[column]]
