"""Spread, the noise of single rows, power and clusters, by hand."""

from __future__ import annotations

import math
import random

import pytest

from pytest_ragas.statistics.bootstrap import bootstrap
from pytest_ragas.statistics.clusters import clustered
from pytest_ragas.statistics.normal import normal_below
from pytest_ragas.statistics.permutation import sign_flip
from pytest_ragas.statistics.power import clusters_needed, detectable_drop, repeats_needed
from pytest_ragas.statistics.row_noise import coin_chance, noise_allowance
from pytest_ragas.statistics.spread import pooled_spread


def test_a_spread_needs_an_answer_that_was_judged_twice() -> None:
    assert pooled_spread([(0.5,), ()]) is None
    found = pooled_spread([(0.0, 1.0), (0.5,), (1.0, 1.0, 1.0)])
    assert found is not None
    assert (found.value, found.degrees) == (pytest.approx(math.sqrt(0.5 / 3)), 3)


def test_the_allowance_is_where_the_expected_rows_are_alpha() -> None:
    allowed = noise_allowance([0.1] * 200, alpha=0.02)
    assert 200 * normal_below(-allowed / 0.1) == pytest.approx(0.02, rel=1e-6)


def test_noise_in_few_rows_counts_as_much_as_it_is_there() -> None:
    """The pooled spread of these rows would be 0.05."""
    assert noise_allowance([0.5] * 2 + [0.0] * 198, alpha=0.02) > 1.1
    assert noise_allowance([0.05] * 200, alpha=0.02) < 0.2


def test_without_noise_nothing_is_allowed() -> None:
    assert noise_allowance([0.0] * 50, alpha=0.02) == 0


def test_one_judgement_on_each_side_is_a_coin() -> None:
    assert coin_chance(1, 1) == 1 / 4
    assert coin_chance(3, 3) == 1 / 64


def test_too_few_clusters_detect_nothing() -> None:
    assert detectable_drop(0.1, 5, alpha=0.03) is None
    assert detectable_drop(0.1, 6, alpha=0.03) is not None
    assert detectable_drop(0.0, 60, alpha=0.03) is None


def test_a_floor_is_part_of_what_is_detectable() -> None:
    free, held = (detectable_drop(0.01, 100, alpha=0.03, floor=floor) for floor in (0.0, 0.1))
    assert free == pytest.approx(0.0276, abs=0.0003)
    assert held == pytest.approx(0.1085, abs=0.0003)


def test_more_rows_find_half_the_drop_at_four_times_as_many() -> None:
    once, half = (clusters_needed(0.02, 100, drop, alpha=0.03) for drop in (0.02, 0.01))
    assert half == pytest.approx(4 * once, rel=0.02)


def test_repeats_help_only_against_the_critics_part() -> None:
    rows, noise, answers = 100, 0.3, 0.1
    judging = noise * math.sqrt(2 / rows)
    error = math.sqrt(judging**2 + answers**2 * 2 / rows)
    many = repeats_needed(error, rows, 0.05, judging=judging, noise=noise, rows=rows, alpha=0.03)
    assert many is not None
    assert math.hypot(noise, math.sqrt(many) * answers) * math.sqrt(2 / rows / many) * 2.75 <= 0.05
    assert repeats_needed(error, rows, 0.02, judging=judging, noise=noise, rows=rows, alpha=0.03) is None


def test_changes_that_all_agree_rest_on_their_number() -> None:
    """A bootstrap of equal changes has nothing to draw; the signs still know how many rows there were."""
    changes = [-0.05] * 4
    assert bootstrap(clustered(changes)).p == 0
    assert sign_flip(changes) == 1 / 16
    assert sign_flip([0.0] * 40) == 1


@pytest.mark.parametrize("size", [1 / 3, 1 / 7, 0.1])
def test_a_tie_is_a_tie_whatever_the_last_bits_of_a_sum_say(size: float) -> None:
    """35 changes of one size, 13 of them up: a sum that is as low counts, in whatever order it was added."""
    exact = sum(math.comb(35, up) for up in range(14)) / 2**35
    assert sign_flip([size] * 13 + [-size] * 22) == pytest.approx(exact, rel=0.06)


def test_the_same_runs_give_the_same_numbers() -> None:
    r = random.Random(4)
    changes = [r.choice([-0.5, 0.0, 0.25]) for _ in range(60)]
    assert bootstrap(clustered(changes), seed=3) == bootstrap(clustered(changes), seed=3)
    assert sign_flip(changes, seed=3) == sign_flip(changes, seed=3)


def test_clusters_weigh_as_much_as_they_have_rows() -> None:
    clusters = clustered([0.1, 0.2, -0.6], ["a", "a", "b"])
    assert clusters.sizes == (2, 1)
    assert clusters.mean == pytest.approx(-0.1)
