"""Whatever changes and clusters there are, every number is one."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ragas.statistics.approximate_bootstrap import approximate_bootstrap
from pytest_ragas.statistics.bootstrap import bootstrap
from pytest_ragas.statistics.clusters import clustered
from pytest_ragas.statistics.permutation import sign_flip
from pytest_ragas.statistics.power import clusters_needed, detectable_drop

STEPS = st.sampled_from([-1.0, -2 / 3, -0.5, -1 / 3, 0.0, 0.0, 0.0, 0.25, 1 / 3, 1.0])
CHANGES = st.lists(STEPS | st.floats(-1, 1), min_size=1, max_size=70)


@settings(deadline=None, max_examples=60)
@given(CHANGES, st.lists(st.integers(0, 12), min_size=70, max_size=70), st.booleans())
def test_bootstrap_and_sign_flips_give_numbers(changes: list[float], names: list[int], draw: bool) -> None:
    clusters = clustered(changes, [name * name for name in names[: len(changes)]])
    found = bootstrap(clusters, draw=draw)
    assert 0 <= found.p <= 1
    assert -1.001 <= found.low <= found.high <= 1.001
    assert 0 < sign_flip(clusters.sums, draw=draw) <= 1
    error = clusters.standard_error
    assert math.isfinite(error)
    seen = detectable_drop(error, len(clusters.sums), alpha=0.03)
    assert seen is None or 0 < seen < math.inf
    if error > 1e-6 and len(clusters.sums) > 1:
        assert clusters_needed(error, len(clusters.sums), 0.02, alpha=0.03) >= 6


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(STEPS, st.integers(1, 2_000)), min_size=2, max_size=12, unique_by=lambda entry: entry[0]))
def test_clusters_of_any_size_have_an_interval(entries: list[tuple[float, int]]) -> None:
    changes = [change for change, size in entries for _ in range(size)]
    names = [number for number, (_, size) in enumerate(entries) for _ in range(size)]
    found = approximate_bootstrap(clustered(changes, names))
    assert 0 < found.p <= 1
    assert -1.001 <= found.low <= found.high <= 1.001


def test_a_larger_drop_is_never_less_sure() -> None:
    """Skewed changes, moved down step by step: p falls all the way."""
    skewed = [0.0] * 15 + [-0.3, -0.5, -1.0, -1.0, 0.2]
    found = [approximate_bootstrap(clustered([change - step / 50 for change in skewed])).p for step in range(60)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 1e-6
