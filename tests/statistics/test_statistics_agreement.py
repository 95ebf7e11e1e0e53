"""Agreement with labels: by hand, against scipy and statsmodels, against published tables; and its intervals."""

from __future__ import annotations

import math
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.statistics.agreement import (
    Decisions,
    auroc,
    auroc_value,
    balanced_accuracy,
    decisions,
    delong_variance,
    kappa,
    kappa_error,
    kappa_value,
    wilson,
)
from pytest_ragas.statistics.cut_point import best_threshold, cut_point
from pytest_ragas.statistics.rank_correlation import spearman

RATINGS = {False: (33, 6, 6, 11, 2), True: (3, 2, 2, 11, 33)}
"""Hanley and McNeil 1982: how 58 normal and 51 abnormal scans were rated, from 1 to 5."""


def hanley() -> tuple[list[float], list[bool]]:
    rows = [
        (float(rating), kind)
        for kind, counts in RATINGS.items()
        for rating, n in enumerate(counts, 1)
        for _ in range(n)
    ]
    return [rating for rating, _ in rows], [kind for _, kind in rows]


def noisy(n: int, seed: int, shift: float = 0.3) -> tuple[list[float], list[bool]]:
    """Scores with ties, and piled up at 0 and 1, as critics give them."""
    rng = random.Random(seed)
    good = [rng.random() < 0.6 for _ in range(n)]
    values = [min(1.0, max(0.0, round(rng.gauss(0.5 + shift * is_good, 0.35), 1))) for is_good in good]
    return values, good


def test_the_table_of_hanley_and_mcneil() -> None:
    """Stata's manual gives for these data, under `roctab`: area 0.8932, standard error (DeLong) 0.0307."""
    values, good = hanley()
    found = auroc(values, good)
    assert found is not None
    assert round(found.value, 4) == 0.8932
    assert round(math.sqrt(delong_variance(values, good)), 4) == 0.0307
    # 0.833 to 0.953 on the plain scale; on that of the logit a little lower, as it must for an area near 1
    assert (round(found.low, 2), round(found.high, 2)) == (0.82, 0.94)


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_that_of_scipy(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    values, good = noisy(80, seed)
    goods = [value for value, kind in zip(values, good, strict=True) if kind]
    bads = [value for value, kind in zip(values, good, strict=True) if not kind]
    expected = stats.mannwhitneyu(goods, bads).statistic / (len(goods) * len(bads))
    assert auroc_value(values, good) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_delongs_variance_is_that_of_its_definition(seed: int) -> None:
    values, good = noisy(40, seed)
    goods = [value for value, kind in zip(values, good, strict=True) if kind]
    bads = [value for value, kind in zip(values, good, strict=True) if not kind]
    wins = [[(a > b) + (a == b) / 2 for b in bads] for a in goods]
    rows = [sum(row) / len(bads) for row in wins]
    columns = [sum(column) / len(goods) for column in zip(*wins, strict=True)]

    def variance(numbers: list[float]) -> float:
        mean = sum(numbers) / len(numbers)
        return sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)

    expected = variance(rows) / len(goods) + variance(columns) / len(bads)
    assert delong_variance(values, good) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("table", [(40, 9, 6, 45), (3, 1, 2, 4), (90, 2, 5, 3), (10, 20, 20, 10)])
