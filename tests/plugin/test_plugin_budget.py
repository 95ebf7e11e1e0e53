"""`--ragas-max-calls`, `--ragas-max-tokens`, `--ragas-max-usd`: what has no room is not run, and never green."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

# One request for each row; what the critic says is what the answer says.
CRITIC = """
from pytest_ragas import Message, ScriptedCritic
from pytest_ragas.models.scripted import Answer
from pytest_ragas.values.model import Usage

ASKED = []


def said(messages, schema):
    ASKED.append(messages[-1].content)
    usage = Usage(calls=1, prompt_tokens=100, completion_tokens=20)
    return Answer(value={"value": float(messages[-1].content)}, usage=usage)


@pytest.fixture(scope="session")
def ragas_critic_llm():
    return ScriptedCritic(said, name="judge")


class Judged:
    SCHEMA = {"title": "Value", "type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}

    def __init__(self, context):
        self.name, self.critic = context.name, context.critic

    async def score(self, sample):
        answer = await self.critic.ask([Message(role="user", content=sample.response)], self.SCHEMA)
        return Score(metric=self.name, value=answer.value["value"])


def pytest_ragas_register_metrics(register):
    register(MetricSpec(
        name="judged", backend="native", needs=frozenset({"response"}), uses=frozenset({"llm"}),
        factory=Judged, version="1", summary="what the critic says",
    ))


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        print(f"asked {len(ASKED)}")
"""

# The answers of a `ScriptedCritic` are not stored; those of this one are.
STORED = """
@pytest.fixture(scope="session")
def ragas_critic_llm():
    critic = ScriptedCritic(said)
    critic._identity = __import__("pytest_ragas").ModelIdentity(provider="mine", name="judge")
    return critic
"""

SUITE = """
@pytest.mark.ragas(testset="testset.json", thresholds={"judged": 0.5})
def test_rag(ragas_sample):
    pass
"""


@pytest.fixture
def judged(rag_project):
    """Five rows, of which each costs one call of 120 tokens."""
    return rag_project.conftest(CRITIC).testset("0.9", "0.8", "0.7", "0.6", "0.95").tests(SUITE)


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_what_has_no_room_is_an_error_that_says_so(judged, scoring):
    result = judged.run("--ragas-max-calls=3", f"--ragas-scoring={scoring}", "--junit-xml=junit.xml", "-s")
    result.assert_outcomes(passed=3, errors=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "judged was not run: the budget of 3 calls (--ragas-max-calls) has no room for another call: 3 were made",
            "budget: 3 of 3 calls; 2 calls had no room and were not made",
            "ERROR test_rag.py::test_rag[[]q*[]] - NotRun: judged was not run: the budget of 3 calls*",
        ]
    )
    assert "asked 3" in result.stdout.str()
    cases = list(ElementTree.parse(judged.path / "junit.xml").iter("testcase"))
    assert sum(case.find("error") is not None for case in cases) == 2
    assert not any(case.find("failure") is not None or case.find("skipped") is not None for case in cases)


def test_gates_over_what_was_not_run_are_incomplete(judged):
    gate = "--ragas-fail-under=mean(judged) >= 0.5"
    result = judged.run("--ragas-max-calls=3", gate)
    result.stdout.fnmatch_lines(["gate incomplete: mean(judged) >= 0.5: 3 of 5 samples have a score*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_workers_share_the_budget(judged):
    result = judged.run("--ragas-max-calls=3", "-n2")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] <= 3
    assert outcomes["passed"] + outcomes["errors"] == 5
    result.stdout.fnmatch_lines([f"budget: {outcomes['passed']} of 3 calls; *"])


def test_tokens(judged):
    result = judged.run("--ragas-max-tokens=1500", "-s")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["budget: 600 of 1,500 tokens"])


def test_no_room_at_all(judged):
    result = judged.run("--ragas-max-tokens=0", "-s")
    result.assert_outcomes(errors=5)
    assert "asked 0" in result.stdout.str()


PRICED = """
[tool.pytest-ragas]
max_usd = 0.002
[tool.pytest-ragas.prices]
judge = { input = 5, output = 25 }
"""


def test_dollars(judged):
    # $0.001 each; until one is there, it may cost $0.026
    result = judged.config(PRICED).run("--ragas-max-usd=0.0265", "-s")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["budget: $0.0050 of $0.0265"])
    result = judged.run("-s")
    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines(["*the budget of $0.0020 (--ragas-max-usd) has no room for another call*"])
    assert "asked 0" in result.stdout.str()


def test_an_assertion_that_has_no_room_is_an_error(judged):
    judged.tests("def test_it(): assert_scores(Sample(response='0.9'), judged=0.5)")
    result = judged.run("--ragas-max-calls=0")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*NotRun: judged was not run: the budget of 0 calls*"])


UNPRICED = """
[tool.pytest-ragas.critic_llm]
model_name = "gpt-4o-mini"
api_base = "http://127.0.0.1:9/v1"
"""


@pytest.mark.parametrize("arguments", [["--ragas-max-usd=1"], ["--ragas-max-usd=1", "-n2"]], ids=["alone", "n2"])
def test_an_unpriced_model_ends_the_run_before_it_begins(rag_project, arguments):
    result = rag_project.config(UNPRICED).testset("0.9").tests(SUITE).run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stdout.str() + result.stderr.str()
    assert "the model 'gpt-4o-mini' (critic_llm.model_name) has no price" in text
    assert '"gpt-4o-mini" = { input = 0.15, output = 0.60 }' in text


def test_an_unpriced_model_of_a_fixture_is_an_error_before_any_call(judged):
    judged.conftest(
        CRITIC.replace(
            '    return ScriptedCritic(said, name="judge")',
            "    critic = ScriptedCritic(said)\n"
            "    critic._identity = __import__('pytest_ragas').ModelIdentity(provider='mine', name='judge')\n"
            "    return critic",
        )
    )
    result = judged.run("--ragas-max-usd=1", "-s")
    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines(["*the model 'judge' (of a fixture) has no price*"])
    assert "asked 0" in result.stdout.str()


def test_the_next_run_goes_on_where_this_one_stopped(judged):
    """What is stored costs nothing."""
    judged.conftest(CRITIC + STORED)
    judged.run("--ragas-max-calls=3").assert_outcomes(passed=3, errors=2)
    result = judged.run("--ragas-max-calls=3")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["budget: 2 of 3 calls"])
    result = judged.run("--ragas-max-calls=0")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["budget: 0 of 0 calls"])


def test_without_a_budget_nothing_is_said(judged):
    result = judged.run()
    result.assert_outcomes(passed=5)
    assert "budget:" not in result.stdout.str()


def test_a_worker_may_spend_what_the_others_do_not(judged):
    """All the tests that ask are one worker's."""
    judged.tests(SUITE.replace("@pytest", "@pytest.mark.xdist_group('one')\n@pytest"))
    judged.tests("import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_idle(n): pass", name="test_idle.py")
    result = judged.run("--ragas-max-calls=5", "-n2", "--dist=loadgroup")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["budget: 5 of 5 calls"])


