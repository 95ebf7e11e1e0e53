"""`--ragas-update-baseline`: which rows are replaced, kept and removed, and when nothing is."""

from __future__ import annotations

import pytest

UPDATE = ("--ragas-baseline=baseline.json", "--ragas-update-baseline")


def test_a_baseline_holds_scores_and_no_answers(kept, xdist_args):
    kept.project.testset("0.9", "0.3", reference="a reference")
    result = kept.project.run(*UPDATE, *xdist_args)
    result.stdout.fnmatch_lines(["baseline updated: baseline.json (2 rows added)"])
    assert kept.scores() == {"test_rag q1": 0.9, "test_rag q2": 0.3}
    text = (kept.folder / "baseline.json").read_text("utf-8")
    assert "a reference" not in text
    assert "Question" not in text


def test_a_run_that_finds_the_same_leaves_the_file_as_it_is(kept):
    kept.project.testset("0.9", "0.3")
    kept.project.run(*UPDATE)
    before = (kept.folder / "baseline.json").read_bytes()
    result = kept.project.run(*UPDATE)
    result.stdout.fnmatch_lines(["baseline is up to date: baseline.json (2 rows the same)"])
    assert (kept.folder / "baseline.json").read_bytes() == before


def test_a_part_of_the_suite_replaces_its_rows_alone(kept, xdist_args):
    kept.project.testset("0.9", "0.8", "0.7")
    kept.project.run(*UPDATE)
    kept.project.testset("0.6", "0.6", "0.6")
    result = kept.project.run(*UPDATE, "-k", "q2", *xdist_args)
    result.stdout.fnmatch_lines(["baseline updated: baseline.json (1 row changed, 2 not run and kept)"])
    assert kept.scores() == {"test_rag q1": 0.9, "test_rag q2": 0.6, "test_rag q3": 0.7}


@pytest.mark.parametrize(
    "selection",
    [["test_rag.py::test_rag[q1]"], ["-k", "q1"], ["--deselect", "test_rag.py::test_rag[q2]"], ["-k", "q1", "-n2"]],
    ids=" ".join,
)
def test_a_row_that_left_the_testset_is_removed_whatever_is_selected(kept, selection):
    kept.project.testset("0.9", "0.8", "0.7")
    kept.project.run(*UPDATE)
    kept.project.testset("0.9", "0.8")
    result = kept.project.run(*UPDATE, *selection)
    result.stdout.fnmatch_lines(["baseline updated: baseline.json (1 row the same, 1 removed, 1 not run and kept)"])
    assert set(kept.scores()) == {"test_rag q1", "test_rag q2"}


def test_rows_of_other_files_are_kept_as_long_as_there_is_such_a_file(kept):
    kept.project.testset("0.9")
    kept.project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_other(ragas_sample):
            pass
        """,
        name="test_other.py",
    )
    kept.project.run(*UPDATE)
    assert set(kept.scores()) == {"test_rag q1", "test_other q1"}
    kept.project.run("test_rag.py", *UPDATE)
    assert set(kept.scores()) == {"test_rag q1", "test_other q1"}
    (kept.folder / "test_other.py").unlink()
    kept.project.run("test_rag.py", *UPDATE)
    assert set(kept.scores()) == {"test_rag q1"}


def test_a_test_that_was_renamed_takes_its_rows_with_it(kept, xdist_args):
    kept.project.testset("0.9")
    both = """
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_{0}(ragas_sample):
            pass

        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_{1}(ragas_sample):
            pass
        """
    kept.project.tests(both.format("one", "two")).run(*UPDATE)
    kept.project.tests(both.format("one", "three"))
    # asked for a single test, pytest says nothing of the others in its file
    kept.project.run("test_rag.py::test_one", *UPDATE, *xdist_args)
    assert set(kept.scores()) == {"test_one q1", "test_two q1"}
    kept.project.run(*UPDATE, "-k", "one", *xdist_args)
    assert set(kept.scores()) == {"test_one q1"}
    kept.project.run(*UPDATE, *xdist_args)
    assert set(kept.scores()) == {"test_one q1", "test_three q1"}


def test_a_sample_that_a_test_no_longer_makes_is_removed(kept):
    inline = """
        @pytest.mark.parametrize("size", ["small", "large"])
        def test_inline(size):
            for id in {0}:
                assert_scores(Sample(id=id, user_input="?", response="0.9"), quality=0.5)
        """
    kept.project.tests(inline.format(["a", "b"])).run(*UPDATE)
    assert len(kept.scores()) == 4
    kept.project.tests(inline.format(["a", "c"])).run(*UPDATE, "-k", "small")
    assert set(kept.scores()) == {
        "test_inline[small] a", "test_inline[small] c", "test_inline[large] a", "test_inline[large] b",
    }  # fmt: skip


def test_a_sample_that_a_test_makes_beside_its_row_is_no_row_of_the_testset(kept):
    kept.project.testset("0.9", "0.9").tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            assert_scores(Sample(id="extra", user_input="?", response="0.8"), quality=0.5)
        """
    )
    kept.project.run(*UPDATE)
    before = set(kept.scores())
    assert {"test_rag[q1] extra", "test_rag[q2] extra"} <= before
    kept.project.run(*UPDATE, "-k", "q1")
    assert set(kept.scores()) == before


