"""`--ragas-save` and `--ragas-autosave`: what lies in the folder of runs when a run has ended, in whatever way."""

from __future__ import annotations

import json
import shutil
import subprocess

import jsonschema
import pytest

from pytest_ragas.baselines.schema import run_schema

SECRET = "sk-very-secret-1234567890"


def test_a_run_is_saved_with_its_answers(kept, xdist_args):
    kept.project.testset("0.9", "0.3", tags=["billing"], source="docs/a.md", question_type="simple")
    result = kept.project.run("--ragas-save=main", *xdist_args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["run saved: .pytest-ragas/runs/0001_main.json (2 rows)"])
    run = kept.run("0001_main.json")
    jsonschema.validate(run, run_schema())
    assert (run["name"], run["complete"]) == ("main", True)
    assert run["environment"]["pytest"] == pytest.__version__
    assert run["metrics"] == [{"metric": "quality", "backend": "free", "version": "1", "options": ""}]
    assert list(run["testsets"]) == ["testset.json"]
    assert [(row["test"], row["id"], row["outcome"]) for row in run["rows"]] == [
        ("test_rag.py::test_rag", "q1", "passed"),
        ("test_rag.py::test_rag", "q2", "failed"),
    ]
    row = run["rows"][0]
    assert row["scores"]["quality"]["value"] == 0.9
    assert len(row["scores"]["quality"]["evidence"]) == 12
    assert (row["tags"], row["sources"], row["question_type"]) == (["billing"], ["docs/a.md"], "simple")
    assert row["sample"]["response"] == "0.9"


def test_runs_are_counted(kept):
    kept.project.testset("0.9")
    for name in ("main", "main", "other"):
        assert kept.project.run(f"--ragas-save={name}").ret == pytest.ExitCode.OK
    assert kept.saved() == ["0001_main.json", "0002_main.json", "0003_other.json"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_an_unnamed_run_is_called_by_its_commit(kept, monkeypatch):
    for variable in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "somebody@example.org")
    kept.project.testset("0.9")

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=kept.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q", "-b", "topic")
    git("add", "test_rag.py", "testset.json")
    git("commit", "-q", "-m", "first")
    head = git("rev-parse", "HEAD")
    assert kept.project.run("--ragas-autosave").ret == pytest.ExitCode.OK
    kept.project.testset("0.8")
    assert kept.project.run("--ragas-autosave").ret == pytest.ExitCode.OK
    assert kept.saved() == [f"0001_{head[:12]}.json", f"0002_{head[:12]}-dirty.json"]
    assert kept.run(kept.saved()[0])["commit"] == {"id": head, "branch": "topic", "dirty": False}
    # saved runs are no business of git, whoever made the folder
    assert ".pytest-ragas" not in git("status", "--porcelain")


def test_the_name_weighs_more_than_the_commit(kept):
    kept.project.testset("0.9").run("--ragas-save=main", "--ragas-autosave")
    assert kept.saved() == ["0001_main.json"]


# in a worker, pytest-xdist takes an interrupt for a crash
@pytest.mark.parametrize(
    ("stop", "workers"), [("-x", []), ("-x", ["-n2"]), ("KeyboardInterrupt", []), ("exit", []), ("exit", ["-n2"])]
)
def test_a_run_that_is_stopped_is_saved_as_far_as_it_came(kept, stop, workers):
    if stop == "-x":
        kept.project.testset("0.1", "0.9", "0.9", "0.9")
    else:
        how = "raise KeyboardInterrupt" if stop == "KeyboardInterrupt" else 'pytest.exit("enough")'
        kept.project.testset("0.9", "0.9").tests(f"def test_stop():\n    {how}\n", name="test_z.py")
    arguments = ["-p", "no:randomly", "--ragas-autosave", "--ragas-scoring=blocking"]
    arguments += [*(["-x"] if stop == "-x" else []), *workers]
    # in this process, Ctrl-C would end the test, too
    result = kept.project.pytester.runpytest_subprocess(*arguments)
    assert result.ret != pytest.ExitCode.OK
    (name,) = kept.saved()
    run = kept.run(name)
    assert run["complete"] is False
    assert run["rows"]
    assert [metric["metric"] for metric in run["metrics"]] == ["quality"]
    assert run["testsets"]
    result.stdout.fnmatch_lines(["run saved: * (* row*; it was stopped before its end)"])


