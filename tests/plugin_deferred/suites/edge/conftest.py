"""What the tests of this suite need: metrics that say what an answer says, after a while, and fixtures that close."""

import asyncio
import logging
import os

import pytest

from pytest_ragas import MetricSpec, Score, ScriptedCritic
from pytest_ragas.errors import RejectedRequestError

DELAY = float(os.environ.get("SUITE_DELAY", "0.04"))
SCHEMA = {"title": "Said", "type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}


class Spoken:
    """The first word of the answer is the score. BOOM: there is none. NOISY: scoring logs."""

    def __init__(self, name):
        self.name = name

    async def score(self, sample):
        words = sample.response.split()
        await asyncio.sleep(DELAY)
        if "NOISY" in words:
            logging.getLogger("critic").warning("scoring %s", sample.response)
        if words[0] == "BOOM":
            raise RejectedRequestError("the server answered 401. Check the key.")
        return Score(metric=self.name, value=float(words[0]), reason="the answer says so")


class Judged:
    """The critic LLM says the score."""

    name = "judged"

    def __init__(self, critic):
        self.critic = critic

    async def score(self, sample):
        from pytest_ragas.values.model import Message

        for _ in range(2):
            answer = await self.critic.ask([Message(role="user", content=sample.response)], SCHEMA)
        return Score(metric="judged", value=answer.value["value"])


def pytest_ragas_register_metrics(register):
    def add(name, factory, uses=frozenset()):
        register(
            MetricSpec(
                name=name, backend="free", needs=frozenset({"response"}), uses=uses, factory=factory,
                version="1", summary="what the answer says",
            )
        )  # fmt: skip

    add("quality", lambda context: Spoken(context.name))
    add("style", lambda context: Spoken(context.name))
    add("judged", lambda context: Judged(context.critic), frozenset({"llm"}))


class ClosingCritic(ScriptedCritic):
    """A critic that must not be asked after its fixture was torn down."""

    def __init__(self):
        self.closed = False
        super().__init__(self.say, latency=DELAY)

    def say(self, messages, schema):
        if self.closed:
            raise RuntimeError("the critic was asked after its teardown")
        return {"value": float(messages[0].content.split()[0])}


@pytest.fixture(scope="session")
def session_thing():
    box = {"open": True}
    yield box
    box["open"] = False


@pytest.fixture(scope="module")
def module_thing(session_thing):
    assert session_thing["open"]
    box = {"open": True}
    yield box
    box["open"] = False


@pytest.fixture(scope="class")
def class_thing():
    box = {"open": True}
    yield box
    box["open"] = False


@pytest.fixture
def bad_setup():
    raise RuntimeError("the fixture's setup broke")


@pytest.fixture
def bad_teardown():
    yield
    raise RuntimeError("the fixture's teardown broke")


@pytest.fixture
def noisy_teardown():
    print("printed by the setup")
    yield
    print("printed by the teardown")
    logging.getLogger("app").warning("logged by the teardown")


@pytest.fixture
def sees_report(request):
    """The recipe of pytest's docs: a fixture that looks at the outcome of the test in its teardown."""
    yield
    print("call passed in time:", request.node.rep_setup.passed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """The recipe of pytest's docs: the fixtures of a test that failed."""
    report = yield
    setattr(item, "rep_" + call.when, report)
    if call.when == "call" and report.failed and "tmp_path" in item.fixturenames:
        report.sections.append(("from conftest", f"tmp_path was {item.funcargs['tmp_path'].name}"))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Something that goes wrong after the body, as warnings do that are errors."""
    try:
        return (yield)
    finally:
        if "breaks_late" in item.keywords:
            raise RuntimeError("it broke after the body") from None


def pytest_configure(config):
    config.addinivalue_line("markers", "breaks_late: something goes wrong after the body")


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"
