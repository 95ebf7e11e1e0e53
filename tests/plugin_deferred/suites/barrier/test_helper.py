"""A helper inside of a patched test is answered, patched or not: its test asked for it."""

import pytest

from pytest_ragas import Sample, assert_scores


@pytest.mark.ragas(thresholds={"clean": 0.5})
def test_before(ragas_sample):
    return "10"


def test_helper(respx_mock):
    assert_scores(Sample(user_input="q", response="1"), clean=0.0)


@pytest.mark.ragas(thresholds={"clean": 0.0}, scoring="blocking")
def test_blocking(ragas_sample, respx_mock):
    return "1"
