"""Rows whose answers are said by variables: LOW, BOOM and so on list the numbers of the questions."""

import asyncio
import os
import sys
import time

import pytest

from pytest_ragas import MetricSpec, Score
from pytest_ragas.errors import RejectedRequestError

DELAY = float(os.environ.get("SUITE_DELAY", "0.02"))


def listed(name):
    return set(filter(None, os.environ.get(name, "").split(",")))


def note(*words):
    with open("events.txt", "a") as file:
        print(*words, file=file, flush=True)


class Quality:
    name = "quality"

    async def score(self, sample):
        number, word = sample.response.split()
        note("scoring", number)
        # later rows are scored faster: verdicts come in another order than the tests
        await asyncio.sleep(DELAY if int(number) % 2 else DELAY / 4)
        if number in listed("STUCK"):
            await asyncio.sleep(600)
        if word == "BOOM":
            raise RejectedRequestError("the server answered 401. Check the key.")
        note("scored", number)
        return Score(metric="quality", value=0.2 if word == "LOW" else 0.9)


def pytest_ragas_register_metrics(register):
    register(
        MetricSpec(
            name="quality", backend="free", needs=frozenset({"response"}), uses=frozenset(),
            factory=lambda context: Quality(), version="1", summary="what the answer says",
        )
    )  # fmt: skip


@pytest.fixture(scope="session")
def index():
    note("session up")
    yield
    note("session down")


@pytest.fixture(scope="module")
def store(request, index):
    box = {"open": True}
    note("module up", request.module.__name__)
    yield box
    box["open"] = False
    note("module down", request.module.__name__)
    if request.module.__name__ in listed("BAD_STORE"):
        raise RuntimeError("the store did not close")


@pytest.fixture
def rag(store):
    asked = []

    def ask(question):
        assert store["open"]
        number = question.split()[1]
        asked.append(number)
        note("body", number)
        if number in listed("BROKEN"):
            raise ValueError("the pipeline broke")
        if number in listed("SKIPPED"):
            pytest.skip("not today")
        if number in listed("FLAKY") and not os.path.exists(f"flaky{number}"):
            open(f"flaky{number}", "w").close()
            return f"{number} LOW"
        if number in listed("SLOW"):
            time.sleep(0.3)
        if number in listed("CRASH") and not os.path.exists(f"crashed{number}"):
            open(f"crashed{number}", "w").close()
            wait_for_scoring()
            sys.stdout.flush()
            os._exit(42)
        if number in listed("EXIT"):
            pytest.exit("asked to", returncode=9)
        return f"{number} {'LOW' if number in listed('LOW') else 'BOOM' if number in listed('BOOM') else 'good'}"

    yield ask
    if set(asked) & listed("LINGER"):
        while f"scored {os.environ['LINGER_FOR']}" not in open("events.txt").read():
            time.sleep(0.01)
        time.sleep(0.1)  # the verdict is there a moment after


def wait_for_scoring():
    """Until an earlier test of this process is held, its scores on the way."""
    time.sleep(0.05)


def rows(start, count):
    return [{"id": f"q{number:02}", "user_input": f"question {number:02}"} for number in range(start, start + count)]
