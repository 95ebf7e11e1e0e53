"""How a metric is spelled: `answer_relevancy`, `AnswerRelevancy`, `ragas:ResponseRelevancy` become one name."""

from __future__ import annotations

import re
from typing import Final, get_args

from pytest_ragas.errors import UnknownNameError
from pytest_ragas.protocols import Backend

BACKENDS: Final[tuple[Backend, ...]] = get_args(Backend)

ALIASES: Final = {
    # names that ragas gives, or gave, to the same metric
    "answer_relevance": "answer_relevancy",
    "response_relevancy": "answer_relevancy",
    "response_relevance": "answer_relevancy",
    "context_precision_with_reference": "context_precision",
    "llm_context_precision_with_reference": "context_precision",
    "llm_context_precision_without_reference": "context_precision_without_reference",
    "context_utilization": "context_precision_without_reference",
    "llm_context_recall": "context_recall",
    "context_relevance": "context_relevancy",
    "nv_context_relevance": "context_relevancy",
    "semantic_similarity": "answer_similarity",
    "nv_response_groundedness": "response_groundedness",
    "context_entities_recall": "context_entity_recall",
    "id_based_context_precision": "id_context_precision",
    "id_based_context_recall": "id_context_recall",
}
"""snake_case spelling -> the metric's standard name."""


def snake(name: str) -> str:
    """A class name, or any spelling, in snake_case: "LLMContextRecall" -> "llm_context_recall"."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name.strip())
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced)
    return re.sub(r"[\s_-]+", "_", spaced).strip("_").lower()


def standard_name(name: str) -> str:
    """The standard name of a metric without a backend prefix; unknown names come back in snake_case."""
    plain = snake(name)
    return ALIASES.get(plain, plain)


def split_backend(name: str, *, where: str = "") -> tuple[Backend | None, str]:
    """The backend that a name asks for, if any, and the metric's standard name.

    Args:
        name: As users write it: "faithfulness", "Faithfulness", "ragas:Faithfulness".
        where: Where it was written, for the message.

    Raises:
        UnknownNameError: The prefix is no backend.
    """
    prefix, colon, rest = name.partition(":")
    if not colon:
        return None, standard_name(name)
    backend = prefix.strip().lower()
    if backend not in BACKENDS:
        raise UnknownNameError("metric backend", prefix.strip(), BACKENDS, where=where)
    return backend, standard_name(rest)
