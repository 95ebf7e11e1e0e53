"""A critic that closes with its module."""

import pytest

from conftest import ClosingCritic

gate = pytest.mark.ragas(thresholds={"judged": 0.5})


@pytest.fixture(scope="module")
def ragas_critic_llm():
    critic = ClosingCritic()
    yield critic
    critic.closed = True


@gate
@pytest.mark.parametrize("word", ["0.9", "0.2", "0.8"])
def test_module_critic(ragas_sample, word):
    return word
