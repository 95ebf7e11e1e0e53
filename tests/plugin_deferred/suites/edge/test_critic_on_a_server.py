"""A critic that has no teardown of its own, but depends on something that has."""

import pytest

from conftest import ClosingCritic

gate = pytest.mark.ragas(thresholds={"judged": 0.5})


@pytest.fixture(scope="module")
def server():
    critic = ClosingCritic()
    yield critic
    critic.closed = True


@pytest.fixture(scope="module")
def ragas_critic_llm(server):
    return server


@gate
def test_server_critic(ragas_sample):
    return "0.9"


@gate
def test_server_critic_low(ragas_sample):
    return "0.2"
