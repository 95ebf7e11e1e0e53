"""Every metric class of ragas 0.4.3, known without importing it; classes of later versions are looked up."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping
from typing import Any, Literal

from pytest_ragas.metrics.names import standard_name
from pytest_ragas.protocols import Metric, MetricContext, MetricSpec

__all__ = ["SPECS", "TABLE", "TABLE_VERSION", "resolve", "uses_embeddings"]

TABLE_VERSION = "0.4.3"
"""The ragas that the table was read from; a test compares it with the installed one's signatures."""

_DOOR_VERSION = "1"
"""Changes whenever the same answers may get another score through our side of the door."""

_LLM: frozenset[Literal["llm", "embeddings"]] = frozenset({"llm"})
_EMBEDDINGS: frozenset[Literal["llm", "embeddings"]] = frozenset({"embeddings"})

_UI, _RE, _RC, _REF, _RFC = "user_input", "response", "retrieved_contexts", "reference", "reference_contexts"

# class -> (needs, models, options, summary). A need that is no field of Sample is read from its metadata.
TABLE: Mapping[str, tuple[tuple[str, ...], frozenset[Literal["llm", "embeddings"]], tuple[str, ...], str]] = {
    # RAG
    "AnswerAccuracy": ((_UI, _RE, _REF), _LLM, ("max_retries",), "two ratings of the response against the reference"),
    "AnswerCorrectness": (
        (_UI, _RE, _REF),
        _LLM | _EMBEDDINGS,
        ("beta", "weights"),
        "F1 of the statements of response and reference, and their similarity",
    ),
    "AnswerRelevancy": (
        (_UI, _RE),
        _LLM | _EMBEDDINGS,
        ("strictness",),
        "likeness of the user_input to questions that the response answers",
    ),
    "ContextEntityRecall": ((_REF, _RC), _LLM, (), "share of the reference's entities that the contexts name"),
    "ContextPrecision": ((_UI, _REF, _RC), _LLM, (), "average precision of the contexts, judged by the reference"),
    "ContextPrecisionWithoutReference": (
        (_UI, _RE, _RC),
        _LLM,
        (),
        "average precision of the contexts, judged by the response",
    ),
    "ContextRecall": ((_UI, _RC, _REF), _LLM, (), "share of the reference's statements that the contexts carry"),
    "ContextRelevance": ((_UI, _RC), _LLM, ("max_retries",), "two ratings of the contexts for the user_input"),
    "FactualCorrectness": (
        (_RE, _REF),
        _LLM,
        ("atomicity", "beta", "coverage", "mode"),
        "F1 of the claims of response and reference",
    ),
    "Faithfulness": ((_UI, _RE, _RC), _LLM, (), "share of the response's statements that the contexts support"),
    "MultiModalFaithfulness": ((_RE, _RC), _LLM, (), "1 if the contexts support the response; texts only here"),
    "MultiModalRelevance": (
        (_UI, _RE, _RC),
        _LLM,
        (),
        "1 if the response fits user_input and contexts; texts only here",
    ),
    "NoiseSensitivity": ((_UI, _RE, _REF, _RC), _LLM, ("mode",), "share of wrong statements that contexts led to"),
    "QuotedSpansAlignment": (
        (_RE, _RC),
        frozenset(),
        ("casefold", "min_span_words"),
        "share of the response's quotations that stand in the contexts",
    ),
    "ResponseGroundedness": ((_RE, _RC), _LLM, ("max_retries",), "two ratings of the response against the contexts"),
    "SemanticSimilarity": ((_REF, _RE), _EMBEDDINGS, ("threshold",), "cosine of response and reference"),
    "SummaryScore": (
        (_RFC, _RE),
        _LLM,
        ("coeff", "length_penalty"),
        "questions on the reference_contexts that the response answers, and its brevity",
    ),
    # texts, without a model
    "BleuScore": ((_REF, _RE), frozenset(), ("kwargs",), "BLEU of response and reference; needs sacrebleu"),
    "CHRFScore": ((_REF, _RE), frozenset(), ("kwargs",), "chrF of response and reference; needs sacrebleu"),
    "ExactMatch": ((_REF, _RE), frozenset(), (), "1 if the response equals the reference"),
    "NonLLMStringSimilarity": (
        (_REF, _RE),
        frozenset(),
        ("distance_measure",),
        "1 - edit distance of response and reference",
    ),
    "RougeScore": ((_REF, _RE), frozenset(), ("mode", "rouge_type"), "ROUGE with a stemmer; needs rouge_score"),
    "StringPresence": ((_REF, _RE), frozenset(), (), "1 if the reference stands in the response"),
    # rubrics: 1 to 5, mapped to 0 to 1
    "DomainSpecificRubrics": ((_RE,), _LLM, ("rubrics", "with_reference"), "the response's mark by rubrics of yours"),
    "InstanceSpecificRubrics": (("rubrics", _RE), _LLM, (), "the response's mark by rubrics of the row"),
    "RubricsScoreWithReference": (
        (_RE, _REF),
        _LLM,
        ("rubrics",),
        "the response's mark by rubrics, with the reference",
    ),
    "RubricsScoreWithoutReference": ((_RE,), _LLM, ("rubrics",), "the response's mark by rubrics"),
    # agents
    "AgentGoalAccuracy": (("messages", _REF), _LLM, (), "1 if the conversation reached the reference"),
    "AgentGoalAccuracyWithReference": (("messages", _REF), _LLM, (), "1 if the conversation reached the reference"),
    "AgentGoalAccuracyWithoutReference": (("messages",), _LLM, (), "1 if the conversation reached the user's goal"),
    "ToolCallAccuracy": (
        ("messages", "reference_tool_calls"),
        frozenset(),
        ("strict_order",),
        "share of the reference_tool_calls that were made, in order",
    ),
    "ToolCallF1": (("messages", "reference_tool_calls"), frozenset(), (), "F1 of the tool calls"),
    "TopicAdherence": (("messages", "reference_topics"), _LLM, ("mode",), "F1 of the topics that were answered"),
    # SQL and tables
    "DataCompyScore": (
        (_REF, _RE),
        frozenset(),
        ("metric", "mode"),
        "F1 of the rows of two CSV texts; needs datacompy",
    ),
    "SQLSemanticEquivalence": ((_RE, _REF), _LLM, (), "1 if two SQL queries ask the same"),
}

