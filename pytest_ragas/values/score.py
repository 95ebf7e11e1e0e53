"""`Score` and `ScoreFailure`: what one metric says of one sample, or why it says nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_ragas.errors import InvalidScoreError

FindingKind = Literal["statement", "context", "question", "sentence", "entity", "similarity"]
FailureKind = Literal["critic", "embeddings", "structure", "sample", "configuration", "not run"]

_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One piece of the evidence behind a score: a statement, a context or a question, judged."""

    kind: FindingKind
    """What `text` is."""
    text: str
    """The statement, context or question."""
    value: float
    """What it was worth, in [0, 1]: 1 supported, useful, similar; 0 not."""
    reason: str = ""
    """Why, in the critic's words or the measure's."""
    part: str = ""
    """Which side it belongs to where a metric judges two: "response", "reference", "true positive" …"""

    @property
    def bad(self) -> bool:
        """Whether this piece counts against the sample."""
        return self.value < 0.5

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {"kind": self.kind, "text": self.text, "value": self.value, "reason": self.reason, "part": self.part}


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One metric's measurement of one sample."""

    metric: str
    """Its name as users write it: "faithfulness", "ragas:faithfulness"."""
    value: float
    """Finite and in [0, 1]; 1 is best unless `higher_is_better` is false."""
    reason: str = ""
    """One line that says where the value comes from: "2 of 3 statements are supported"."""
    evidence: tuple[Finding, ...] = ()
    """The verdicts that the value was computed from, in the order of the text."""
    higher_is_better: bool = True
    """False for metrics that count errors (noise_sensitivity): their thresholds are upper bounds."""
    repeats: tuple[float, ...] = ()
    """Where the answer was judged several times: what each repeat gave, in order."""

    @property
    def spread(self) -> float:
        """The standard deviation of the repeats: the critic's own noise. 0 for fewer than two."""
        return statistics.stdev(self.repeats) if len(self.repeats) > 1 else 0.0

    def __post_init__(self) -> None:
        value = float(self.value)
        if not math.isfinite(value) or not -_ROUNDING <= value <= 1 + _ROUNDING:
            raise InvalidScoreError(f"{self.metric} gave {value!r}, which is no score: it must lie in [0, 1]")
        object.__setattr__(self, "value", min(1.0, max(0.0, value)))

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        # not `dataclasses.asdict`: it takes ten times as long, and every score of a run is written several times
        data: dict[str, Any] = {
            "metric": self.metric,
            "value": self.value,
            "reason": self.reason,
            "evidence": [finding.to_json() for finding in self.evidence],
            "higher_is_better": self.higher_is_better,
        }
        if self.repeats:  # a score of one judgement is written a thousand times more often
            data["repeats"] = list(self.repeats)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        """The score that `to_json` wrote."""
        evidence = tuple(Finding(**finding) for finding in data["evidence"])
        return cls(**{**data, "evidence": evidence, "repeats": tuple(data.get("repeats", ()))})


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreFailure:
    """Why there is no score. Never NaN, never 0, never a pass."""

    metric: str
    """The metric that could not be computed."""
    sample_id: str
    """The row that it could not be computed for."""
    kind: FailureKind
    """Whose fault it is: the critic LLM, the embeddings, the structure of an answer, the sample
    itself, the configuration; or nobody's: it was not run."""
    error: str
    """What happened, with the mend where one is known; a paragraph at most."""
    raw: str = ""
    """What the model said, where that is the problem; cut to a sane length."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScoreFailure:
        """The failure that `to_json` wrote."""
        return cls(**data)