def test_rows_that_a_budget_left_out_make_a_run_incomplete(kept, openai_server, xdist_args):
    kept.project.config(
        f"""
        [tool.pytest-ragas.critic_llm]
        model_name = "judge"
        api_base = "{openai_server.url}"
        api_key = "{SECRET}"
        headers = {{ "X-Api-Key" = "{SECRET}" }}
        """
    ).testset("It is so.", "It is so.", "It is so.", retrieved_contexts=["It is so."])
    kept.project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"])
        def test_rag(ragas_sample):
            pass
        """
    )
    kept.project.run("--ragas-save=broke", "--ragas-max-calls=2", *xdist_args)
    run = kept.run("0001_broke.json")
    assert run["complete"] is False
    assert any("max-calls" in str(row.get("failures", "")) for row in run["rows"])
    assert [(use["role"], use["identity"]["name"]) for use in run["models"]] == [("critic LLM", "judge")]


def test_no_key_lies_in_a_run_file_or_report(kept, openai_server):
    kept.project.config(
        f"""
        [tool.pytest-ragas.critic_llm]
        model_name = "judge"
        api_base = "{openai_server.url}"
        api_key = "{SECRET}"
        headers = {{ "X-Api-Key" = "{SECRET}" }}
        """
    ).testset("It is so.", retrieved_contexts=["It is so."])
    kept.project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"])
        def test_rag(ragas_sample):
            pass
        """
    )
    arguments = ["--ragas-save=one", "--ragas-json=r.json", "--ragas-baseline=b.json", "--ragas-update-baseline"]
    assert kept.project.run(*arguments).ret == pytest.ExitCode.OK
    for file in (
        kept.folder / ".pytest-ragas" / "runs" / "0001_one.json",
        kept.folder / "r.json",
        kept.folder / "b.json",
    ):
        text = file.read_text("utf-8")
        assert SECRET not in text
        assert "judge" in text
    use = kept.run("0001_one.json")["models"][0]
    assert use["usage"]["calls"] == json.loads((kept.folder / "r.json").read_text())["models"][0]["usage"]["calls"] > 0


@pytest.mark.parametrize("arguments", [["--collect-only"], ["--ragas-estimate"]], ids=" ".join)
def test_what_runs_no_test_writes_nothing(kept, arguments):
    kept.project.testset("0.9")
    everything = ["--ragas-save=x", "--ragas-json=r.json", "--ragas-baseline=b.json", "--ragas-update-baseline"]
    assert kept.project.run(*everything, *arguments).ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert not (kept.folder / ".pytest-ragas" / "runs").exists()
    assert not list(kept.folder.glob("[rb].json"))


def test_a_run_in_which_nothing_was_scored_is_not_saved(kept):
    kept.project.testset("0.9")
    result = kept.project.run("--ragas-save=x", "-k", "nothing")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["run not saved: nothing was scored"])
    assert kept.saved() == []


def test_the_folder_can_be_named(kept):
    kept.project.config('[tool.pytest-ragas]\nruns_dir = "results/runs"').testset("0.9").run("--ragas-save=x")
    assert [path.name for path in (kept.folder / "results" / "runs").glob("*.json")] == ["0001_x.json"]


def test_a_run_that_cannot_be_saved_is_red_and_says_why(kept):
    (kept.folder / "file").write_text("")
    result = kept.project.testset("0.9").run("--ragas-save=x", "--ragas-runs-dir=file/runs", "-qq")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["The run cannot be saved in *. Name another folder with --ragas-runs-dir."])


@pytest.mark.parametrize("name", ["", "latest", "a/b", "7"])
def test_a_name_that_cannot_be_found_again_ends_the_run_before_it_begins(kept, name):
    result = kept.project.testset("0.9").run(f"--ragas-save={name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: A run cannot be called '{name}': *"])


def test_rows_of_tests_that_score_by_themselves_are_counted(kept):
    kept.project.tests(
        """
        @pytest.mark.parametrize("size", ["small", "large"])
        def test_inline(size):
            for response in ("0.9", "0.8"):
                assert_scores(Sample(id="one", user_input="?", response=response), quality=0.5)
        """
    )
    kept.project.run("--ragas-save=x")
    rows = kept.run("0001_x.json")["rows"]
    assert [(row["test"], row["id"], row.get("number", 1), row["scores"]["quality"]["value"]) for row in rows] == [
        ("test_rag.py::test_inline[large]", "one", 1, 0.9),
        ("test_rag.py::test_inline[large]", "one", 2, 0.8),
        ("test_rag.py::test_inline[small]", "one", 1, 0.9),
        ("test_rag.py::test_inline[small]", "one", 2, 0.8),
    ]


def test_groups_of_xdist_are_no_part_of_a_test(kept):
    kept.project.testset("0.9").tests(
        """
        @pytest.mark.xdist_group("one")
        @pytest.mark.ragas(testset="testset.json", metrics=["quality"])
        def test_rag(ragas_sample):
            pass
        """
    )
    kept.project.run("--ragas-save=x", "-n2", "--dist=loadgroup")
    assert [row["test"] for row in kept.run("0001_x.json")["rows"]] == ["test_rag.py::test_rag"]


def test_options_of_a_metric_are_part_of_its_identity(kept):
    kept.project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["rouge_l"])
        def test_rag(ragas_sample):
            pass
        """
    ).testset("It is so.", reference="It is so.")
    identities = []
    for number, options in enumerate(["{}", '{ mode = "recall" }', '{ mode = "precision" }'], 1):
        kept.project.config(f"[tool.pytest-ragas]\nmetric_options.rouge_l = {options}").run("--ragas-save=x")
        identities.append(kept.run(f"000{number}_x.json")["metrics"][0]["options"])
    assert identities[0] == ""
    assert len(set(identities)) == 3
