"""`RecordedRun`: a run as it is kept, to compare later runs with it. Travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_ragas.values.gate import Outcome, Threshold
from pytest_ragas.values.run import ModelUse
from pytest_ragas.values.sample import Sample

RUN_FORMAT = 1
"""Version of the run file's format. A file with a higher one is refused, not guessed at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedScore:
    """One score as a run file keeps it: enough to compare, without its evidence."""

    metric: str
    value: float
    """In [0, 1]."""
    higher_is_better: bool = True
    repeats: tuple[float, ...] = ()
    """What each repeat gave, where the answer was judged several times."""
    evidence: str = ""
    """Twelve hex digits of the verdicts behind it: whether two runs judged the same pieces in the same way."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        data: dict[str, Any] = {"value": self.value}
        if not self.higher_is_better:
            data["higher_is_better"] = False
        if self.repeats:
            data["repeats"] = list(self.repeats)
        if self.evidence:
            data["evidence"] = self.evidence
        return data

    @classmethod
    def from_json(cls, metric: str, data: Mapping[str, Any]) -> RecordedScore:
        """The score that `to_json` wrote under the name of its metric."""
        return cls(metric=metric, **{**data, "repeats": tuple(data.get("repeats", ()))})


@dataclass(frozen=True, kw_only=True, slots=True)
class RowKey:
    """What pairs the rows of two runs: the test, without the row's id in brackets, and the row's id."""

    test: str
    """"tests/test_rag.py::test_rag", with whatever else parametrizes it: "…::test_rag[small]"."""
    sample_id: str
    number: int = 1
    """Which of the results that this test gave for this row, from 1: a test may score a row several times."""

    def __str__(self) -> str:
        counted = f" (result {self.number})" if self.number > 1 else ""
        return f"{self.test}[{self.sample_id}]{counted}" if self.test else f"{self.sample_id}{counted}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRow:
    """One scored row of a run."""

    key: RowKey
    content: str
    """Twelve hex digits of the question, the right answer and its passages: whether the row was edited."""
    answer: str
    """Twelve hex digits of the response and the retrieved contexts: whether the RAG answered differently."""
    outcome: Outcome
    scores: tuple[RecordedScore, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    """Metric -> why it has no score."""
    thresholds: tuple[Threshold, ...] = ()
    """What the test held it to."""
    tags: tuple[str, ...] = ()
    question_type: str = ""
    sources: tuple[str, ...] = ()
    """The documents that the row was written from; rows that share one are not independent."""
    sample: Sample | None = None
    """The row with its answer, to judge it again; None where the file holds scores alone (a baseline to commit)."""

    def score(self, metric: str) -> RecordedScore | None:
        """Its score of one metric, if it has one."""
        return next((score for score in self.scores if score.metric == metric), None)

    def to_json(self) -> dict[str, Any]:
        """A JSON object without empty entries; `from_json` reads it back."""
        data: dict[str, Any] = {
            "test": self.key.test,
            "id": self.key.sample_id,
            "number": self.key.number,
            "content": self.content,
            "answer": self.answer,
            "outcome": self.outcome,
            "scores": {score.metric: score.to_json() for score in self.scores},
            "failures": dict(self.failures),
            "thresholds": {threshold.metric: threshold.bound for threshold in self.thresholds},
            "tags": list(self.tags),
            "question_type": self.question_type,
            "sources": list(self.sources),
            "sample": self.sample.to_json() if self.sample is not None else None,
        }
        always = ("test", "id", "content", "answer", "outcome", "scores")
        return {
            name: value for name, value in data.items() if name in always or (value and (name, value) != ("number", 1))
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RecordedRow:
        """The row that `to_json` wrote."""
        sample = data.get("sample")
        return cls(
            key=RowKey(test=data["test"], sample_id=data["id"], number=data.get("number", 1)),
            content=data["content"],
            answer=data["answer"],
            outcome=data["outcome"],
            scores=tuple(RecordedScore.from_json(metric, score) for metric, score in data["scores"].items()),
            failures=dict(data.get("failures", {})),
            thresholds=tuple(
                Threshold(metric=metric, bound=bound) for metric, bound in data.get("thresholds", {}).items()
            ),
            tags=tuple(data.get("tags", ())),
            question_type=data.get("question_type", ""),
            sources=tuple(data.get("sources", ())),
            sample=Sample.from_json(sample) if sample is not None else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricIdentity:
    """How a metric was computed: scores of two runs compare only where it is the same."""

    metric: str
    backend: str
    """"native", "embedded", "likelihood", "ragas" or "free"."""
    version: str
    """Of the metric with its prompts."""
    options: str = ""
    """Its configured options and overridden prompts as twelve hex digits; empty for none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """Where the code of a run stood."""

    id: str = ""
    """Full hash; empty outside of a git checkout."""
    branch: str = ""
    dirty: bool = False
    """Whether tracked files differed from it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRun:
    """A run as a run file or a baseline keeps it."""

    name: str
    """What `--ragas-save NAME` said, or the commit where nobody named it."""
    created: str
    """UTC, ISO 8601 with seconds: "2026-03-01T12:00:00Z"."""
    rows: tuple[RecordedRow, ...]
    """Sorted by key."""
    models: tuple[ModelUse, ...] = ()
    metrics: tuple[MetricIdentity, ...] = ()
    testsets: Mapping[str, str] = field(default_factory=dict)
    """Testset file, as the marker names it -> fingerprint."""
    commit: Commit = Commit()
    environment: Mapping[str, str] = field(default_factory=dict)
    """"python", "platform", "pytest", "pytest-ragas", "ragas" … -> version. Nothing that names a person or machine."""
    seconds: float = 0.0
    complete: bool = True
    """False for a run that was stopped before its end (-x, Ctrl-C, a budget), or lost a worker of pytest-xdist."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "format": RUN_FORMAT,
            "name": self.name,
            "created": self.created,
            "complete": self.complete,
            "commit": asdict(self.commit),
            "environment": dict(self.environment),
            "seconds": round(self.seconds, 3),
            "models": [use.to_json() for use in self.models],
            "metrics": [asdict(identity) for identity in self.metrics],
            "testsets": dict(self.testsets),
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RecordedRun:
        """The run that `to_json` wrote."""
        return cls(
            name=data["name"],
            created=data["created"],
            rows=tuple(RecordedRow.from_json(row) for row in data["rows"]),
            models=tuple(ModelUse.from_json(use) for use in data["models"]),
            metrics=tuple(MetricIdentity(**identity) for identity in data["metrics"]),
            testsets=dict(data["testsets"]),
            commit=Commit(**data["commit"]),
            environment=dict(data["environment"]),
            seconds=data["seconds"],
            complete=data["complete"],
        )