CRASHES = """
import os

@pytest.mark.ragas(testset="testset.json", thresholds={"judged": 0.5}, scoring="blocking")
@pytest.mark.xdist_group("one")
def test_rag(ragas_sample):
    if ragas_sample.id == "q3":
        os._exit(1)
"""


def test_what_a_worker_spent_before_it_crashed_is_spent(judged):
    """Two rows are paid for, the third one kills the worker, and the one that takes its place has what is left."""
    result = judged.tests(CRASHES).run("--ragas-max-calls=3", "-n1")
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["errors"]) == (3, 1)
    result.stdout.fnmatch_lines(["budget: 3 of 3 calls; 1 call had no room and was not made"])


SLOW = CRITIC.replace('ScriptedCritic(said, name="judge")', 'ScriptedCritic(said, name="judge", latency=0.6)')


def test_from_the_end_of_the_time_nothing_is_asked(judged, xdist_args):
    """One call at a time, on all workers together: what is scored by then counts, the rest are errors and never green.

    How many that are is not asserted: on a busy machine the time is up before the workers are there.
    """
    judged.conftest(SLOW).testset(*(f"0.9{number:02}" for number in range(40)))
    gate = "--ragas-fail-under=mean(judged) >= 0.5"
    result = judged.run("--ragas-max-seconds=8", "--ragas-concurrency=1", gate, *xdist_args)
    outcomes = result.parseoutcomes()
    assert outcomes["errors"] >= 20
    assert outcomes.get("passed", 0) + outcomes["errors"] == 40
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    why = "the time of the run is up: after 8 s (--ragas-max-seconds) no further call is made"
    result.stdout.fnmatch_lines(
        [
            f"judged was not run: {why}",
            "gate incomplete: *",
            "budget: * of 8.00 s*",
            "ERROR *NotRun: judged was not run:*",
        ]
    )


def test_stored_judgements_count_when_the_time_is_up(judged):
    judged.conftest(CRITIC + STORED)
    judged.run().assert_outcomes(passed=5)
    judged.testset("0.9", "0.8", "0.7", "0.6", "0.95", "0.65")
    result = judged.run("--ragas-max-seconds=0.001")
    result.assert_outcomes(passed=5, errors=1)


@pytest.mark.parametrize("mode", ["warn", "skip"])
def test_what_was_not_run_is_never_softened(judged, mode):
    judged.run("--ragas-max-calls=3", f"--ragas-on-error={mode}").assert_outcomes(passed=3, errors=2)
    judged.run("--ragas-max-seconds=0.001", f"--ragas-on-error={mode}").assert_outcomes(errors=5)
