"""A patch that stays from the first test that uses it to the end of the module."""

import time

import pytest

gate = pytest.mark.ragas(thresholds={"clean": 0.5})


@gate
def test_before(ragas_sample):
    return "10"


def test_patches_the_module(wide_patch):
    time.sleep(0.1)


@gate
def test_in_the_module(ragas_sample):
    return "5"


@gate
def test_also(ragas_sample):
    return "5"
