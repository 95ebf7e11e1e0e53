"""A run beside an earlier one: what turns it red, what is told, and what is found before any test runs."""

from __future__ import annotations

import json

import pytest

SUITE = """
@pytest.mark.ragas(testset="testset.json", metrics=["quality"])
def test_rag(ragas_sample):
    pass
"""
GOOD = ["0.9"] * 12
WORSE = ["0.5"] * 12
BASELINE = "--ragas-baseline=baseline.json"
UPDATE = "--ragas-update-baseline"


def accepted(rag_project, *answers: str, suite: str = SUITE, **columns):
    """A project whose baseline has these answers."""
    rag_project.testset(*(answers or GOOD), **columns).tests(suite)
    assert rag_project.run(BASELINE, UPDATE, "-q").ret == pytest.ExitCode.OK
    return rag_project


def refused(result: pytest.RunResult, *messages: str) -> None:
    """The run was ended before any test."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(messages)
    assert "passed" not in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def lines_of(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def test_a_run_that_is_as_good_as_its_baseline_is_green(rag_project, xdist_args):
    result = accepted(rag_project).run(BASELINE, *xdist_args)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "*= ragas comparison with baseline.json =*",
            "quality * 12 * 0.90 * 0.90 * 0.00 * unchanged",
            "12 rows compared",
            "comparison passed: nothing got worse than baseline.json (12 rows)",
        ]
    )


def test_a_run_that_got_worse_is_red_though_every_test_passed(rag_project, xdist_args):
    result = accepted(rag_project).testset(*WORSE).run(BASELINE, *xdist_args)
    result.assert_outcomes(passed=12)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["quality * -0.40 * worse", "comparison failed: quality -0.40 (against baseline.json)"])


def test_one_row_that_broke_is_red_and_named_with_its_question(rag_project):
    result = accepted(rag_project).testset("0.1", *GOOD[1:]).run(BASELINE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "rows that broke: fell by more than 0.50",
            "  q1  quality 0.90 -> 0.10*Question 1[?]",
            "comparison failed: 1 row broke (against baseline.json)",
        ]
    )


def test_a_row_that_lost_its_threshold_breaks_by_a_small_fall(rag_project):
    suite = SUITE.replace('metrics=["quality"]', 'thresholds={"quality": 0.8}')
    result = accepted(rag_project, suite=suite).testset("0.79", *GOOD[1:]).run(BASELINE, "--tb=no")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["  q1  quality 0.90 -> 0.79  flipped  Question 1[?]"])


def test_a_threshold_that_was_raised_breaks_nothing(rag_project):
    suite = SUITE.replace('metrics=["quality"]', 'thresholds={"quality": 0.8}')
    project = accepted(rag_project, suite=suite).tests(suite.replace("0.8", "0.95"))
    result = project.run(BASELINE, "--tb=no")
    result.stdout.fnmatch_lines(["comparison passed: nothing got worse than baseline.json (12 rows)"])


def test_a_drop_that_is_allowed_passes(rag_project):
    project = accepted(rag_project).testset(*WORSE)
    result = project.run(BASELINE, "--ragas-compare-fail", "style:0.1", "--ragas-compare-fail=quality:0.45")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["quality * -0.40 * within 0.45"])
    project.config('[tool.pytest-ragas]\ncompare_fail = { "*" = 0.45 }\nbaseline = "baseline.json"')
    assert project.run().ret == pytest.ExitCode.OK
    assert project.run("--ragas-compare-fail=0.2").ret == pytest.ExitCode.TESTS_FAILED


def test_the_fall_of_a_row_that_is_allowed_is_a_setting(rag_project):
    project = accepted(rag_project).testset("0.5", *GOOD[1:])
    assert project.run(BASELINE).ret == pytest.ExitCode.OK
    result = project.run(BASELINE, "--ragas-compare-fall=0.3")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["rows that broke: fell by more than 0.30"])


# ---- what is no obstacle ----------------------------------------------------------------------------


def test_added_removed_and_edited_rows_are_told_and_not_compared(rag_project, xdist_args):
    project = accepted(rag_project)
    rows = json.loads((project.path / "testset.json").read_text(encoding="utf-8"))
    rows[1]["user_input"] = "Another question?"
    rows[1]["response"] = "0.0"
    new = {"id": "new", "user_input": "New?", "response": "0.0"}
    (project.path / "testset.json").write_text(json.dumps([*rows[1:], new]), encoding="utf-8")
    result = project.run(BASELINE, *xdist_args)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["10 rows compared, 1 added, 1 removed, 1 edited", "  added     new", "  removed   q1", "  edited    q2"]
    )


def test_rows_that_were_not_run_are_told_and_fail_nothing(rag_project):
    project = accepted(rag_project).tests(SUITE.replace("test_rag", "test_other"), name="test_other.py")
    assert project.run(BASELINE, UPDATE).ret == pytest.ExitCode.OK
    for arguments in (["-k", "q1 or q10", "-n2"], ["test_rag.py"], ["test_rag.py::test_rag"]):
        result = project.run(BASELINE, *arguments)
        assert result.ret == pytest.ExitCode.OK
        result.stdout.re_match_lines([r"\d+ rows compared, \d+ not run$"])
        assert "removed" not in lines_of(result)


def test_a_configured_baseline_says_nothing_of_tests_that_it_does_not_have(rag_project):
    project = accepted(rag_project).config('[tool.pytest-ragas]\nbaseline = "baseline.json"')
    project.tests(SUITE.replace("test_rag", "test_new"), name="test_new.py")
    result = project.run("test_new.py")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["not compared with baseline.json: it has no scores of the tests that were run"])
    assert project.run("test_new.py", BASELINE).ret == pytest.ExitCode.TESTS_FAILED


def test_a_suite_without_ragas_tests_is_not_compared_unless_it_is_typed(rag_project, xdist_args):
    project = accepted(rag_project).tests("def test_it(): pass", name="test_plain.py")
    project.config('[tool.pytest-ragas]\nbaseline = "baseline.json"')
    assert project.run("test_plain.py", *xdist_args).ret == pytest.ExitCode.OK
    assert project.run("test_plain.py", BASELINE, *xdist_args).ret == pytest.ExitCode.TESTS_FAILED


def test_a_run_that_has_nothing_in_common_with_its_baseline_is_red(rag_project):
    project = accepted(rag_project).config('[tool.pytest-ragas]\nbaseline = "baseline.json"')
    project.tests(SUITE.replace("test_rag", "test_renamed"))
    result = project.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["comparison incomplete: no score of this run has a counterpart in baseline.json"])


def test_a_row_that_has_no_score_any_more_is_red(rag_project):
    project = accepted(rag_project).testset("BOOM", *GOOD[1:])
    result = project.run(BASELINE, "--ragas-on-error=skip")
    result.assert_outcomes(passed=11, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["comparison incomplete: quality: 11 of 12 rows that baseline.json has a score of have one today"]
    )
    assert project.run(BASELINE, "--ragas-on-error=skip", "--ragas-min-coverage=0.9").ret == pytest.ExitCode.OK


def test_a_run_that_is_stopped_is_not_compared(rag_project, xdist_args):
    suite = SUITE.replace('metrics=["quality"]', 'thresholds={"quality": 0.8}')
    result = accepted(rag_project, suite=suite).testset(*WORSE).run(BASELINE, "-x", "--tb=no", *xdist_args)
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["the run was not compared with baseline.json: it was stopped"])
    assert "comparison failed" not in lines_of(result)


def test_a_baseline_that_is_about_to_be_replaced_judges_nobody(rag_project):
    project = accepted(rag_project).testset(*WORSE)
    assert project.run(BASELINE, UPDATE).ret == pytest.ExitCode.OK
    assert project.run(BASELINE).ret == pytest.ExitCode.OK


def test_off_compares_with_nothing(rag_project):
    project = accepted(rag_project).testset(*WORSE)
    result = project.run(BASELINE, "--ragas-compare=off")
    assert result.ret == pytest.ExitCode.OK
    assert "ragas comparison" not in lines_of(result)


# ---- which run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["", "=latest", "=good", "=1", "=0001_good"])
def test_a_saved_run_is_found_by_name_and_number(rag_project, wanted):
    project = rag_project.testset(*GOOD).tests(SUITE)
    assert project.run("--ragas-save=good").ret == pytest.ExitCode.OK
    result = project.testset(*WORSE).run(f"--ragas-compare{wanted}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["comparison failed: quality -0.40 (against 0001_good)"])


def test_the_latest_run_is_the_one_before_this_one(rag_project):
    project = rag_project.testset(*GOOD).tests(SUITE)
    project.run("--ragas-save=good")
    first = project.testset(*WORSE).run("--ragas-compare", "--ragas-save=worse")
    first.stdout.fnmatch_lines(["comparison failed: quality -0.40 (against 0001_good)"])
    second = project.run("--ragas-compare", "--ragas-autosave")
    second.stdout.fnmatch_lines(["comparison passed: nothing got worse than 0002_worse (12 rows)"])
    assert second.ret == pytest.ExitCode.OK


def test_a_run_in_a_file_is_found(rag_project):
    result = accepted(rag_project).testset(*WORSE).run("--ragas-compare=baseline.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_without_a_value_the_baseline_comes_before_the_latest_run(rag_project):
    project = accepted(rag_project).testset(*WORSE)
    project.run("--ragas-save=worse")
    assert project.run("--ragas-compare").ret == pytest.ExitCode.OK
    result = project.run("--ragas-compare", BASELINE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert project.run("--ragas-compare=latest", BASELINE).ret == pytest.ExitCode.OK


def test_the_first_run_that_is_kept_has_nothing_to_be_compared_with(rag_project):
    project = rag_project.testset(*GOOD).tests(SUITE)
    result = project.run("--ragas-compare", "--ragas-save=first")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["not compared: this is the first run that is kept"])


# ---- found before the run ---------------------------------------------------------------------------


def test_a_baseline_that_is_not_there_names_the_mend_before_the_run(rag_project, xdist_args):
    project = rag_project.testset(*GOOD).tests(SUITE)
    message = "ERROR: There is no baseline baseline.json. *--ragas-update-baseline*"
    refused(project.run(BASELINE, *xdist_args), message)


def test_a_configured_baseline_that_is_not_there_does_too(rag_project):
    project = rag_project.testset(*GOOD).tests(SUITE).config('[tool.pytest-ragas]\nbaseline = "baseline.json"')
    refused(project.run(), "ERROR: There is no baseline baseline.json. *--ragas-update-baseline*")
    result = project.run("-n2")  # the controller learns at the end that the suite uses us
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["comparison impossible: There is no baseline baseline.json. *"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--ragas-compare", "ERROR: There is nothing to compare with: no run is saved in *--ragas-save=NAME*"),
        ("--ragas-compare=good", "ERROR: No run is called 'good': no run is saved in *"),
        ("--ragas-compare=gone.json", "ERROR: *gone.json*"),
        ("--ragas-compare=test_rag.py", "ERROR: --ragas-compare: 'test_rag.py' are tests, not a run. *"),
        ("--ragas-compare-fail=quality=0.1", "ERROR: --ragas-compare-fail *faithfulness:0.02*"),
        ("--ragas-compare-alpha=2", "ERROR: --ragas-compare-alpha *found the number 2*"),
    ],
)
def test_what_cannot_be_is_said_before_the_run(rag_project, option, message):
    refused(rag_project.testset(*GOOD).tests(SUITE).run(option), message)


def test_a_name_that_does_not_exist_lists_its_neighbours(rag_project):
    project = rag_project.testset(*GOOD).tests(SUITE)
    project.run("--ragas-save=reranker")
    refused(project.run("--ragas-compare=rerancer"), "ERROR: *'rerancer' in --ragas-compare. Did you mean 'reranker'?")


def test_a_baseline_of_a_newer_format_is_refused(rag_project):
    project = accepted(rag_project)
    path = project.path / "baseline.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 99'), encoding="utf-8")
    refused(project.run(BASELINE), "ERROR: baseline.json was written *in format 99*Update pytest-ragas*")


def test_collecting_tests_compares_nothing(rag_project):
    result = rag_project.testset(*GOOD).tests(SUITE).run(BASELINE, "--collect-only", "-q")
    assert result.ret == pytest.ExitCode.OK


# ---- not comparable ---------------------------------------------------------------------------------


def test_another_version_of_a_metric_is_red_with_the_mend_and_can_be_compared_anyway(rag_project, xdist_args):
    project = accepted(rag_project)
    conftest = (project.path / "conftest.py").read_text(encoding="utf-8")
    (project.path / "conftest.py").write_text(conftest.replace('version="1"', 'version="2"'), encoding="utf-8")
    result = project.run(BASELINE, *xdist_args)
    result.assert_outcomes(passed=12)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "comparison impossible: quality: version 1 in the baseline, 2 now",
            "*pytest-ragas rejudge*",
            "Compare them anyway with --ragas-compare-anyway.",
        ]
    )
    result = project.run(BASELINE, "--ragas-compare-anyway")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["compared anyway: quality: version 1 in the baseline, 2 now"])


# ---- how much is said -------------------------------------------------------------------------------


@pytest.mark.parametrize("quiet", [["-qq"], ["--ragas-summary=off"], ["--no-summary"]])
def test_a_quiet_run_still_says_why_it_is_red(rag_project, quiet):
    result = accepted(rag_project).testset(*WORSE).run(BASELINE, *quiet)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["comparison failed: quality -0.40 (against baseline.json)"])
    assert "ragas comparison" not in lines_of(result)


@pytest.mark.parametrize("columns", ["80", "100", "60"])
def test_no_line_is_wider_than_the_terminal(rag_project, monkeypatch, columns):
    project = accepted(rag_project, tags=["billing"]).testset("0.1", *WORSE[1:], tags=["billing"])
    monkeypatch.setenv("COLUMNS", columns)
    result = project.run(BASELINE, "--tb=no", "-q")
    start = next(at for at, line in enumerate(result.outlines) if "ragas comparison" in line)
    assert max(map(len, result.outlines[start:])) <= int(columns)
