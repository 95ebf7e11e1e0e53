"""`SampleResult` and `Run`: what a whole run measured. Travels between xdist processes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_ragas.values.gate import Outcome, Threshold
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleResult:
    """Everything that one scored sample of one test gave."""

    sample: Sample
    scores: tuple[Score, ...]
    failures: tuple[ScoreFailure, ...]
    thresholds: tuple[Threshold, ...]
    """What the test held it to."""
    outcome: Outcome
    """Of the thresholds alone; the test itself may fail for other reasons."""
    nodeid: str = ""
    """The test that asked for the scores."""
    seconds: float = 0.0
    """From hand-over to the last score."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "sample": self.sample.to_json(),
            "scores": [score.to_json() for score in self.scores],
            "failures": [failure.to_json() for failure in self.failures],
            "thresholds": [{"metric": held.metric, "bound": held.bound} for held in self.thresholds],
            "outcome": self.outcome,
            "nodeid": self.nodeid,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SampleResult:
        """The result that `to_json` wrote."""
        return cls(
            sample=Sample.from_json(data["sample"]),
            scores=tuple(Score.from_json(score) for score in data["scores"]),
            failures=tuple(ScoreFailure.from_json(failure) for failure in data["failures"]),
            thresholds=tuple(Threshold(**threshold) for threshold in data["thresholds"]),
            outcome=data["outcome"],
            nodeid=data["nodeid"],
            seconds=data["seconds"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelUse:
    """One model that took part in a run, and what it cost."""

    role: str
    """"critic LLM", "generator LLM" or "embeddings"."""
    identity: ModelIdentity
    usage: Usage = Usage()
    notes: tuple[str, ...] = ()
    """What its client found out that differs from what was asked for: "it takes no temperature"."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "role": self.role,
            "identity": self.identity.to_json(),
            "usage": asdict(self.usage),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelUse:
        """The use that `to_json` wrote."""
        return cls(
            role=data["role"],
            identity=ModelIdentity.from_json(data["identity"]),
            usage=Usage(**data["usage"]),
            notes=tuple(data.get("notes", ())),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Every result of one pytest run, over all its processes."""

    results: tuple[SampleResult, ...] = ()
    """In the order of the run."""
    models: tuple[ModelUse, ...] = ()
    """One entry for each distinct model and role."""
    seconds: float = 0.0
    """Wall time of the run."""

    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that were asked for, in order of first appearance."""
        seen: dict[str, None] = {}
        for result in self.results:
            entries: tuple[Score | ScoreFailure, ...] = (*result.scores, *result.failures)
            for entry in entries:
                seen.setdefault(entry.metric)
        return tuple(seen)


@dataclass(kw_only=True, slots=True)
class RunBuilder:
    """Gathers results and usage of several processes; `build()` freezes them."""

    results: list[SampleResult] = field(default_factory=list)
    usage: dict[tuple[str, ModelIdentity], Usage] = field(default_factory=dict)
    notes: dict[tuple[str, ModelIdentity], dict[str, None]] = field(default_factory=dict)

    def add_use(self, use: ModelUse) -> None:
        """Add one process' use of a model to that of the others."""
        key = (use.role, use.identity)
        self.usage[key] = self.usage.get(key, Usage()) + use.usage
        self.notes.setdefault(key, {}).update(dict.fromkeys(use.notes))

    def build(self, *, seconds: float) -> Run:
        """The run so far."""
        models = tuple(
            ModelUse(role=role, identity=identity, usage=usage, notes=tuple(self.notes.get((role, identity), ())))
            for (role, identity), usage in self.usage.items()
        )
        return Run(results=tuple(self.results), models=models, seconds=seconds)
