"""What is known of the native metrics: names, needs, models, prompts, versions, options. Imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from pytest_ragas.metrics.later import later
from pytest_ragas.metrics.native.prompt import version_of
from pytest_ragas.protocols import Metric, MetricContext, MetricSpec

_LLM: frozenset[Literal["llm", "embeddings"]] = frozenset({"llm"})
_EMBEDDINGS: frozenset[Literal["llm", "embeddings"]] = frozenset({"embeddings"})


def _spec(
    name: str,
    summary: str,
    factory: Callable[[MetricContext], Metric],
    *,
    needs: str,
    prompts: Iterable[str],
    uses: frozenset[Literal["llm", "embeddings"]] = _LLM,
    formula: str = "1",
    options: str = "",
    higher_is_better: bool = True,
    uses_with: Callable[[Mapping[str, Any]], frozenset[Literal["llm", "embeddings"]]] | None = None,
) -> MetricSpec:
    return MetricSpec(
        name=name,
        backend="native",
        needs=frozenset(needs.split()),
        uses=uses,
        factory=factory,
        version=version_of(formula, *prompts),
        summary=summary,
        higher_is_better=higher_is_better,
        options=frozenset(options.split()),
        depends_on=frozenset(needs.split()),
        uses_with=uses_with,
    )


SPECS: tuple[MetricSpec, ...] = (
    _spec(
        "faithfulness",
        "Share of the response's statements that the retrieved contexts support",
        later("native.faithfulness", "Faithfulness.build"),
        needs="user_input response retrieved_contexts",
        prompts=("statements", "verdicts"),
    ),
    _spec(
        "answer_relevancy",
        "How close the questions that the response answers are to the one asked",
        later("native.answer_relevancy", "AnswerRelevancy.build"),
        needs="user_input response",
        uses=_LLM | _EMBEDDINGS,
        prompts=("questions",),
        options="strictness",
    ),
    _spec(
        "context_precision",
        "Whether the contexts that are useful for the reference come first",
        later("native.context_precision", "ContextPrecision.with_reference"),
        needs="user_input reference retrieved_contexts",
        prompts=("usefulness",),
    ),
    _spec(
        "context_precision_without_reference",
        "Whether the contexts that were useful for the response come first",
        later("native.context_precision", "ContextPrecision.without_reference"),
        needs="user_input response retrieved_contexts",
        prompts=("usefulness",),
    ),
    _spec(
        "context_recall",
        "Share of the reference's sentences that the retrieved contexts support",
        later("native.context_recall", "ContextRecall.build"),
        needs="user_input reference retrieved_contexts",
        prompts=("verdicts",),
    ),
    _spec(
        "context_relevancy",
        "How well the retrieved contexts can answer the question",
        later("native.context_relevancy", "build"),
        needs="user_input retrieved_contexts",
        prompts=("relevance_1", "relevance_2", "relevant_sentences"),
        options="method",
    ),
    _spec(
        "answer_correctness",
        "Whether the response states what the reference states, and means the same",
        later("native.answer_correctness", "AnswerCorrectness.build"),
        needs="user_input response reference",
        uses=_LLM | _EMBEDDINGS,
        prompts=("statements", "correctness"),
        options="weights beta",
        uses_with=later("native.answer_correctness", "models_used"),
    ),
    _spec(
        "factual_correctness",
        "How far the claims of response and reference support each other",
        later("native.factual_correctness", "FactualCorrectness.build"),
        needs="response reference",
        prompts=("claims", "verdicts"),
        options="mode beta atomicity coverage",
    ),
    _spec(
        "answer_similarity",
        "Cosine of the embeddings of response and reference",
        later("native.similarity", "AnswerSimilarity.build"),
        needs="response reference",
        uses=_EMBEDDINGS,
        prompts=(),
    ),
    _spec(
        "noise_sensitivity",
        "Share of the response's statements that are wrong because a context misled it; lower is better",
        later("native.noise_sensitivity", "NoiseSensitivity.build"),
        needs="user_input response reference retrieved_contexts",
        prompts=("statements", "verdicts"),
        options="mode",
        higher_is_better=False,
    ),
    _spec(
        "context_entity_recall",
        "Share of the reference's entities that the retrieved contexts name",
        later("native.context_entity_recall", "ContextEntityRecall.build"),
        needs="reference retrieved_contexts",
        prompts=("entities",),
    ),
    _spec(
        "response_groundedness",
        "How far the retrieved contexts support the response as a whole",
        later("native.response_groundedness", "ResponseGroundedness.build"),
        needs="response retrieved_contexts",
        prompts=("groundedness_1", "groundedness_2"),
    ),
)
