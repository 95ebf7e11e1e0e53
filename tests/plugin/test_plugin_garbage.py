"""Python's garbage collector while the tests of a large suite run."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pytest_ragas.plugin.garbage import LARGE, larger_steps

PYTHONS_OWN = (700, 10, 10)


@pytest.fixture(autouse=True)
def threshold() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*PYTHONS_OWN)
    yield
    gc.enable()
    gc.set_threshold(*before)


def test_a_large_suite_is_looked_through_less_often() -> None:
    with larger_steps(LARGE):
        assert gc.get_threshold() == (10_000, 10, 10)
    assert gc.get_threshold() == PYTHONS_OWN


def test_it_ends_with_the_run_however_that_ends() -> None:
    with pytest.raises(KeyboardInterrupt), larger_steps(LARGE):
        raise KeyboardInterrupt
    assert gc.get_threshold() == PYTHONS_OWN


def test_a_small_suite_is_left_alone() -> None:
    with larger_steps(LARGE - 1):
        assert gc.get_threshold() == PYTHONS_OWN


@pytest.mark.parametrize("chosen", [(0, 10, 10), (50_000, 20, 20)])
def test_what_somebody_has_chosen_is_left_alone(chosen: tuple[int, int, int]) -> None:
    gc.set_threshold(*chosen)
    with larger_steps(LARGE):
        assert gc.get_threshold() == chosen
    assert gc.get_threshold() == chosen


def test_a_collector_that_is_off_is_left_alone() -> None:
    gc.disable()
    with larger_steps(LARGE):
        assert gc.get_threshold() == PYTHONS_OWN


def test_what_a_test_chooses_stays() -> None:
    with larger_steps(LARGE):
        gc.set_threshold(1_234, 5, 6)
    assert gc.get_threshold() == (1_234, 5, 6)


@pytest.mark.parametrize("plain", [1, LARGE])
def test_a_run(pytester: pytest.Pytester, plain: int) -> None:
    pytester.makepyfile(
        f"""
        import gc
        import pytest

        @pytest.mark.parametrize("number", range({plain}))
        def test_plain(number):
            pass

        @pytest.mark.ragas(metrics=["exact_match"])
        def test_marked(ragas_sample):
            assert gc.get_threshold()[0] == {10_000 if plain >= LARGE else 700}
            ragas_sample.record(user_input="q", response="a", reference="a")
        """
    )
    result = pytester.runpytest_inprocess("-q")
    result.assert_outcomes(passed=plain + 1)
    assert gc.get_threshold() == PYTHONS_OWN
