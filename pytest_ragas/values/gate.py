"""`Threshold` and `Gate`: the bounds that a test and a run are held to, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["passed", "failed", "error", "not run"]
"""passed: every threshold held. failed: a score broke its threshold. error: a score is missing
(critic, embeddings, configuration, a missing field). not run: budget or interruption."""

Operator = Literal[">=", ">", "<=", "<"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """The bound that one metric's score of one sample is held to."""

    metric: str
    bound: float
    """In [0, 1]. A lower bound where higher scores are better, else an upper bound. Inclusive."""

    def holds(self, value: float, *, higher_is_better: bool = True) -> bool:
        """Whether a score satisfies the bound (equal does)."""
        return value >= self.bound if higher_is_better else value <= self.bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """The bound that an aggregate of a run is held to: `mean(faithfulness) >= 0.85`."""

    aggregate: str
    """"mean", "median", "min", "max", "p10" (any pNN), "pass_rate"."""
    metric: str
    """The metric that is aggregated; empty for `pass_rate()` over every test."""
    operator: Operator
    bound: float
    tag: str = ""
    """Only samples with this tag; empty for all. Written `mean(faithfulness, tag=billing)`."""
    question_type: str = ""
    """Only samples of this type of question; empty for all. Written `mean(faithfulness, question_type=simple)`."""
    source: str = ""
    """Only samples that were written from this document; empty for all. Written `mean(faithfulness, source=a.md)`."""
    text: str = ""
    """The expression as the user wrote it."""

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """What narrows the samples down: (("tag", "billing"), ("source", "docs/a.md")); all of them must hold."""
        given = (("tag", self.tag), ("question_type", self.question_type), ("source", self.source))
        return tuple((name, value) for name, value in given if value)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateVerdict:
    """What became of a gate."""

    gate: Gate
    outcome: Literal["passed", "failed", "incomplete"]
    """incomplete: some samples have no score, so that the aggregate says nothing; red."""
    value: float | None
    """The aggregate over the samples that have a score; None where there is none."""
    scored: int
    """Samples that have a score."""
    total: int
    """Samples that should have one."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Breach:
    """A threshold that a score broke."""

    threshold: Threshold
    value: float
    higher_is_better: bool = True

    def __str__(self) -> str:
        sign = "<" if self.higher_is_better else ">"
        # two digits, unless they would hide the difference
        for digits in (2, 3, 4):
            value, bound = f"{self.value:.{digits}f}", f"{self.threshold.bound:.{digits}f}"
            if value != bound:
                break
        return f"{self.threshold.metric} {value} {sign} {bound}"


def thresholds_from(data: Mapping[str, float]) -> tuple[Threshold, ...]:
    """Thresholds of a mapping metric -> bound, in its order."""
    return tuple(Threshold(metric=metric, bound=float(bound)) for metric, bound in data.items())
