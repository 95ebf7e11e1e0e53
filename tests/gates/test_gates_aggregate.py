"""Aggregates against the statistics module and scipy; the interval against what it promises."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.errors import GateSyntaxError
from pytest_ragas.gates.aggregate import aggregate, mean_interval
from pytest_ragas.statistics.beta import beta_cdf, beta_quantile

score = st.one_of(st.sampled_from([0.0, 1.0, 0.5, 0.8, 2 / 3]), st.floats(0, 1))
scores = st.lists(score, min_size=1, max_size=60)


@given(scores)
def test_aggregates_are_those_of_the_statistics_module(values: list[float]) -> None:
    assert aggregate(values, "mean") == pytest.approx(statistics.mean(values), abs=1e-12)
    assert aggregate(values, "median") == pytest.approx(statistics.median(values), abs=1e-12)
    assert aggregate(values, "p50") == aggregate(values, "median")
    assert aggregate(values, "min") == aggregate(values, "p0") == min(values)
    assert aggregate(values, "max") == aggregate(values, "p100") == max(values)
    if len(values) > 1:
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        for percent in (1, 5, 10, 25, 75, 90, 99):
            assert aggregate(values, f"p{percent}") == pytest.approx(cuts[percent - 1], abs=1e-12)


@given(scores, st.sampled_from(["mean", "median", "min", "max", "pass_rate", "p1", "p10", "p90"]))
def test_every_aggregate_lies_between_the_smallest_and_the_largest_score(values: list[float], name: str) -> None:
    assert min(values) <= aggregate(values, name) <= max(values)


@given(score, st.integers(1, 50), st.sampled_from(["mean", "median", "p10", "p90"]))
def test_equal_scores_are_their_own_aggregate_to_the_last_bit(value: float, n: int, name: str) -> None:
    assert aggregate([value] * n, name) == value


@given(scores)
def test_percentiles_rise(values: list[float]) -> None:
    found = [aggregate(values, f"p{percent}") for percent in range(101)]
    assert found == sorted(found)


def test_percentiles_as_the_docs_say() -> None:
    assert aggregate([number / 10 for number in range(11)], "p10") == pytest.approx(0.1)
    assert aggregate([number / 10 for number in range(10)], "p10") == pytest.approx(0.09)
    assert aggregate([0.3], "p10") == 0.3


def test_percentiles_are_those_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    values = [random.Random(1).random() for _ in range(37)]
    for percent in range(101):
        assert aggregate(values, f"p{percent}") == pytest.approx(float(numpy.percentile(values, percent)), abs=1e-12)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="the mean of no scores does not exist"):
        aggregate([], "mean")
    for name in ("average", "p101", "p", ""):
        with pytest.raises(GateSyntaxError, match="There is no aggregate"):
            aggregate([0.5], name)


@given(st.lists(score, min_size=2, max_size=60))
def test_the_interval_holds_the_mean_and_stays_in_bounds(values: list[float]) -> None:
    interval = mean_interval(values)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= statistics.mean(values) + 1e-12
    assert statistics.mean(values) - 1e-12 <= high <= 1
    assert low < high


@given(st.lists(score, min_size=2, max_size=60))
def test_turning_scores_around_turns_the_interval_around(values: list[float]) -> None:
    interval, turned = mean_interval(values), mean_interval([1 - value for value in values])
    assert interval is not None
    assert turned is not None
    assert interval == pytest.approx((1 - turned[1], 1 - turned[0]), abs=1e-6)


@pytest.mark.parametrize("values", [[], [0.5], [1.0]])
def test_one_score_has_no_interval(values: list[float]) -> None:
    assert mean_interval(values) is None


@pytest.mark.parametrize("n", [2, 5, 30, 500])
@pytest.mark.parametrize("passed", [0, 1, "half", "all"])
def test_for_zeros_and_ones_it_is_jeffreys_interval(n: int, passed: int | str) -> None:
    stats = pytest.importorskip("scipy.stats")
    ones = {"half": n // 2, "all": n}.get(str(passed), passed)
    assert isinstance(ones, int)
    expected = [float(stats.beta.ppf(q, ones + 0.5, n - ones + 0.5)) for q in (0.025, 0.975)]
    if ones == 0:
        expected[0] = 0.0
    if ones == n:
        expected[1] = 1.0
    found = mean_interval([1.0] * ones + [0.0] * (n - ones))
    assert found == pytest.approx(tuple(expected), abs=1e-8)


@pytest.mark.parametrize("n", [2, 5, 100])
@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_equal_scores_are_no_certainty(n: int, value: float) -> None:
    interval = mean_interval([value] * n)
    assert interval is not None
    assert interval[0] <= value <= interval[1]
    assert 0.5 / n < interval[1] - interval[0] < 3 / math.sqrt(n)


def test_for_many_scores_it_is_the_normal_interval() -> None:
    dice = random.Random(5)
    values = [dice.betavariate(8, 2) for _ in range(10_000)]
    half = statistics.NormalDist().inv_cdf(0.975) * statistics.stdev(values) / 100
    mean = statistics.fmean(values)
    assert mean_interval(values) == pytest.approx((mean - half, mean + half), abs=half / 50)


def test_more_confidence_is_a_wider_interval() -> None:
    values = [0.0, 0.5, 0.5, 0.9, 1.0, 1.0]
    widths = []
    for confidence in (0.5, 0.8, 0.95, 0.99):
        interval = mean_interval(values, confidence=confidence)
        assert interval is not None
        widths.append(interval[1] - interval[0])
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] / 2


def test_it_holds_the_true_mean_as_often_as_it_says() -> None:
    """400 suites of 20 scores, six of ten 1, one of ten 0, the rest anywhere; the true mean is 0.75."""
    dice = random.Random(3)

    def draw() -> float:
        where = dice.random()
        return 1.0 if where < 0.6 else 0.0 if where < 0.7 else dice.random()

    held = 0
    for _ in range(400):
        interval = mean_interval([draw() for _ in range(20)])
        assert interval is not None
        held += interval[0] <= 0.75 <= interval[1]
    assert 0.92 <= held / 400 <= 0.99


@pytest.mark.parametrize("a", [0.5, 1.0, 3.3, 40.5, 10_000.5])
@pytest.mark.parametrize("b", [0.5, 1.0, 7.7, 900.5])
def test_the_beta_distribution_is_scipys(a: float, b: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    for share in (0.001, 0.025, 0.5, 0.975, 0.999):
        assert beta_quantile(a, b, share) == pytest.approx(float(stats.beta.ppf(share, a, b)), abs=1e-8)
    for x in (0.0, 1e-6, 0.1, 0.5, 0.9, 1 - 1e-6, 1.0):
        assert beta_cdf(a, b, x) == pytest.approx(float(stats.beta.cdf(x, a, b)), abs=1e-9)


@given(st.floats(0.05, 1e5), st.floats(0.05, 1e5), st.floats(0.001, 0.999))
def test_quantiles_invert_the_distribution(a: float, b: float, share: float) -> None:
    x = beta_quantile(a, b, share)
    assert 0 <= x <= 1
    near = beta_cdf(a, b, max(0.0, x - 1e-8)), beta_cdf(a, b, min(1.0, x + 1e-8))
    assert near[0] - 1e-6 <= share <= near[1] + 1e-6
