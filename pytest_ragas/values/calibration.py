"""`Agreement`: how well a critic's scores agree with what people say of the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_ragas.values.gate import Operator
from pytest_ragas.values.sample import Sample

Measure = Literal["auroc", "balanced_accuracy", "kappa", "correlation"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A statistic with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledSample:
    """A row with its answer, and what people say of it."""

    sample: Sample
    labels: Mapping[str, float]
    """Metric -> in [0, 1]; 1 is good, also for metrics where lower scores are better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AtThreshold:
    """What a threshold makes of the rows: a score that holds it says good, as people may or may not."""

    threshold: float
    balanced_accuracy: Measured
    """Mean of the shares of good rows that hold it and of bad rows that break it; 0.5 is chance."""
    kappa: Measured | None
    """Cohen's: agreement beyond chance; None where critic and people say one and the same of every row."""
    good_held: int
    """Good rows that hold it."""
    bad_held: int
    """Bad rows that hold it: what the threshold lets pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recommended:
    """The threshold that tells these rows apart best, by Youden's J."""

    at: AtThreshold
    low: float
    """Of the threshold, at 95 %: where it lies when other rows of the same kind are labelled."""
    high: float
    elsewhere: float | None
    """Balanced accuracy to expect on rows that it was not chosen on; None where too few rows are left over to say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """A row of which critic and people say different things."""

    row: str
    """Its id."""
    source: str
    """Where it stands: "labelled.jsonl row 7"."""
    score: float
    label: float
    response: str
    """What was judged."""
    reason: str
    """The critic's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """One metric against the labels of people."""

    metric: str
    rows: int
    """Rows with a label and a score."""
    good: int
    """Of these, rows that people call good."""
    unscored: int
    """Labelled rows without a score."""
    graded: bool
    """Whether labels lie between 0 and 1 too."""
    auroc: Measured | None
    """Chance that a good row has the better score than a bad one; None where all rows are good, or all bad."""
    correlation: Measured | None
    """Spearman's, with graded labels; None with labels of 0 and 1, or where it is not defined."""
    configured: AtThreshold | None
    """At the threshold of the settings; None where there is none, or where all rows are good or all bad."""
    recommended: Recommended | None
    """None where no threshold tells good from bad."""
    disagreements: tuple[Disagreement, ...] = ()
    """The worst ones first."""
    unscored_because: str = ""
    """Why the first of the unscored rows is."""
    higher_is_better: bool = True

    @property
    def bad(self) -> int:
        """Rows that people call bad."""
        return self.rows - self.good

    def measured(self, measure: Measure) -> Measured | None:
        """A statistic, as a gate asks for it.

        Balanced accuracy and kappa are those at the threshold of the settings, or at the recommended one where the
        settings have none.
        """
        if measure == "auroc":
            return self.auroc
        if measure == "correlation":
            return self.correlation
        at = self.configured or (self.recommended.at if self.recommended else None)
        return None if at is None else at.balanced_accuracy if measure == "balanced_accuracy" else at.kappa

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {**asdict(self), "bad": self.bad}


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementGate:
    """The bound that an agreement is held to: `faithfulness: auroc >= 0.8`."""

    metric: str
    """Empty for every metric."""
    measure: Measure
    end: Literal["value", "low"]
    """low: the lower end of the interval, so that few labels do not pass by luck. Written `auroc.low`."""
    operator: Operator
    bound: float
    text: str
    """As the user wrote it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementVerdict:
    """What became of a gate on one metric."""

    gate: AgreementGate
    metric: str
    outcome: Literal["passed", "failed", "incomplete"]
    """incomplete: there is nothing to compare with the bound, or rows have no score; red."""
    value: float | None
    why: str = ""
    """Why it is incomplete."""
