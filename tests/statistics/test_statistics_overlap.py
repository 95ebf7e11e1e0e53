"""The hypergeometric tail: by hand, and against scipy."""

from __future__ import annotations

import random

import pytest

from pytest_ragas.statistics.overlap import chance_of_overlap


def test_by_hand() -> None:
    # three marked of four, two drawn: both marked in 3 of 6 ways, at least one always
    assert chance_of_overlap(total=4, marked=3, drawn=2, both=2) == pytest.approx(0.5)
    assert chance_of_overlap(total=4, marked=3, drawn=2, both=1) == pytest.approx(1.0)
    assert chance_of_overlap(total=4, marked=0, drawn=2, both=0) == pytest.approx(1.0)
    assert chance_of_overlap(total=4, marked=0, drawn=2, both=1) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_it_is_that_of_scipy(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(seed)
    total = rng.choice([5, 40, 300, 10_000])
    marked, drawn = rng.randint(0, total), rng.randint(0, total)
    both = rng.randint(0, min(marked, drawn))
    expected = stats.hypergeom(total, marked, drawn).sf(both - 1)
    found = chance_of_overlap(total=total, marked=marked, drawn=drawn, both=both)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)
