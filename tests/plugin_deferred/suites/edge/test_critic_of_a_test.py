"""A critic that closes with each test."""

import pytest

from conftest import ClosingCritic

gate = pytest.mark.ragas(thresholds={"judged": 0.5})


@pytest.fixture
def ragas_critic_llm():
    critic = ClosingCritic()
    yield critic
    critic.closed = True


@gate
def test_function_critic(ragas_sample):
    return "0.9"


@gate
def test_function_critic_low(ragas_sample):
    return "0.2"


@gate
@pytest.mark.xfail(reason="known weak")
def test_function_critic_xfail(ragas_sample):
    return "0.2"