def test_kappa_and_its_error_are_those_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    rater = pytest.importorskip("statsmodels.stats.inter_rater")
    expected = rater.cohens_kappa([[table[0], table[1]], [table[2], table[3]]])
    assert kappa_value(Decisions(*table)) == pytest.approx(expected.kappa, abs=1e-12)
    assert kappa_error(Decisions(*table)) == pytest.approx(expected.std_kappa, abs=1e-12)


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (5, 5), (3, 10), (480, 1000)])
def test_wilsons_interval_is_that_of_statsmodels(hits: int, of: int) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    assert wilson(hits, of) == pytest.approx(proportion.proportion_confint(hits, of, method="wilson"), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_that_of_scipy(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(seed)
    first = [round(rng.random(), 1) for _ in range(30)]
    second = [round(value / 2 + rng.random() / 2, 1) for value in first]
    found = spearman(first, second)
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)
    assert found.low < found.value < found.high


def test_spearman_says_nothing_where_there_is_no_order() -> None:
    assert spearman([1, 2, 3], [1, 2, 3]) is None
    assert spearman([1, 1, 1, 1], [1, 2, 3, 4]) is None
    perfect = spearman([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    assert perfect is not None
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low < 0.95


def test_by_hand() -> None:
    values, good = [0.9, 0.8, 0.3, 0.2, 0.6], [True, True, True, False, False]
    assert auroc_value(values, good) == pytest.approx(5 / 6)
    table = decisions(values, good, 0.5)
    assert table == Decisions(2, 1, 1, 1)
    assert balanced_accuracy(table).value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert auroc_value(values, good, [1, 1, 0, 1, 1]) == 1.0
    assert decisions(values, good, 0.6, [2, 1, 1, 1, 3]) == Decisions(3, 1, 3, 1)


def test_nothing_is_certain_of_a_few_rows_that_agree() -> None:
    values, good = [0.9] * 10 + [0.1] * 10, [True] * 10 + [False] * 10
    area = auroc(values, good)
    table = decisions(values, good, 0.5)
    agreed = kappa(table)
    assert area is not None
    assert agreed is not None
    for found in (area, agreed, balanced_accuracy(table)):
        assert (found.value, found.high) == (1.0, 1.0)
        assert 0.6 < found.low < 0.95


@pytest.mark.parametrize("values", [[0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.9, 0.9], [0.9, 0.9, 0.1, 0.1]])
def test_areas_at_the_ends_and_of_ties_alone(values: list[float]) -> None:
    found = auroc(values, [True, True, False, False])
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.3


def test_what_is_not_defined_is_none() -> None:
    assert auroc([0.1, 0.2], [True, True]) is None
    assert auroc([], []) is None
    assert kappa(Decisions(0, 0, 0, 0)) is None
    assert kappa(Decisions(7, 0, 0, 0)) is None
    assert best_threshold([0.5, 0.5], [True, False]) is None
    assert best_threshold([0.1, 0.9], [True, False]) is None
    assert cut_point([0.1, 0.9], [True, True]) is None


def coverage(truth: float, intervals: list[tuple[float, float]]) -> float:
    return sum(low <= truth <= high for low, high in intervals) / len(intervals)


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("hit", [0.98, 0.8])
def test_intervals_hold_the_truth_about_as_often_as_they_say(n: int, hit: float) -> None:
    """400 seeded sets of labels of which half are good, and a critic that says of each what is right with `hit`."""
    rng = random.Random(n)
    areas, shares, kappas = [], [], []
    for _ in range(400):
        good = [index < n // 2 for index in range(n)]
        values = [float((rng.random() < hit) == is_good) for is_good in good]
        table = decisions(values, good, 0.5)
        for found, kept in ((auroc(values, good), areas), (balanced_accuracy(table), shares), (kappa(table), kappas)):
            assert found is not None
            kept.append((found.low, found.high))
    assert coverage(hit, areas) >= 0.92
    assert coverage(hit, shares) >= 0.89  # joined intervals are a little short where a share is near 1
    assert coverage(2 * hit - 1, kappas) >= 0.92


def test_the_best_threshold_lies_in_the_middle_of_what_it_parts() -> None:
    assert best_threshold([0.9, 0.8, 0.2, 0.1], [True, True, False, False]) == 0.5
    assert best_threshold([0.501, 0.5, 0.499], [True, True, False]) == 0.5
    assert best_threshold([0.50002, 0.5], [True, False]) == 0.50001
    # two gaps are equally good: the wider one is the safer
    assert best_threshold([0.0, 0.9, 0.3, 0.4], [False, True, True, False]) == 0.65


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), st.booleans()), min_size=2, max_size=30)
)
def test_no_other_threshold_is_better(rows: list[tuple[float, bool]]) -> None:
    values, good = [value for value, _ in rows], [kind for _, kind in rows]
    found = best_threshold(values, good)
    if len(set(good)) < 2:
        assert found is None
        return

    def accuracy(threshold: float) -> float:
        return balanced_accuracy(decisions(values, good, threshold)).value

    best = max(accuracy(number / 100) for number in range(102))
    assert (accuracy(found) if found is not None else 0.5) == pytest.approx(max(best, 0.5))


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_point_has_an_interval_and_an_honest_outlook(seed: int) -> None:
    values, good = noisy(40, seed)
    found = cut_point(values, good, draws=300)
    assert found is not None
    assert found == cut_point(values, good, draws=300)
    assert found.low <= found.threshold <= found.high
    here = balanced_accuracy(decisions(values, good, found.threshold)).value
    assert found.elsewhere is not None
    assert 0.5 < found.elsewhere < here


def test_the_outlook_is_what_other_rows_give() -> None:
    """On average over 60 sets of 30 labels, against ten thousand other rows."""
    others = noisy(10_000, 999)
    said, true, here = [], [], []
    for seed in range(60):
        values, good = noisy(30, seed)
        found = cut_point(values, good, draws=100)
        if found is None or found.elsewhere is None:
            continue
        said.append(found.elsewhere)
        true.append(balanced_accuracy(decisions(*others, found.threshold)).value)
        here.append(balanced_accuracy(decisions(values, good, found.threshold)).value)
    mean = [sum(numbers) / len(numbers) for numbers in (said, true, here)]
    assert abs(mean[0] - mean[1]) < 0.03
    assert mean[2] - mean[1] > 0.04


@given(st.tuples(*[st.integers(0, 40)] * 4))
def test_every_interval_holds_its_value_and_stays_in_its_range(cells: tuple[int, int, int, int]) -> None:
    table = Decisions(*cells)
    found = kappa(table)
    assert found is None or -1 <= found.low <= found.value <= found.high <= 1
    if cells[0] + cells[1] and cells[2] + cells[3]:
        share = balanced_accuracy(table)
        assert 0 <= share.low <= share.value <= share.high <= 1


def test_all_small_sets() -> None:
    for values in product([0.0, 0.5, 1.0], repeat=4):
        for good in product([True, False], repeat=4):
            found = auroc(values, good)
            assert found is None or 0 <= found.low <= found.value <= found.high <= 1
