"""How a marked test ends: pass, failure, error, and what its report says."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

import pytest

SUITE = """
gate = pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5, "style": 0.3})

@gate
def test_rag(ragas_sample):
    pass
"""


def test_pass_failure_and_error_are_three_outcomes(rag_project, xdist_args):
    result = rag_project.testset("0.9", "0.4", "BOOM").tests(SUITE).run(*xdist_args)
    result.assert_outcomes(passed=1, failed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines_random(
        [
            "FAILED test_rag.py::test_rag[[]q2[]] - ThresholdFailure: quality 0.40 < 0.50",
            "ERROR test_rag.py::test_rag[[]q3[]] - ScoringError: quality could not be scored: the server an*",
        ]
    )


def block(result: pytest.RunResult, title: str) -> list[str]:
    """The lines of one failure or error."""
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if line.startswith("_") and title in line)
    end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith(("_", "=", "-")))
    return lines[start + 1 : end]


def test_a_threshold_failure_reads_in_twelve_lines(rag_project, xdist_args):
    answer = "0.2 but " + "very long " * 50
    result = rag_project.testset(answer).tests(SUITE).run(*xdist_args)
    lines = [line for line in block(result, "test_rag[q1]") if "[gw" not in line]
    assert lines == [
        "quality 0.20 < 0.50; style 0.20 < 0.30",
        "  row          q1 (testset.json row 1)",
        "  user_input   Question 1?",
        f"  response     {answer}"[:99] + "…",
        "  quality: the answer says so",
        "    - statement: It is so. (said so)",
        "  style: the answer says so",
        "    - statement: It is so. (said so)",
        "",
        "test_rag.py:6: ThresholdFailure",
    ]


def test_an_error_reads_in_twelve_lines(rag_project, xdist_args):
    result = rag_project.testset("BOOM").tests(SUITE).run(*xdist_args)
    lines = [line for line in block(result, "ERROR at setup of test_rag[q1]") if "[gw" not in line]
    assert lines == [
        "quality could not be scored: the server answered 401. Check the key.",
        "  row          q1 (testset.json row 1)",
        "  user_input   Question 1?",
        "  response     BOOM",
        "  style: likewise",
        "",
        "test_rag.py:6: ScoringError",
    ]


@pytest.mark.parametrize("style", ["auto", "long", "short", "line", "native"])
def test_no_traceback_style_shows_our_frames(rag_project, style):
    result = rag_project.testset("0.2", "BOOM").tests(SUITE).run(f"--tb={style}")
    result.assert_outcomes(failed=1, errors=1)
    assert "pytest_ragas" + os.sep not in result.stdout.str()
    assert "quality 0.20 < 0.50" in result.stdout.str()


def test_full_trace_shows_everything(rag_project):
    assert "pytest_ragas" + os.sep in rag_project.testset("0.2").tests(SUITE).run("--full-trace").stdout.str()


def test_captured_output_is_shown_with_the_failure(rag_project):
    result = rag_project.testset("0.2").tests(SUITE.replace("    pass", "    print('retrieved 3 chunks')")).run()
    result.stdout.fnmatch_lines(["quality 0.20 < 0.50*", "*Captured stdout call*", "retrieved 3 chunks"])


XFAIL = """
gate = pytest.mark.ragas(thresholds={"quality": 0.5})

@gate
@pytest.mark.xfail(reason="known weak")
def test_low(ragas_sample):
    return "0.2"

@gate
@pytest.mark.xfail(reason="known weak", raises=AssertionError, strict=True)
def test_low_strict(ragas_sample):
    return "0.2"

@gate
@pytest.mark.xfail(reason="known weak", strict=True)
def test_good_strict(ragas_sample):
    return "0.9"

@gate
@pytest.mark.xfail(reason="known weak")
def test_good(ragas_sample):
    return "0.9"

@gate
@pytest.mark.xfail(reason="known weak")
def test_boom(ragas_sample):
    return "BOOM"

@gate
@pytest.mark.xfail(reason="known weak")
def test_body(ragas_sample):
    assert 0
