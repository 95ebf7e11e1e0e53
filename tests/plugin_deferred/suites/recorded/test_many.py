"""The first answer is bad: with -x, most of the others are never scored."""

import pytest

from conftest import rows


@pytest.mark.ragas(testset=rows("LOW", *"abcdefghij"), thresholds={"noted": 0.5})
def test_row(ragas_sample):
    pass
