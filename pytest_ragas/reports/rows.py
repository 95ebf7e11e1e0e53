"""Single rows of a run: which came out worst, and every one with its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.reports.numbers import against, score
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.score import Score


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredRow:
    """One score of one row, beside the bound that it was held to."""

    result: SampleResult
    score: Score
    threshold: Threshold | None

    @property
    def broken(self) -> bool:
        """Whether the score broke its threshold."""
        holds = self.threshold is None or self.threshold.holds(
            self.score.value, higher_is_better=self.score.higher_is_better
        )
        return not holds

    @property
    def badness(self) -> tuple[bool, float]:
        """Sorts the worst last: broken thresholds before others, then how far from best."""
        return self.broken, 1 - self.score.value if self.score.higher_is_better else self.score.value

    def __str__(self) -> str:
        if self.threshold is None:
            return f"{self.score.metric} {score(self.score.value)}"
        sign = (">=", "<") if self.score.higher_is_better else ("<=", ">")
        value, bound = score(self.score.value), score(self.threshold.bound)
        if self.broken:
            value, bound = against(self.score.value, self.threshold.bound)
        return f"{self.score.metric} {value} {sign[self.broken]} {bound}"


def scored_rows(results: Sequence[SampleResult]) -> list[ScoredRow]:
    """Every score of the results, in their order."""
    rows: list[ScoredRow] = []
    for result in results:
        bounds = {threshold.metric: threshold for threshold in result.thresholds}
        rows += [ScoredRow(result=result, score=found, threshold=bounds.get(found.metric)) for found in result.scores]
    return rows


def worst(rows: Sequence[ScoredRow], number: int) -> list[ScoredRow]:
    """The worst scores, the worst one first: broken thresholds before others; a perfect one is never among them."""
    imperfect = [row for row in rows if row.broken or row.badness[1] > 0]
    return sorted(imperfect, key=lambda row: row.badness, reverse=True)[:number]


def asked_by(result: SampleResult) -> str:
    """The test that asked, without the row's id in brackets."""
    return result.nodeid.partition("[")[0]
