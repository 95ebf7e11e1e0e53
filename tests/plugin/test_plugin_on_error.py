"""`--ragas-on-error`: a critic that does not answer need not turn a build red; what is wrong with the suite does."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

SUITE = """
@pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
def test_rag(ragas_sample):
    pass
"""

MODES = pytest.mark.parametrize("scoring", [[], ["--ragas-scoring=blocking"]], ids=["deferred", "blocking"])


@pytest.fixture
def project(rag_project):
    """A pass, a failure, and a row that the critic does not answer for."""
    return rag_project.testset("0.9", "0.4", "BOOM").tests(SUITE)


def test_an_error_is_the_default(project):
    project.run().assert_outcomes(passed=1, failed=1, errors=1)
    project.run("--ragas-on-error=error").assert_outcomes(passed=1, failed=1, errors=1)


@MODES
def test_warn(project, xdist_args, scoring):
    result = project.run("--ragas-on-error=warn", "--junit-xml=junit.xml", *scoring, *xdist_args)
    result.assert_outcomes(passed=2, failed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "test_rag.py::test_rag[[]q3[]]",
            "*PytestRagasWarning: quality could not be scored: the server answered 401. Check the key. "
            "(--ragas-on-error=warn: the test passes, gates miss its score)*",
        ]
    )
    result.stdout.fnmatch_lines(["metric *unscored", "quality *1"])
    cases = {case.get("name"): case for case in ElementTree.parse(project.path / "junit.xml").iter("testcase")}
    assert cases["test_rag[q2]"].find("failure") is not None
    assert [child.tag for child in cases["test_rag[q3]"] if child.tag != "properties"] == []


@MODES
def test_skip(project, xdist_args, scoring):
    result = project.run("--ragas-on-error=skip", "-rs", *scoring, *xdist_args)
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["SKIPPED [[]1[]] test_rag.py:*: quality could not be scored: the server answered 401.*"]
    )


@pytest.mark.parametrize("mode", ["warn", "skip"])
def test_gates_miss_the_score_all_the_same(rag_project, xdist_args, mode):
    rag_project.testset("0.9", "BOOM", "0.8", "0.7").tests(SUITE)
    gates = ["--ragas-fail-under=mean(quality) >= 0.5", "--ragas-fail-under=pass_rate() >= 0.5"]
    result = rag_project.run(f"--ragas-on-error={mode}", *gates, *xdist_args)
    assert result.parseoutcomes().get("errors", 0) == 0
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "gate incomplete: mean(quality) >= 0.5: 3 of 4 samples have a score*",
            "gate incomplete: pass_rate() >= 0.5: 3 of 4 samples have a score*",
        ]
    )
    result = rag_project.run(f"--ragas-on-error={mode}", "--ragas-min-coverage=0.7", *gates, *xdist_args)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["gate passed: mean(quality) 0.80 >= 0.50 (3 of 4 samples)"])


@pytest.mark.parametrize("mode", ["warn", "skip"])
def test_a_broken_threshold_stays_a_failure_whatever_else_is_missing(rag_project, mode):
    rag_project.conftest(
        """
        class Down:
            name = "down"
            async def score(self, sample):
                raise RejectedRequestError("the server answered 401.")

        def pytest_ragas_register_metrics(register, before=pytest_ragas_register_metrics):
            before(register)
            register(MetricSpec(name="down", backend="free", needs=frozenset(), uses=frozenset(),
                factory=lambda context: Down(), version="1", summary="down"))
        """
    ).testset("0.2").tests(SUITE.replace('"quality": 0.5', '"quality": 0.5, "down": 0.5'))
    rag_project.run(f"--ragas-on-error={mode}").assert_outcomes(failed=1)


@pytest.mark.parametrize("mode", ["warn", "skip"])
def test_what_is_wrong_with_the_suite_stays_an_error(rag_project, mode):
    rag_project.conftest(
        """
        from pytest_ragas.errors import NothingToJudgeError

        class Wrong:
            def __init__(self, context):
                self.name = context.name
            async def score(self, sample):
                if sample.response == "empty":
                    raise NothingToJudgeError("there is nothing to judge")
                return 1 / 0

        def pytest_ragas_register_metrics(register, before=pytest_ragas_register_metrics):
            before(register)
            register(MetricSpec(name="wrong", backend="free", needs=frozenset(), uses=frozenset(),
                factory=Wrong, version="1", summary="wrong"))
        """
    ).testset("0.9", "empty").tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"wrong": 0.5})
        def test_metric(ragas_sample): pass

        @pytest.mark.ragas(testset="testset.json", thresholds={"right": 0.5})
        def test_row(ragas_sample): pass

        @pytest.mark.ragas(testset="testset.json", thresholds={"context_recall": 0.5})
        def test_fixture(ragas_sample, missing): pass
        """
    )
    result = rag_project.run(f"--ragas-on-error={mode}")
    result.assert_outcomes(errors=6)


def test_the_assertion_helpers(rag_project, xdist_args):
    rag_project.tests(
        """
        def test_low(): assert_scores(Sample(response="0.2"), quality=0.5)
        def test_boom(): assert_scores(Sample(response="BOOM"), quality=0.5)
        def test_scores(ragas): ragas.score(Sample(response="BOOM"), "quality")
        """
    )
    rag_project.run("--ragas-on-error=skip", *xdist_args).assert_outcomes(failed=1, skipped=2)
    rag_project.run("--ragas-on-error=warn", *xdist_args).assert_outcomes(failed=1, passed=2, warnings=2)


@pytest.mark.parametrize("scoring", ["deferred", "blocking"])
def test_expected_failures_are_not_met_by_a_critic_that_is_down(rag_project, scoring):
    rag_project.testset("BOOM").tests(SUITE.replace("def test", "@pytest.mark.xfail(strict=True)\ndef test"))
    arguments = [f"--ragas-scoring={scoring}"]
    rag_project.run("--ragas-on-error=skip", *arguments).assert_outcomes(skipped=1)
    rag_project.run("--ragas-on-error=warn", *arguments).assert_outcomes(passed=1, warnings=1)


def test_nobody_stops_at_a_softened_error(rag_project):
    """Neither -x nor a hook that looks at failures."""
    rag_project.conftest(
        """
        def pytest_exception_interact(node, call, report):
            print("INTERACT", report.outcome)
        """
    ).testset("BOOM", "0.9").tests(SUITE)
    result = rag_project.run("--ragas-on-error=warn", "-x", "-s")
    result.assert_outcomes(passed=2, warnings=1)
    assert "INTERACT" not in result.stdout.str()


def test_what_is_not_stored_stays_an_error_in_replay(rag_project):
    rag_project.testset("0.9").tests(SUITE).run("--ragas-cache=read-write")
    rag_project.testset("BOOM")
    result = rag_project.run("--ragas-cache=replay", "--ragas-on-error=skip")
    result.assert_outcomes(errors=1)
