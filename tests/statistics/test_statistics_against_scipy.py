"""Every statistic beside the one of scipy or statsmodels."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from pytest_ragas.statistics.bootstrap import bootstrap
from pytest_ragas.statistics.clusters import Clusters, clustered
from pytest_ragas.statistics.holm import holm
from pytest_ragas.statistics.normal import normal_below, normal_quantile, student_quantile
from pytest_ragas.statistics.permutation import sign_flip
from pytest_ragas.statistics.power import clusters_needed, detectable_drop
from pytest_ragas.statistics.spread import pooled_spread


def rare(r: random.Random) -> float:
    where = r.random()
    return -1.0 if where < 0.12 else 1.0 if where > 0.97 else 0.0


CHANGES = {
    "0 or 1, most unchanged": rare,
    "thirds": lambda r: r.choice([-2 / 3, -1 / 3, 0.0, 0.0, 0.0, 1 / 3]),
    "smooth": lambda r: r.gauss(-0.04, 0.2),
    "skewed": lambda r: 0.06 - r.expovariate(10),
}
STEPS = {"0 or 1, most unchanged": 1.0, "thirds": 1 / 3}
"""Means of changes that come in steps do so too."""


def changes(kind: str, count: int) -> list[float]:
    r = random.Random(f"{kind} {count}")
    return [CHANGES[kind](r) for _ in range(count)]


def the_ratio(sums: np.ndarray, sizes: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.sum(sums, axis=axis) / np.sum(sizes, axis=axis)


@pytest.mark.parametrize("count", [20, 50, 100])
@pytest.mark.parametrize("kind", CHANGES)
def test_the_bootstrap_interval_is_scipys(kind: str, count: int) -> None:
    """Both draw, so they differ by what draws differ by: a fifth of a standard error, or a step of the scores."""
    values = changes(kind, count)
    ours = bootstrap(clustered(values))
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=9_999, random_state=1).confidence_interval
    apart = max(0.3 * np.std(values) / math.sqrt(count), 1.01 * STEPS.get(kind, 0.0) / count)
    assert ours.low == pytest.approx(theirs.low, abs=apart)
    assert ours.high == pytest.approx(theirs.high, abs=apart)


@pytest.mark.parametrize("kind", CHANGES)
def test_the_closed_form_is_scipys_bootstrap_of_many_rows(kind: str) -> None:
    values = changes(kind, 400)
    ours = bootstrap(clustered(values))
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=9_999, random_state=1).confidence_interval
    error = np.std(values) / math.sqrt(400)
    assert ours.resamples == 0
    assert ours.low == pytest.approx(theirs.low, abs=0.1 * error)
    assert ours.high == pytest.approx(theirs.high, abs=0.1 * error)


@pytest.mark.parametrize("count", [40, 200])
def test_clusters_are_drawn_whole_as_in_scipys_paired_bootstrap(count: int) -> None:
    r = random.Random(count)
    sizes = tuple(r.randint(1, 8) for _ in range(count))
    sums = tuple(sum(r.gauss(-0.03 * size / 4, 0.3) for _ in range(size)) + r.gauss(0, 0.5) for size in sizes)
    clusters = Clusters(sums, sizes)
    ours = bootstrap(clusters)
    theirs = stats.bootstrap(
        (sums, sizes), the_ratio, paired=True, method="BCa", n_resamples=9_999, random_state=1
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.2 * clusters.standard_error)
    assert ours.high == pytest.approx(theirs.high, abs=0.2 * clusters.standard_error)


@pytest.mark.parametrize("kind", CHANGES)
def test_p_is_where_scipys_one_sided_interval_ends_at_0(kind: str) -> None:
    """The upper bound at the confidence 1 - p touches 0: that is what p is, whoever computes the bound."""
    drawn = changes(kind, 60)
    shift = np.mean(drawn) + 1.9 * np.std(drawn) / math.sqrt(60)
    values = [value - shift for value in drawn]
    p = bootstrap(clustered(values)).p
    for level, side in ((1 - p * 0.7, 1), (1 - p * 1.4, -1)):
        bound = stats.bootstrap(
            (values,), np.mean, method="BCa", alternative="less", confidence_level=level, n_resamples=9_999,
            random_state=1,
        ).confidence_interval.high  # fmt: skip
        assert side * bound >= -STEPS.get(kind, 1e-3) / 60


@pytest.mark.parametrize("kind", CHANGES)
def test_counted_sign_flips_are_scipys(kind: str) -> None:
    values = [value for value in changes(kind, 80) if value][:14]
    theirs = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", alternative="less", n_resamples=np.inf
    ).pvalue
    assert sign_flip(values) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("draw", [True, False])
@pytest.mark.parametrize("kind", CHANGES)
def test_sign_flips_of_many_are_near_scipys(kind: str, draw: bool) -> None:
    """Drawn ones differ by their draws; the saddlepoint halves a tie, which counts for a few equal changes."""
    values = changes(kind, 300)
    theirs = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", alternative="less", n_resamples=20_000, random_state=1
    ).pvalue
    assert sign_flip(values, draw=draw) == pytest.approx(theirs, rel=0.35, abs=0.003)


def test_sign_flips_of_equal_changes_are_a_binomial_test() -> None:
    values = [-1 / 3] * 29 + [1 / 3] * 13
    theirs = stats.binomtest(13, 42, alternative="less").pvalue
    assert sign_flip(values) == pytest.approx(theirs, rel=0.15)


def test_the_saddlepoint_is_right_far_out() -> None:
    """Where a hundred slices need a p that no number of draws would show."""
    values = [-1.0] * 170 + [1.0] * 80
    exact = stats.binomtest(80, 250, alternative="less").pvalue
    halved = exact - stats.binom.pmf(80, 250, 0.5) / 2
    assert sign_flip(values, draw=False) == pytest.approx(halved, rel=0.1)


def test_holm_is_statsmodels() -> None:
    r = random.Random(1)
    for _ in range(200):
        values = [r.random() ** r.choice([1, 3, 6]) for _ in range(r.randint(1, 12))]
        assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


def test_clustered_standard_errors_are_statsmodels() -> None:
    r = random.Random(2)
    names = [r.randint(0, 30) for _ in range(200)]
    values = [r.gauss(0, 0.2) + 0.01 * name for name in names]
    theirs = OLS(values, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": np.array(names)})
    assert clustered(values, names).standard_error == pytest.approx(theirs.bse[0], rel=1e-9)
    assert clustered(values, names).mean == pytest.approx(theirs.params[0])


def test_the_pooled_spread_is_the_residual_of_an_analysis_of_variance() -> None:
    r = random.Random(3)
    rows = [[r.random() for _ in range(r.randint(1, 5))] for _ in range(40)]
    design = [[float(row == column) for column in range(40)] for row, values in enumerate(rows) for _ in values]
    theirs = OLS([value for values in rows for value in values], design).fit()
    ours = pooled_spread(rows)
    assert ours is not None
    assert ours.value == pytest.approx(math.sqrt(theirs.mse_resid))
    assert ours.degrees == theirs.df_resid


@pytest.mark.parametrize("count", [12, 20, 50, 200, 1_000])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_detectable_drop_is_statsmodels(count: int, alpha: float) -> None:
    """Theirs takes the noncentral t; the two differ where few rows are there."""
    spread = 0.2
    theirs = spread * TTestPower().solve_power(nobs=count, alpha=alpha, power=0.8, alternative="larger")
    ours = detectable_drop(spread / math.sqrt(count), count, alpha=alpha)
    assert ours == pytest.approx(theirs, rel=0.02)


@pytest.mark.parametrize("drop", [0.2, 0.1, 0.05, 0.01])
def test_the_rows_needed_are_statsmodels(drop: float) -> None:
    spread = 0.2
    theirs = TTestPower().solve_power(effect_size=drop / spread, alpha=0.03, power=0.8, alternative="larger")
    ours = clusters_needed(spread / math.sqrt(40), 40, drop, alpha=0.03)
    assert ours == pytest.approx(theirs, rel=0.02, abs=1)


def test_normal_and_student_are_scipys() -> None:
    for z in (-8, -3.1, -0.2, 0, 1.7, 5):
        assert normal_below(z) == pytest.approx(stats.norm.cdf(z), rel=1e-9)
    for probability in (0.5, 0.8, 0.97, 0.999):
        assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), abs=1e-9)
        for degrees in (1, 2, 7, 19, 400):
            assert student_quantile(probability, degrees) == pytest.approx(
                stats.t.ppf(probability, degrees), rel=1e-6, abs=1e-9
            )
