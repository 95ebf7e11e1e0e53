import pytest

from conftest import rows


@pytest.mark.ragas(testset=rows("b", 2), thresholds={"asked": 0.5})
def test_rag(ragas_sample):
    pass
