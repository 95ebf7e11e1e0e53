"""`Comparison`: what became of each metric and row between a baseline and a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_ragas.values.recorded import RecordedScore, RowKey

COMPARISON_FORMAT = 1
"""Version of what `pytest-ragas compare --format=json` writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorePair:
    """One metric's scores of one row, in the baseline and now."""

    key: RowKey
    metric: str
    before: RecordedScore
    after: RecordedScore
    cluster: str
    """The document that the row was written from, or the row's own key: pairs of one cluster are not independent."""
    slices: tuple[str, ...] = ()
    """"tag=billing", "question_type=simple", "source=docs/a.md": the slices that the row lies in."""
    held_before: bool | None = None
    """Whether the threshold of this metric held in the baseline; None where the test has none. Both sides are held
    to the threshold of today's run, so that a threshold that was moved is no change of the answers."""
    held_after: bool | None = None
    same_answer: bool = False
    """Whether the RAG gave the very same answer with the same contexts: a change is then the critic's own."""

    @property
    def change(self) -> float:
        """How much better it is now, in [-1, 1]; below 0 is worse, also for metrics where lower scores are better."""
        change = self.after.value - self.before.value
        return change if self.after.higher_is_better else -change


@dataclass(frozen=True, kw_only=True, slots=True)
class UnscoredPair:
    """A row of both runs that one of them has no score for."""

    key: RowKey
    metric: str
    side: Literal["before", "after"]
    """Whose score is missing: that of the baseline, or today's."""
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairing:
    """The rows of two runs, side by side."""

    pairs: tuple[ScorePair, ...]
    """Of every metric that both runs scored the row with, and with the same content."""
    added: tuple[RowKey, ...] = ()
    """Rows of today's run alone."""
    removed: tuple[RowKey, ...] = ()
    """Rows of the baseline alone."""
    edited: tuple[RowKey, ...] = ()
    """Rows whose question or right answer was changed: their scores are not compared."""
    not_run: tuple[RowKey, ...] = ()
    """Rows of the baseline that today's run left out: -k, one file of many, a test that is gone."""
    unscored: tuple[UnscoredPair, ...] = ()
    """Rows of both runs without a score today or in the baseline."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricChange:
    """The mean change of one metric over the pairs, or over those of one slice."""

    metric: str
    pairs: int
    clusters: int
    before: float
    """Mean of the baseline."""
    after: float
    """Mean now."""
    change: float
    """Mean of the paired changes; below 0 is worse."""
    low: float
    """Lower end of the confidence interval of the mean change."""
    high: float
    """Upper end."""
    p: float
    """One-sided: how likely a drop like this is where nothing got worse; the larger one of bootstrap and permutation
    test, after Holm's correction over the metrics."""
    floor: float
    """A drop up to this fails nothing: the asked-for minimal effect, or the critic's own noise of the mean."""
    detectable: float | None
    """The smallest drop that would have been seen with a power of 80 %; None where too few pairs say."""
    failed: bool
    slice: str = ""
    """"tag=billing"; empty for all pairs."""
    rows_needed: int | None = None
    """Rows like these with which a drop of the asked-for minimal effect would be significant with a power of 80 %; None
    where these are enough, or no effect was asked for."""
    repeats_needed: int | None = None
    """Judgements of each row, in both runs, that would do the same with the rows that there are; None where no number
    does, the critic's noise is not known, or these are enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HardBreak:
    """A row that fell too far, whatever the mean did."""

    key: RowKey
    metric: str
    before: float
    after: float
    why: Literal["fell", "flipped"]
    """fell: by more than is allowed, beyond its repeats' noise. flipped: its threshold held before, and is broken."""
    allowed: float = 0.0
    """The fall that was allowed, with the noise of the row's repeats in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A run beside its baseline."""

    baseline: str
    """The name of the baseline, as messages show it."""
    pairing: Pairing
    changes: tuple[MetricChange, ...]
    """One a metric, over all pairs."""
    slices: tuple[MetricChange, ...] = ()
    """Slices whose drop is significant where that of all pairs is not, or that hold most of it."""
    breaks: tuple[HardBreak, ...] = ()
    differences: tuple[str, ...] = ()
    """Why the two are not comparable (another critic, metric version …): compared anyway, as was asked for."""
    notes: tuple[str, ...] = ()
    """What else the reader should know: "the baseline's run was stopped before its end"."""
    spreads: Mapping[str, float] | None = None
    """Metric -> the critic's within-row standard deviation, from repeats of either run; only metrics that have some."""
    incomplete: tuple[str, ...] = ()
    """Why the comparison says too little to be green: "no row of this run is in the baseline"."""

    @property
    def outcome(self) -> Literal["passed", "failed", "incomplete"]:
        """What became of the gate; incomplete is red too."""
        if any(change.failed for change in self.changes) or self.breaks:
            return "failed"
        return "incomplete" if self.incomplete else "passed"

    @property
    def failed(self) -> bool:
        """Whether the gate is red."""
        return self.outcome != "passed"

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for other programs; the pairs are only counted."""
        return {
            "format": COMPARISON_FORMAT,
            "outcome": self.outcome,
            "baseline": self.baseline,
            "metrics": [asdict(change) for change in self.changes],
            "slices": [asdict(change) for change in self.slices],
            "breaks": [asdict(found) for found in self.breaks],
            "rows": {
                "compared": len({pair.key for pair in self.pairing.pairs}),
                "added": [asdict(key) for key in self.pairing.added],
                "removed": [asdict(key) for key in self.pairing.removed],
                "edited": [asdict(key) for key in self.pairing.edited],
                "not_run": [asdict(key) for key in self.pairing.not_run],
                "unscored": [asdict(missing) for missing in self.pairing.unscored],
            },
            "differences": list(self.differences),
            "incomplete": list(self.incomplete),
            "notes": list(self.notes),
            "spreads": dict(self.spreads or {}),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Incomparable:
    """A run and a baseline whose scores do not compare. Red: nobody knows whether anything got worse."""

    baseline: str
    """The name of the baseline, as messages show it."""
    differences: tuple[str, ...]
    """At least one: "critic LLM: gpt-4o-mini in the baseline, gpt-4o now"."""
    mends: tuple[str, ...]
    """What can be done, each a sentence."""

    @property
    def failed(self) -> bool:
        """Always."""
        return True

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for other programs."""
        return {
            "format": COMPARISON_FORMAT,
            "outcome": "incomparable",
            "baseline": self.baseline,
            "differences": list(self.differences),
            "mends": list(self.mends),
        }
