"""A metric that notes what it scores, and a test that waits until it does."""

import threading
import time

import pytest

from pytest_ragas import MetricSpec, Score

scored = []
lock = threading.Lock()


class Noted:
    name = "noted"

    async def score(self, sample):
        with lock:
            scored.append(sample.response)
            with open("scored.txt", "a") as file:
                print(sample.response, file=file)
        return Score(metric="noted", value=0.2 if "LOW" in sample.response else 0.9)


def pytest_ragas_register_metrics(register):
    register(
        MetricSpec(
            name="noted", backend="free", needs=frozenset({"response"}), uses=frozenset(),
            factory=lambda context: Noted(), version="1", summary="what was scored",
        )
    )  # fmt: skip


def rows(*answers):
    return [{"id": answer, "user_input": f"question {answer}", "response": answer} for answer in answers]


@pytest.fixture
def recorder(ragas_sample):
    ragas_sample.record(response="anew")


def wait_until_scored(answer):
    for _ in range(4000):
        with lock:
            if answer in scored:
                return
        time.sleep(0.005)
    raise AssertionError(f"{answer} was never scored")
