"""Retrieval or generation, as a user reads it: in failures and in the summary."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_ragas.reports.json_report import report_schema

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_broken_retriever_of_the_handbook_is_diagnosed(pytester: pytest.Pytester) -> None:
    shutil.copytree(EXAMPLES / "handbook_rag", pytester.path, dirs_exist_ok=True)
    result = pytester.runpytest_subprocess("--broken-retriever", "-p", "no:randomly")
    result.assert_outcomes(failed=28, passed=14)
    assert "diagnosis: retrieval 28" in result.outlines
    result.stdout.fnmatch_lines(
        [
            "context_recall 0.00 < 0.80; answer_correctness 0.00 < 0.50",
            "  row          parental-leave (testset.yaml row 4)",
            "  user_input   How long is fully paid parental leave?",
            "  response     *",
            '  diagnosis    retrieval: no context holds "Parents can take up to 16 weeks of*',
        ]
    )
    result.stdout.fnmatch_lines(['  diagnosis    retrieval: not retrieved: "Leave: Parental leave"'])


def test_an_invented_answer_is_the_generators(rag_project, xdist_args) -> None:
    result = (
        rag_project.testset(
            "Employees get 27 days. The chief executive plays golf in Scotland.",
            retrieved_contexts=["Employees get 27 days of leave."],
            reference="Employees get 27 days of leave.",
        )
        .tests(
            """
            @pytest.mark.ragas(testset="testset.json", metrics=["context_recall"], thresholds={"faithfulness": 0.8})
            def test_rag(ragas_sample):
                pass
            """
        )
        .run("--ragas-json=report.json", *xdist_args)
    )
    result.assert_outcomes(failed=1)
    report = json.loads((rag_project.path / "report.json").read_text(encoding="utf-8"))
    Draft202012Validator(report_schema()).validate(report)
    assert report["results"][0]["diagnosis"] == {
        "cause": "generation",
        "text": "no context supports",
        "metric": "faithfulness",
        "piece": "The chief executive plays golf in Scotland.",
        "also": "",
    }
    result.stdout.fnmatch_lines(
        [
            '  diagnosis    generation: no context supports "The chief executive plays golf in Scotland."',
            "diagnosis: generation 1",
        ]
    )


def test_what_the_scores_cannot_tell_is_not_told(rag_project) -> None:
    rag_project.testset("Purple elephants dance.", retrieved_contexts=["Employees get 27 days of leave."])
    result = rag_project.tests(
        """
        @pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8})
        def test_rag(ragas_sample):
            pass
        """
    ).run()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("  diagnosis  *")
    result.stdout.fnmatch_lines(["diagnosis: unclear 1 (context_recall would tell)"])
