"""A patch that nobody knows."""

import time

import pytest


@pytest.mark.ragas(thresholds={"clean": 0.5})
def test_before(ragas_sample):
    return "20"


def test_patches(unknown_patch):
    time.sleep(0.3)