"""


def test_xfail_expects_a_broken_threshold_but_never_a_missing_score(rag_project, xdist_args):
    result = rag_project.tests(XFAIL).run("-rA", *xdist_args)
    result.assert_outcomes(xfailed=3, xpassed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines_random(
        ["FAILED *::test_good_strict*", "ERROR *::test_boom - ScoringError: quality could not be scored*"]
    )


def test_a_setup_that_fails_stays_an_error_and_a_teardown_that_fails_too(rag_project):
    result = rag_project.tests(
        """
        gate = pytest.mark.ragas(thresholds={"quality": 0.5})

        @pytest.fixture
        def broken_setup(): raise RuntimeError("no index")

        @pytest.fixture
        def broken_teardown():
            yield
            raise RuntimeError("no index")

        @gate
        def test_setup(broken_setup, ragas_sample): return "0.9"

        @gate
        def test_low_and_teardown(broken_teardown, ragas_sample): return "0.2"

        @gate
        def test_good_and_teardown(broken_teardown, ragas_sample): return "0.9"
        """
    ).run()  # fmt: skip
    result.assert_outcomes(passed=1, failed=1, errors=3)


def test_junit_has_the_scores_and_tells_failures_from_errors(rag_project, xdist_args):
    result = rag_project.testset("0.95", "0.4", "BOOM").tests(SUITE).run("--junit-xml=junit.xml", *xdist_args)
    result.assert_outcomes(passed=1, failed=1, errors=1)
    cases = {case.get("name"): case for case in ElementTree.parse(rag_project.path / "junit.xml").iter("testcase")}
    assert len(cases) == 3
    properties = {entry.get("name"): entry.get("value") for entry in cases["test_rag[q1]"].iter("property")}
    assert float(properties.pop("ragas.scoring_s")) >= 0
    assert properties == {"ragas.quality": "0.95", "ragas.style": "0.95"}
    failure = cases["test_rag[q2]"].find("failure")
    assert failure is not None
    assert failure.get("message") == "ThresholdFailure: quality 0.40 < 0.50"
    error = cases["test_rag[q3]"].find("error")
    assert error is not None
    assert "quality could not be scored" in error.get("message", "")
    assert cases["test_rag[q3]"].find("failure") is None
    assert [entry.get("name") for entry in cases["test_rag[q3]"].iter("property")] == ["ragas.scoring_s"]


def test_last_failed_selects_broken_thresholds_and_errors(rag_project):
    rag_project.testset("0.9", "0.4", "BOOM").tests(SUITE).run()
    rag_project.run("--lf").assert_outcomes(failed=1, errors=1)


def test_exitfirst_stops_at_a_broken_threshold(rag_project, xdist_args):
    result = rag_project.testset("0.9", "0.4", "0.9", "0.9", "0.9", "0.9").tests(SUITE).run("-x", *xdist_args)
    assert result.parseoutcomes()["failed"] == 1
    assert result.ret != 0
    if not xdist_args:
        result.assert_outcomes(passed=1, failed=1)


def test_a_rerun_replaces_the_result_of_the_attempt_before(rag_project):
    pytest.importorskip("pytest_rerunfailures")
    result = rag_project.tests(
        """
        answers = iter(["0.1", "0.2", "0.9"])

        @pytest.mark.ragas(thresholds={"quality": 0.5})
        def test_flaky(ragas_sample):
            return next(answers)
        """
    ).run("--reruns=2", "--ragas-fail-under=mean(quality) >= 0.9")  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["quality  1  0.90 *", "gate passed: mean(quality) 0.90 >= 0.90 (1 sample)"])
    assert result.ret == 0


def test_the_failure_is_an_assertion_with_its_results(rag_project):
    rag_project.tests(
        """
        def test_it():
            with pytest.raises(ThresholdFailure, match="quality 0.20 < 0.50") as caught:
                assert_scores(Sample(response="0.2"), quality=0.5)
            assert isinstance(caught.value, AssertionError)
            assert caught.value.results[0].scores[0].value == 0.2
        """
    ).run().assert_outcomes(passed=1)
