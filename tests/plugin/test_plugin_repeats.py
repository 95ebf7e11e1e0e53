"""`--ragas-repeats` and `repeats=`: the same answer judged several times."""

from __future__ import annotations

import pytest

# The answer says what the critic says each time: "0.2 0.6 1.0".
CRITIC = """
from pytest_ragas import Message, ScriptedCritic

ASKED = []


def said(messages, schema):
    answers = messages[-1].content.split()
    number = sum(asked == messages[-1].content for asked in ASKED)
    ASKED.append(messages[-1].content)
    return {"value": float(answers[min(number, len(answers) - 1)])}


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


def pytest_ragas_register_metrics(register, before=pytest_ragas_register_metrics):
    before(register)
    register(MetricSpec(
        name="judged", backend="native", needs=frozenset({"response"}), uses=frozenset({"llm"}),
        factory=Judged, version="1", summary="what the critic says",
    ))


def pytest_sessionfinish(session):
    if ASKED:
        print(f"asked {len(ASKED)}")
"""

SUITE = """
@pytest.mark.ragas(testset="testset.json", thresholds={"judged": 0.5})
def test_rag(ragas_sample):
    pass
"""


@pytest.fixture
def judged(rag_project):
    return rag_project.conftest(CRITIC).tests(SUITE)


def test_one_judgement_is_the_default(judged):
    result = judged.testset("0.4 1.0 1.0").run("-s")
    result.assert_outcomes(failed=1)
    assert "asked 1" in result.stdout.str()
    assert "spread" not in result.stdout.str()


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_the_mean_is_the_score_and_the_spread_is_shown(judged, scoring):
    result = judged.testset("0.2 0.6 1.0").run("--ragas-repeats=3", "-s", f"--ragas-scoring={scoring}")
    result.assert_outcomes(passed=1)
    assert "asked 3" in result.stdout.str()
    result.stdout.fnmatch_lines(["metric  n  mean  spread *", "judged  1  0.60  ± 0.40 *"])


def test_workers_send_the_spread(judged):
    result = judged.testset("0.2 0.6 1.0", "0.9 0.9 0.9").run(
        "--ragas-repeats=3", "-n2", "--ragas-threshold=judged=0.55"
    )
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["metric  n  mean  spread *"])


def test_a_failure_tells_the_spread(judged):
    result = judged.testset("0.0 0.6 0.6").run("--ragas-repeats=3")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["judged 0.40 < 0.50", "*judged: mean of 3 repeats, 0.00 to 0.60, standard deviation 0.35"]
    )


def test_the_median(judged):
    judged.testset("0.0 0.6 0.6").run("--ragas-repeats=3", "--ragas-repeats-by=median").assert_outcomes(passed=1)


def test_a_decided_row_is_not_judged_again(judged):
    result = judged.testset("0.0 0.0 1.0").run("--ragas-repeats=3", "-s")
    result.assert_outcomes(failed=1)
    assert "asked 2" in result.stdout.str()


def test_the_marker_wins(judged):
    judged.tests(SUITE.replace("ragas(", "ragas(repeats=3, "))
    result = judged.testset("0.4 0.6 0.6").run("-s")
    result.assert_outcomes(passed=1)
    assert "asked 3" in result.stdout.str()
    result = judged.tests(SUITE.replace("ragas(", "ragas(repeats=1, ")).run("--ragas-repeats=3", "-s")
    result.assert_outcomes(failed=1)
    assert "asked 1" in result.stdout.str()


@pytest.mark.parametrize("written", ["0", "True", "'3'", "2.5"])
def test_a_marker_that_cannot_be_read(judged, written):
    judged.testset("0.9").tests(SUITE.replace("ragas(", f"ragas(repeats={written}, "))
    result = judged.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"repeats={written} in the ragas marker of *must be a whole number of 1 or more.*"])


def test_metrics_that_ask_no_llm_are_not_repeated(judged):
    judged.tests(SUITE.replace('{"judged"', '{"quality"'))
    result = judged.testset("0.9").run("--ragas-repeats=3")
    result.assert_outcomes(passed=1)
    assert "spread" not in result.stdout.str()


def test_repeats_count_against_a_budget(judged):
    result = judged.testset("0.4 0.6 0.6").run("--ragas-repeats=3", "--ragas-max-calls=2")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["judged was not run: the budget of 2 calls*"])


def test_assertion_helpers_repeat_too(judged):
    judged.tests("def test_it(): assert_scores(Sample(response='0.4 0.6 0.6'), judged=0.5)")
    judged.run("--ragas-repeats=3").assert_outcomes(passed=1)


STORED = """
from pytest_ragas.models.scripted import ScriptedCritic as Scripted
from pytest_ragas.values.model import ModelIdentity


@pytest.fixture(scope="session")
def ragas_critic_llm():
    critic = Scripted(said)
    critic._identity = ModelIdentity(provider="mine", name="judge")
    return critic
"""


def test_each_repeat_is_stored_and_none_is_asked_again(judged):
    judged.conftest(CRITIC + STORED).testset("0.4 0.6 0.6")
    assert "asked 3" in judged.run("--ragas-repeats=3", "-s").stdout.str()
    result = judged.run("--ragas-repeats=3", "-s")
    result.assert_outcomes(passed=1)
    assert "asked " not in result.stdout.str()
    result = judged.run("--ragas-repeats=4", "-s")
    result.assert_outcomes(passed=1)
    assert "asked 1" in result.stdout.str()
