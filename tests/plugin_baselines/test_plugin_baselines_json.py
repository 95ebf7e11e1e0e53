"""`--ragas-json`: everything that a run has found out, of the published schema, however it has ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_ragas.reports.json_report import report_schema


def report(folder: Path, name: str = "ragas.json") -> dict[str, Any]:
    """The report, which satisfies the published schema and holds no NaN."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} in the report")

    data: dict[str, Any] = json.loads((folder / name).read_text("utf-8"), parse_constant=refuse)
    jsonschema.validate(data, report_schema(), cls=jsonschema.Draft202012Validator)
    return data


def test_results_are_told_apart_with_reasons_and_evidence(kept, xdist_args):
    kept.project.testset("0.9", "0.3", "BOOM", tags=["billing"])
    result = kept.project.run("--ragas-json=ragas.json", *xdist_args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["report written: ragas.json"])
    data = report(kept.folder)
    assert data["complete"] is True
    assert data["outcomes"] == {"passed": 1, "failed": 1, "error": 1, "not run": 0}
    assert data["metrics"] == {"quality": {"mean": 0.6, "scored": 2, "total": 3, "higher_is_better": True}}
    passed, failed, error = sorted(data["results"], key=lambda one: one["sample"]["id"])
    assert (passed["outcome"], failed["outcome"], error["outcome"]) == ("passed", "failed", "error")
    assert passed["nodeid"] == "test_rag.py::test_rag[q1]"
    assert passed["sample"]["tags"] == ["billing"]
    assert passed["scores"] == [
        {
            "metric": "quality",
            "value": 0.9,
            "reason": "the answer says so",
            "evidence": [{"kind": "statement", "text": "It is so.", "value": 0.9, "reason": "said so", "part": ""}],
            "higher_is_better": True,
        }
    ]
    held = [one["thresholds"] for one in (passed, failed, error)]
    assert held == [[{"metric": "quality", "bound": 0.5, "held": held}] for held in (True, False, None)]
    assert error["failures"] == [
        {
            "metric": "quality",
            "kind": "critic",
            "error": "quality of row 'q3' (testset.json row 3): the server answered 401. Check the key.",
        }
    ]


def test_gates_have_their_verdicts(kept, xdist_args):
    kept.project.testset("0.9", "BOOM").config(
        """
        [tool.pytest-ragas.gates]
        "max(quality)" = ">= 0.5"
        "mean(style)" = ">= 0.5"
        """
    )
    kept.project.run("--ragas-json=ragas.json", "--ragas-fail-under=min(quality) >= 0.95", *xdist_args)
    gates = {gate["text"]: gate for gate in report(kept.folder)["gates"]}
    assert {text: gate["outcome"] for text, gate in gates.items()} == {
        "max(quality) >= 0.5": "incomplete",
        "min(quality) >= 0.95": "incomplete",
        "mean(style) >= 0.5": "not decided",
    }
    gate = gates["max(quality) >= 0.5"]
    assert (gate["aggregate"], gate["metric"], gate["operator"], gate["bound"]) == ("max", "quality", ">=", 0.5)
    assert (gate["scored"], gate["total"]) == (1, 2)
    kept.project.testset("0.9", "0.2").run("--ragas-json=ragas.json", "--ragas-fail-under=min(quality) >= 0.95")
    assert sorted(gate["outcome"] for gate in report(kept.folder)["gates"]) == ["failed", "not decided", "passed"]


