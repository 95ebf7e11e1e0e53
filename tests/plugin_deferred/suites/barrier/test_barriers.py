"""Marked tests whose scoring takes a while, between tests that patch the process for a while."""

import time

import pytest

gate = pytest.mark.ragas(thresholds={"clean": 0.5})


@gate
@pytest.mark.parametrize("number", range(2))
def test_before(ragas_sample, number):
    return "10"


def test_known(respx_mock):
    time.sleep(0.1)


@gate
def test_between(ragas_sample):
    return "10"


def test_of_the_ini(my_patch):
    time.sleep(0.1)


@gate
def test_patching_itself(ragas_sample, respx_mock):
    """Its own answer is scored when its patches are gone."""
    return "5"


@gate
def test_in_a_row(ragas_sample):
    return "10"


@pytest.mark.ragas_barrier
def test_marked():
    from conftest import PATCHED

    PATCHED.append(True)
    time.sleep(0.1)
    PATCHED.pop()


@gate
def test_at_the_end(ragas_sample):
    return "10"


def test_that_asks_as_it_runs(request):
    """Nobody knew of it before: scoring comes to rest when the fixture is set up."""
    request.getfixturevalue("respx_mock")
    time.sleep(0.1)
