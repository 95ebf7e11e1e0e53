"""The first test of the run sees that the last one's answer is scored already."""

import pytest

from conftest import rows, wait_until_scored


@pytest.mark.ragas(thresholds={"noted": 0.5})
def test_live(ragas_sample):
    wait_until_scored("z")
    return "live"


@pytest.mark.ragas(testset=rows("a", "LOW", "z"), thresholds={"noted": 0.5})
def test_recorded(ragas_sample):
    """With a docstring."""