_RUBRICS = (_UI, _RE, _RC, _RFC, _REF)

_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "DomainSpecificRubrics": _RUBRICS,
    "InstanceSpecificRubrics": _RUBRICS,
    "RubricsScoreWithReference": _RUBRICS,
    "RubricsScoreWithoutReference": _RUBRICS,
    "SQLSemanticEquivalence": (_RFC,),
}
"""What a class reads where the row has it, beside what it needs."""

_LOWER_IS_BETTER = frozenset({"NoiseSensitivity"})

_TWINS = {
    "ContextPrecisionWithReference": "ContextPrecision",
    "ContextUtilization": "ContextPrecisionWithoutReference",
}
"""Classes that are another name of one in the table; `metrics.names` reads both."""


def uses_embeddings(options: Mapping[str, Any]) -> bool:
    """Whether a class that takes embeddings will use them: AnswerCorrectness may give similarity no weight."""
    weights = options.get("weights")
    return not (isinstance(weights, (list, tuple)) and len(weights) == 2 and weights[1] == 0)


def resolve(name: str) -> MetricSpec | None:
    """The spec of a class that the table does not know, for a ragas newer than the table. Imports ragas.

    Args:
        name: The metric's standard name.

    Returns:
        None where there is no such class, or no ragas.
    """
    if _installed_version() in ("", TABLE_VERSION):
        return None  # the table is complete: a typo must not cost an import of 3 seconds
    from pytest_ragas.metrics.ragas.door import parameters_of, public_classes

    for class_name, metric in public_classes().items():
        if standard_name(class_name) == name and class_name not in _TWINS:
            takes = parameters_of(metric)
            needs = tuple(key for key, required in takes.arguments.items() if required)
            optional = tuple(key for key, required in takes.arguments.items() if not required)
            models = frozenset(model for model in ("llm", "embeddings") if model in takes.models)
            text = (metric.__doc__ or class_name).strip().splitlines()[0]
            return _spec(class_name, needs, models, tuple(takes.options), text, optional=optional)
    return None


@functools.cache
def _installed_version() -> str:
    try:
        return importlib.metadata.version("ragas")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _build(context: MetricContext, *, class_name: str, needs: frozenset[str], higher_is_better: bool) -> Metric:
    from pytest_ragas.metrics.ragas.metric import RagasMetric

    return RagasMetric(context, class_name, needs=needs, higher_is_better=higher_is_better)


def _spec(
    class_name: str,
    needs: tuple[str, ...],
    uses: frozenset[Literal["llm", "embeddings"]],
    options: tuple[str, ...],
    summary: str,
    *,
    optional: tuple[str, ...] = (),
) -> MetricSpec:
    better = class_name not in _LOWER_IS_BETTER
    fields = frozenset(needs)
    return MetricSpec(
        name=standard_name(class_name),
        backend="ragas",
        needs=fields,
        uses=uses,
        factory=functools.partial(_build, class_name=class_name, needs=fields, higher_is_better=better),
        version=f"ragas {_installed_version() or TABLE_VERSION}, door {_DOOR_VERSION}",
        summary=f"ragas' {class_name}: {summary}",
        higher_is_better=better,
        options=frozenset(options),
        depends_on=fields | {*optional, *_OPTIONAL.get(class_name, ())},
        uses_with=_uses_with if class_name == "AnswerCorrectness" else None,
    )


def _uses_with(options: Mapping[str, Any]) -> frozenset[Literal["llm", "embeddings"]]:
    return _LLM | _EMBEDDINGS if uses_embeddings(options) else _LLM


SPECS: tuple[MetricSpec, ...] = tuple(_spec(class_name, *row) for class_name, row in TABLE.items())
