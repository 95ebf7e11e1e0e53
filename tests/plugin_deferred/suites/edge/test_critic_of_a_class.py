"""A critic that closes with its class, or when its parameter changes, in the setup of a test."""

import pytest

from conftest import ClosingCritic

gate = pytest.mark.ragas(thresholds={"judged": 0.5})


@pytest.fixture(scope="class", params=["one", "two"])
def ragas_critic_llm():
    critic = ClosingCritic()
    yield critic
    critic.closed = True


class TestOwnCritic:
    @gate
    def test_class_critic(self, ragas_sample):
        return "0.9"

    @gate
    def test_class_critic_low(self, ragas_sample):
        return "0.2"


class TestAnother:
    @gate
    def test_class_critic(self, ragas_sample):
        return "0.9"

    def test_plain_that_closes_it(self):
        pass
