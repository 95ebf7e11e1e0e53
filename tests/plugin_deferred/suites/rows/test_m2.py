import pytest

from conftest import rows

pytestmark = pytest.mark.ragas(testset=rows(20, 8), thresholds={"quality": 0.5})


def test_rag(ragas_sample, rag):
    return rag(ragas_sample.user_input)
