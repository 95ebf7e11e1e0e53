"""Gates on a whole run: the exit code, and the line that gives its reason."""

from __future__ import annotations

import pytest

SUITE = """
@pytest.mark.ragas(testset="testset.json", metrics=["quality"])
def test_rag(ragas_sample):
    pass
"""


def test_a_gate_below_its_bound_fails_the_run_and_names_itself(rag_project, xdist_args):
    """All tests pass; the exit code is that of failed tests all the same."""
    result = rag_project.testset("0.9", "0.3").tests(SUITE).run("--ragas-fail-under=mean(quality) >= 0.8", *xdist_args)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["gate failed: mean(quality) 0.60 < 0.80 (2 samples)"])


def test_a_gate_that_holds_leaves_the_run_green(rag_project, xdist_args):
    result = rag_project.testset("0.9", "0.3").tests(SUITE).run("--ragas-fail-under=mean(quality) >= 0.6", *xdist_args)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["gate passed: mean(quality) 0.60 >= 0.60 (2 samples)"])


@pytest.mark.parametrize(
    ("gate", "line"),
    [
        ("p10(quality) >= 0.5", "gate failed: p10(quality) * < 0.50 (4 samples)"),
        ("min(quality) >= 0.5", "gate failed: min(quality) 0.10 < 0.50 (4 samples)"),
        ("median(quality) >= 0.5", "gate passed: median(quality) * >= 0.50 (4 samples)"),
        ("pass_rate() >= 0.9", "gate passed: pass_rate() 1.00 >= 0.90 (4 samples)"),
        ("Quality >= 0.5", None),
    ],
)
def test_every_aggregate_can_be_gated(rag_project, gate, line):
    result = rag_project.testset("0.1", "0.9", "0.8", "0.9").tests(SUITE).run(f"--ragas-fail-under={gate}")
    if line is None:
        assert result.ret == pytest.ExitCode.USAGE_ERROR
    else:
        result.stdout.fnmatch_lines([line])


def test_gates_repeat_and_join_those_of_the_configuration(rag_project):
    rag_project.testset("0.9", "0.3").tests(SUITE).config('[tool.pytest-ragas.gates]\n"max(quality)" = ">= 0.8"')
    result = rag_project.run("--ragas-fail-under", "min(Quality) >= 0.5", "--ragas-fail-under=mean(quality)>=0.1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = sorted(line for line in result.outlines if line.startswith("gate "))
    assert lines == [
        "gate failed: min(quality) 0.30 < 0.50 (2 samples)",
        "gate passed: max(quality) 0.90 >= 0.80 (2 samples)",
        "gate passed: mean(quality) 0.60 >= 0.10 (2 samples)",
    ]


def test_a_gate_counts_the_rows_of_its_tag_alone(rag_project):
    rag_project.tests(
        """
        ROWS = [{"id": "a", "user_input": "?", "response": "0.9", "tags": ["leave"]},
                {"id": "b", "user_input": "?", "response": "0.1", "tags": ["travel"]}]

        @pytest.mark.ragas(testset=ROWS, metrics=["quality"])
        def test_rag(ragas_sample):
            pass
        """
    )
    result = rag_project.run("--ragas-fail-under=mean(quality, tag=leave) >= 0.8")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["gate passed: mean(quality, tag=leave) 0.90 >= 0.80 (1 sample)"])


@pytest.mark.parametrize(
    "answer",
    ['"BOOM"', "1 / 0", "None"],
    ids=["critic does not answer", "test fails before it answers", "test answers nothing"],
)
def test_a_gate_over_unscored_samples_is_incomplete_and_red(rag_project, xdist_args, answer):
    rag_project.testset("0.9", "0.9", None).tests(
        f"""
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            return ragas_sample.response or {answer}
        """
    )
    result = rag_project.run("--ragas-fail-under=mean(quality) >= 0.8", *xdist_args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    line = "gate incomplete: mean(quality) >= 0.8: 2 of 3 samples have a score (0.90 over those)"
    result.stdout.fnmatch_lines([line])


def test_coverage_below_one_lets_a_gate_speak(rag_project):
    rag_project.testset("0.9", "0.9", "BOOM").tests(SUITE)
    result = rag_project.run("--ragas-fail-under=mean(quality) >= 0.8", "--ragas-min-coverage=0.6")
    result.stdout.fnmatch_lines(["gate passed: mean(quality) 0.90 >= 0.80 (2 of 3 samples)"])


def test_skipped_tests_and_expected_failures_are_not_missed_by_a_gate(rag_project):
    result = rag_project.testset("0.9", None, None).tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            if ragas_sample.id == "q2":
                pytest.skip("later")
            if ragas_sample.id == "q3":
                pytest.xfail("known")
        """
    ).run("--ragas-fail-under=mean(quality) >= 0.8")  # fmt: skip
    result.assert_outcomes(passed=1, skipped=1, xfailed=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["gate passed: mean(quality) 0.90 >= 0.80 (1 sample)"])


def test_a_configured_gate_says_nothing_about_a_run_without_its_metric(rag_project, xdist_args):
    rag_project.testset("0.9").tests("def test_plain(): pass", name="test_plain.py").tests(SUITE)
    rag_project.config('[tool.pytest-ragas.gates]\n"mean(style)" = ">= 0.8"')
    result = rag_project.run("test_plain.py", *xdist_args)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("gate *")
    result = rag_project.run(*xdist_args)
    assert result.ret == pytest.ExitCode.OK
    line = "gate not decided: mean(style) >= 0.8: no sample of this run is scored with style"
    result.stdout.fnmatch_lines([line])


def test_a_typed_gate_fails_a_run_without_its_metric(rag_project, xdist_args):
    rag_project.tests("def test_plain(): pass")
    result = rag_project.run("--ragas-fail-under=mean(style) >= 0.8", *xdist_args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["gate incomplete: mean(style) >= 0.8: no sample of this run is scored with style"])


@pytest.mark.parametrize("quiet", [["-q"], ["-qq"], ["--no-summary"], ["--ragas-summary=off"], ["--tb=no", "-v"]])
def test_a_red_gate_gives_its_reason_however_quiet_the_run_is(rag_project, quiet):
    rag_project.testset("0.3").tests(SUITE)
    result = rag_project.run("--ragas-fail-under=mean(quality) >= 0.8", *quiet)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["gate failed: mean(quality) 0.30 < 0.80 (1 sample)"])


def test_a_run_that_was_stopped_decides_no_gate(rag_project):
    rag_project.testset("0.9", "0.9").tests(SUITE.replace("    pass", "    assert ragas_sample.id != 'q1'"))
    result = rag_project.run("-x", "--ragas-fail-under=mean(quality) >= 0.8")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["gates were not decided: the run was stopped"])


def test_collect_only_decides_no_gate(rag_project):
    rag_project.testset("0.9").tests(SUITE)
    result = rag_project.run("--collect-only", "--ragas-fail-under=mean(quality) >= 0.8")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("gate *")


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("mean(quality) >=", "*mean(quality) >=*"),
        ("mean(qualty) >= 1", "ERROR: Unknown metric 'qualty' in the gate 'mean(qualty) >= 1'. Did you mean*"),
        ("avg(quality) >= 0.8", "ERROR: Cannot read the gate 'avg(quality) >= 0.8': expected an aggregate*"),
    ],
)  # fmt: skip
def test_a_gate_that_cannot_be_read_ends_the_run_before_it_starts(rag_project, gate, message):
    result = rag_project.testset("0.9").tests(SUITE).run(f"--ragas-fail-under={gate}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    assert "1 passed" not in result.stdout.str()