@pytest.mark.parametrize(
    ("answers", "arguments", "message"),
    [
        (
            ["0.9", "BOOM"],
            [],
            ["*1 row has no score.", "  test_rag.py::test_rag*q2*: quality of row*401*", "Mend this and run*"],
        ),
        (["0.1", "0.9"], ["-x"], ["*the run did not come to its end (-x, Ctrl-C, a crash). Let it run to its end."]),
        (["0.9"], ["-k", "nothing"], ["*this run has scored nothing. Run tests that are marked ragas."]),
    ],
    ids=["error", "-x", "nothing"],
)
def test_a_run_that_is_not_whole_is_not_accepted(kept, answers, arguments, message):
    kept.project.testset("0.5", "0.5").run(*UPDATE)
    before = (kept.folder / "baseline.json").read_bytes()
    result = kept.project.testset(*answers).run(*UPDATE, *arguments)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"The baseline baseline.json was not updated: {message[0]}", *message[1:]])
    assert (kept.folder / "baseline.json").read_bytes() == before


def test_a_run_that_is_not_whole_is_not_accepted_from_workers(kept):
    result = kept.project.testset("0.9", "BOOM").run(*UPDATE, "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["The baseline baseline.json was not updated: 1 row has no score."])


def test_scores_that_are_lacking_behind_a_green_run_turn_it_red(kept):
    result = kept.project.testset("0.9", "BOOM").run(*UPDATE, "--ragas-on-error=skip", "-q", "-q")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["The baseline baseline.json was not updated: 1 row has no score."])
    assert not (kept.folder / "baseline.json").exists()


def test_a_part_by_another_judge_is_not_mixed_in(kept):
    kept.project.testset("0.9", "0.8").run(*UPDATE)
    before = (kept.folder / "baseline.json").read_bytes()
    conftest = (kept.folder / "conftest.py").read_text()
    (kept.folder / "conftest.py").write_text(conftest.replace('version="1"', 'version="2"'))
    result = kept.project.run(*UPDATE, "-k", "q1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "The baseline baseline.json was not updated: this run is a part of the suite, and 1 row would stay that "
            "other judges have scored: quality was computed in another way (version 1 and 2). Run the whole suite, or "
            "delete baseline.json first."
        ]
    )
    assert (kept.folder / "baseline.json").read_bytes() == before
    assert kept.project.run(*UPDATE).ret == pytest.ExitCode.OK
    assert [metric["version"] for metric in kept.baseline()["metrics"]] == ["2"]


def test_without_a_file_to_write_the_run_does_not_begin(kept):
    result = kept.project.testset("0.9").run("--ragas-update-baseline")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ragas-update-baseline does not say which file. Add --ragas-baseline=*"])


def test_the_file_of_the_configuration_lies_at_the_rootdir(kept, monkeypatch):
    kept.project.testset("0.9").config('[tool.pytest-ragas]\nbaseline = "ci/baseline.json"')
    (kept.folder / "sub").mkdir()
    monkeypatch.chdir(kept.folder / "sub")
    assert kept.project.run("--ragas-update-baseline", str(kept.folder)).ret == pytest.ExitCode.OK
    assert kept.scores("ci/baseline.json") == {"test_rag q1": 0.9}


def test_a_damaged_baseline_is_not_overwritten(kept):
    (kept.folder / "baseline.json").write_text("{")
    result = kept.project.testset("0.9").run(*UPDATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["baseline.json cannot be read as a run: no valid JSON*"])
    assert (kept.folder / "baseline.json").read_text() == "{"


def test_methods_of_a_class_are_tests_like_others(kept):
    kept.project.testset("0.9", "0.8").tests(
        """
        @pytest.mark.parametrize("size", ["small", "large"])
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        class TestRag:
            def test_one(self, ragas_sample, size):
                pass

            def test_two(self, ragas_sample, size):
                pass
        """
    )
    kept.project.run(*UPDATE)
    assert len(kept.scores()) == 8
    kept.project.testset("0.9")
    result = kept.project.run(*UPDATE, "-k", "test_one and large")
    result.stdout.fnmatch_lines(["baseline updated: baseline.json (1 row the same, 4 removed, 3 not run and kept)"])
    assert set(kept.scores()) == {
        f"TestRag::test_{name}[{size}] q1" for name in ("one", "two") for size in ("small", "large")
    }


def test_a_worker_that_crashes_leaves_the_baseline_as_it_is(kept):
    kept.project.testset("0.9").run(*UPDATE)
    before = (kept.folder / "baseline.json").read_bytes()
    kept.project.testset("0.9", "0.8").tests(
        """
        import os

        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            if ragas_sample.id == "q2":
                os._exit(1)
        """
    )
    result = kept.project.run(*UPDATE, "--ragas-save=crashed", "-n1", "--max-worker-restart=0")
    assert result.ret != pytest.ExitCode.OK
    assert (kept.folder / "baseline.json").read_bytes() == before
    assert [metric["metric"] for metric in kept.run("0001_crashed.json")["metrics"]] == ["quality"]