def test_models_say_what_they_cost_and_a_budget_what_is_left(kept, openai_server, xdist_args):
    kept.project.config(
        f"""
        [tool.pytest-ragas]
        critic_llm = {{ model_name = "judge", api_base = "{openai_server.url}" }}
        max_calls = 2
        prices = {{ judge = {{ input = 1_000, output = 1_000 }} }}
        """
    ).testset("It is so.", "It is so.", "It is so.", retrieved_contexts=["It is so."])
    kept.project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"])
        def test_rag(ragas_sample):
            pass
        """
    )
    kept.project.run("--ragas-json=ragas.json", *xdist_args)
    data = report(kept.folder)
    assert data["outcomes"]["not run"] + data["outcomes"]["passed"] == 3
    assert data["outcomes"]["not run"] >= 1
    assert data["complete"] is False
    unrun = next(one for one in data["results"] if one["outcome"] == "not run")
    assert unrun["failures"][0]["kind"] == "not run"
    (model,) = data["models"]
    assert (model["role"], model["name"], model["endpoint"]) == ("critic LLM", "judge", openai_server.url)
    assert model["usage"]["calls"] == 2
    tokens = model["usage"]["prompt_tokens"] + model["usage"]["completion_tokens"]
    assert model["usd"] == pytest.approx(tokens / 1_000)
    assert (data["budget"]["max_calls"], data["budget"]["calls"]) == (2, 2)
    assert data["budget"]["refused"] >= 1
    assert data["budget"]["max_usd"] is None


def test_a_model_without_a_price_costs_nobody_knows_what(kept, openai_server):
    kept.project.config(
        f"""
        [tool.pytest-ragas]
        critic_llm = {{ model_name = "judge", api_base = "{openai_server.url}" }}
        """
    ).testset("It is so.", retrieved_contexts=["It is so."])
    kept.project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"])
        def test_rag(ragas_sample):
            pass
        """
    )
    kept.project.run("--ragas-json=ragas.json")
    assert report(kept.folder)["models"][0]["usd"] is None


def test_a_run_that_is_stopped_is_reported_as_far_as_it_came(kept, xdist_args):
    kept.project.testset("0.1", "0.9", "0.9")
    arguments = ("-x", "--ragas-fail-under=mean(quality) >= 0.1")
    assert kept.project.run("--ragas-json=ragas.json", *arguments, *xdist_args).ret != pytest.ExitCode.OK
    data = report(kept.folder)
    assert data["complete"] is False
    assert data["outcomes"]["failed"] == 1
    assert [gate["outcome"] for gate in data["gates"]] == ["not decided"]


def test_a_suite_that_scores_nothing_has_a_report_too(kept):
    kept.project.tests("def test_plain():\n    pass\n")
    assert kept.project.run("--ragas-json=ragas.json").ret == pytest.ExitCode.OK
    assert report(kept.folder)["results"] == []


def test_what_a_test_puts_into_a_sample_is_written_as_json_can_hold_it(kept):
    kept.project.tests(
        r"""
        def test_inline():
            metadata = {"nan": float("nan"), "object": object, "cut": "\ud83d"}
            sample = Sample(id="one", user_input="?", response="0.9", metadata=metadata)
            assert_scores(sample, quality=0.5)
        """
    )
    assert kept.project.run("--ragas-json=ragas.json").ret == pytest.ExitCode.OK
    metadata = report(kept.folder)["results"][0]["sample"]["metadata"]
    assert metadata == {"nan": "nan", "object": "<class 'object'>", "cut": "\ud83d"}


def test_a_typed_path_begins_where_it_is_typed(kept, monkeypatch):
    kept.project.testset("0.9")
    (kept.folder / "sub").mkdir()
    monkeypatch.chdir(kept.folder / "sub")
    assert kept.project.run("--ragas-json=new/ragas.json", str(kept.folder)).ret == pytest.ExitCode.OK
    report(kept.folder / "sub" / "new")


def test_a_report_that_cannot_be_written_turns_the_run_red(kept):
    (kept.folder / "file").write_text("")
    result = kept.project.testset("0.9").run("--ragas-json=file/ragas.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["The report file/ragas.json cannot be written: *"])


@pytest.mark.parametrize("path", ["", "."])
def test_a_path_that_is_no_file_ends_the_run_before_it_begins(kept, path):
    result = kept.project.testset("0.9").run(f"--ragas-json={path}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ragas-json: '{path}' is no file to write. Write for example *"])
