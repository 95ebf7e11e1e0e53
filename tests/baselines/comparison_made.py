"""Recorded runs made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.model import ModelIdentity
from pytest_ragas.values.recorded import Commit, MetricIdentity, RecordedRow, RecordedRun, RecordedScore, RowKey
from pytest_ragas.values.run import ModelUse

TEST = "tests/test_rag.py::test_rag"

Scores = Mapping[str, "float | RecordedScore"]


def row(
    id: str,
    scores: Scores,
    *,
    test: str = TEST,
    number: int = 1,
    content: str = "",
    answer: str = "",
    thresholds: Mapping[str, float] | None = None,
    failures: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    question_type: str = "",
    sources: Sequence[str] = (),
) -> RecordedRow:
    """A row; its content is its id unless another one is given."""
    return RecordedRow(
        key=RowKey(test=test, sample_id=id, number=number),
        content=content or f"content of {id}",
        answer=answer,
        outcome="passed",
        scores=tuple(
            RecordedScore(metric=metric, value=value) if isinstance(value, (int, float)) else value
            for metric, value in scores.items()
        ),
        failures=dict(failures or {}),
        thresholds=tuple(Threshold(metric=metric, bound=bound) for metric, bound in (thresholds or {}).items()),
        tags=tuple(tags),
        question_type=question_type,
        sources=tuple(sources),
    )


def model(name: str, *, provider: str = "openai", endpoint: str = "https://api/v1", **parameters: str) -> ModelIdentity:
    return ModelIdentity(provider=provider, name=name, endpoint=endpoint, parameters=tuple(sorted(parameters.items())))


def metric(name: str, *, backend: str = "native", version: str = "1", options: str = "") -> MetricIdentity:
    return MetricIdentity(metric=name, backend=backend, version=version, options=options)


def recorded(
    *rows: RecordedRow,
    name: str = "main",
    critics: Sequence[ModelIdentity] = (),
    embeddings: Sequence[ModelIdentity] = (),
    metrics: Sequence[MetricIdentity] = (),
    complete: bool = True,
) -> RecordedRun:
    """A run of some rows."""
    return RecordedRun(
        name=name,
        created="2026-03-01T12:00:00Z",
        rows=tuple(sorted(rows, key=lambda row: (row.key.test, row.key.sample_id, row.key.number))),
        models=(
            *(ModelUse(role="critic LLM", identity=identity) for identity in critics),
            *(ModelUse(role="embeddings", identity=identity) for identity in embeddings),
        ),
        metrics=tuple(metrics),
        commit=Commit(id="3f2a91c04b7e5d6a8f9b0c1d2e3f405162738495", branch="main"),
        complete=complete,
    )
