"""Repeats: what becomes of them, when no more are made, and that each is a judgement of its own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from scoring_fakes import sample

from pytest_ragas.errors import ModelError
from pytest_ragas.gates.aggregate import mean_interval
from pytest_ragas.scoring.calls import current_repeat
from pytest_ragas.scoring.repeats import RepeatedMetric, Repeats, is_decided
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score


def interval(values, confidence):
    return mean_interval(values, confidence=confidence)


def held(bound: float) -> Threshold:
    return Threshold(metric="faithfulness", bound=bound)


@dataclass
class Judge:
    """A metric that gives one value for each repeat."""

    values: tuple[float | Exception, ...]
    asked: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    name: str = "faithfulness"
    seconds: float = 0.0

    async def score(self, sample: Sample) -> Score:
        repeat = current_repeat.get()
        self.asked.append(repeat)
        await asyncio.sleep(0)
        value = self.values[repeat]
        if isinstance(value, Exception):
            raise value
        await asyncio.sleep(self.seconds)
        self.ended.append(repeat)
        found = Finding(kind="statement", text=f"repeat {repeat}", value=value)
        return Score(metric=self.name, value=value, reason=f"reason {repeat}", evidence=(found,))

    def stored(self, sample: Sample) -> Score | None:
        repeat = current_repeat.get()
        value = self.values[repeat] if repeat < len(self.values) else None
        return None if value is None or isinstance(value, Exception) else Score(metric=self.name, value=value)


def repeated(judge: Judge, *, bound: float | None = None, better: bool = True, **how) -> RepeatedMetric:
    return RepeatedMetric(
        metric=judge,
        repeats=Repeats(**how),
        threshold=None if bound is None else held(bound),
        interval=interval,
        higher_is_better=better,
    )


def scored(metric: RepeatedMetric) -> Score:
    return asyncio.run(metric.score(sample(1)))


def test_the_score_is_the_mean_with_the_evidence_of_the_nearest_repeat() -> None:
    judge = Judge((0.2, 0.6, 1.0))
    score = scored(repeated(judge, times=3))
    assert judge.asked == [0, 1, 2]
    assert (score.value, score.repeats) == (pytest.approx(0.6), (0.2, 0.6, 1.0))
    assert score.evidence[0].text == "repeat 1"
    assert score.reason == "mean of 3 repeats, 0.20 to 1.00, standard deviation 0.40; reason 1"
    assert score.spread == pytest.approx(0.4)


def test_the_median() -> None:
    score = scored(repeated(Judge((0.2, 0.9, 1.0)), times=3, by="median"))
    assert score.value == 0.9
    assert score.reason.startswith("median of 3 repeats, 0.20 to 1.00, ")


def test_equal_repeats_give_exactly_their_value() -> None:
    score = scored(repeated(Judge((0.7, 0.7, 0.7)), times=3, bound=0.7))
    assert score.value == 0.7
    assert score.spread == 0


def test_without_a_threshold_every_repeat_is_made() -> None:
    judge = Judge((1.0,) * 9)
    assert len(scored(repeated(judge, times=9)).repeats) == 9


@pytest.mark.parametrize(
    ("values", "bound", "made"),
    [
        ((0.0, 0.0, 1.0, 1.0, 1.0), 0.8, 2),  # not even three ones would do
        ((1.0, 1.0, 0.0, 0.0, 0.0), 0.3, 2),  # not even three zeros would break it
        ((1.0, 1.0, 1.0, 1.0, 0.0), 0.8, 4),
        ((0.5, 0.5, 0.5, 0.5, 0.5), 0.5, 5),  # on the edge to the last
    ],
)
def test_what_is_left_cannot_change_the_verdict(values: tuple[float, ...], bound: float, made: int) -> None:
    judge = Judge(values)
    score = scored(repeated(judge, times=5, bound=bound, confidence=1.0))
    assert len(judge.asked) == made
    assert held(bound).holds(score.value) == held(bound).holds(sum(values) / 5)
    if made < 5:
        assert f"mean of {made} of up to 5 repeats" in score.reason


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize("by", ["mean", "median"])
def test_curtailed_repeats_have_the_verdict_of_all(seed: int, by: str) -> None:
    chance = random.Random(seed)
    times, bound, better = chance.randrange(1, 8), chance.choice([0.0, 0.3, 0.5, 0.8, 1.0]), chance.random() < 0.5
    values = tuple(chance.choice([0.0, 0.25, 0.5, 1.0, chance.random()]) for _ in range(times))
    score = scored(repeated(Judge(values), times=times, by=by, bound=bound, better=better, confidence=1.0))
    whole = Repeats(times=times, by=by).value(values)  # type: ignore[arg-type]
    assert held(bound).holds(score.value, higher_is_better=better) == held(bound).holds(whole, higher_is_better=better)


def test_a_clear_case_is_decided_at_a_confidence_and_a_close_one_is_not() -> None:
    repeats = Repeats(times=20, confidence=0.95)
    assert is_decided([0.95] * 8, repeats, held(0.4), interval=interval)
    assert not is_decided([0.95] * 8, repeats, held(0.9), interval=interval)
    assert not is_decided([0.95] * 8, Repeats(times=20, confidence=1.0), held(0.4), interval=interval)
    assert not is_decided([0.95], repeats, held(0.4), interval=interval)


def test_a_row_is_seldom_decided_wrongly() -> None:
    """1,000 noisy rows whose mean lies just above or below the threshold: wrong far less often than 1 in 20."""
    chance, wrong = random.Random(7), 0
    repeats = Repeats(times=20, confidence=0.95)
    for number in range(1_000):
        mean, values = (0.55 if number % 2 else 0.45), []
        while not is_decided(values, repeats, held(0.5), interval=interval):
            values.append(float(chance.random() < mean))
        early = len(values) < 20
        certain = is_decided(values, Repeats(times=20, confidence=1.0), held(0.5), interval=interval)
        wrong += early and not certain and (repeats.value(values) >= 0.5) != (mean >= 0.5)
    assert wrong <= 50


def test_one_repeat_without_a_score_is_no_score_and_ends_the_others() -> None:
    judge = Judge((0.5, ModelError("down"), 0.5), seconds=60)
    with pytest.raises(ModelError, match="down"):
        scored(repeated(judge, times=3))
    assert judge.ended == []
    assert current_repeat.get() == 0


def test_stored_repeats_are_found_as_they_would_be_made() -> None:
    judge = Judge((0.0, 0.0))
    metric = repeated(judge, times=5, bound=0.8)
    found = metric.stored(sample(1))
    assert found is not None
    assert found.repeats == (0.0, 0.0)
    assert repeated(judge, times=5).stored(sample(1)) is None
    assert judge.asked == []
    assert current_repeat.get() == 0


def test_repeats_travel_as_json() -> None:
    score = scored(repeated(Judge((0.2, 0.6, 1.0)), times=3))
    result = SampleResult(sample=sample(1), scores=(score,), failures=(), thresholds=(), outcome="passed")
    assert SampleResult.from_json(result.to_json()) == result
    assert "repeats" not in Score(metric="m", value=1.0).to_json()
