"""The same with a critic of the module's own, from its first test on."""

import pytest

from conftest import rows, wait_until_scored
from pytest_ragas import ScriptedCritic


@pytest.fixture(scope="module")
def ragas_critic_llm():
    return ScriptedCritic([])


@pytest.mark.ragas(thresholds={"noted": 0.5})
def test_live(ragas_sample):
    wait_until_scored("own z")
    return "live"


@pytest.mark.ragas(testset=rows("own a", "own z"), thresholds={"noted": 0.5})
def test_recorded(ragas_sample): ...
