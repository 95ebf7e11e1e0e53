"""What the terminal shows of a run's scores, and when."""

from __future__ import annotations

import json

import pytest

SUITE = """
@pytest.mark.ragas(testset="testset.json", thresholds={"quality": 0.5})
def test_rag(ragas_sample):
    pass
"""


def section(result: pytest.RunResult) -> list[str]:
    """The lines of `ragas summary`, or none."""
    lines = result.outlines
    starts = [number for number, line in enumerate(lines) if line.strip("= ") == "ragas summary"]
    if not starts:
        return []
    end = next(number for number in range(starts[0] + 1, len(lines)) if lines[number].startswith("=="))
    return lines[starts[0] + 1 : end]


def test_the_summary_counts_every_process(rag_project, xdist_args):
    result = rag_project.testset("0.9", "0.8", "0.2", "BOOM").tests(SUITE).run(*xdist_args)
    lines = section(result)
    assert lines[0].split() == ["metric", "n", "mean", "95", "%", "interval", "min", "threshold", "below", "unscored"]
    assert lines[1].split() == ["quality", "3", "0.63", *lines[1].split()[3:6], "0.20", ">=", "0.50", "1", "1"]
    assert "  q3  quality 0.20 < 0.50   test_rag.py::test_rag" in lines


def test_what_models_did_is_added_up_over_processes(rag_project, xdist_args):
    result = (
        rag_project.conftest(
            """
        from pytest_ragas import Answer, MetricSpec, ScriptedEmbeddings, Usage

        class Near:
            def __init__(self, context):
                self.name, self.embeddings = context.name, context.embeddings

            async def score(self, sample):
                await self.embeddings.embed([sample.response])
                return Score(metric=self.name, value=1.0)

        @pytest.hookimpl(specname="pytest_ragas_register_metrics")
        def pytest_more_metrics(register):
            register(MetricSpec(name="near", backend="free", needs=frozenset({"response"}),
                                uses=frozenset({"embeddings"}), factory=Near, version="1", summary="near"))

        @pytest.fixture(scope="session")
        def ragas_embeddings():
            return ScriptedEmbeddings(lambda text: [1.0], name="vectors")
        """
        )
        .testset("a", "b", "c", "d")
        .tests(SUITE.replace('thresholds={"quality": 0.5}', 'metrics=["near"]'))
        .run(*xdist_args)
    )
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["near    4  1.00 *", "embeddings  vectors: 4 calls", "time        *"])


def test_without_scores_there_is_no_summary(rag_project, xdist_args):
    result = rag_project.testset("0.9").tests("def test_plain(): pass").run(*xdist_args)
    assert "ragas" not in "\n".join(result.outlines[6:])


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], {"table", "worst", "time"}),
        (["-v"], {"table", "worst", "time"}),
        (["-q"], {"table"}),
        (["-qq"], set()),
        (["--no-summary"], set()),
        (["--ragas-summary=off"], set()),
        (["--ragas-summary=short"], {"table", "worst", "time"}),
        (["--ragas-summary=full"], {"table", "worst", "time", "rows", "tags"}),
        (["--ragas-summary=full", "-q"], {"table"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_how_much_is_shown(rag_project, options, shown):
    lines = section(rag_project.testset("0.9", "0.2", tags=["leave"]).tests(SUITE).run(*options))
    starts = {"table": "metric", "worst": "worst rows", "time": "time ", "rows": "rows", "tags": "tag leave"}
    assert {part for part, start in starts.items() if any(line.startswith(start) for line in lines)} == shown


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(rag_project, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = rag_project.testset("0.9", "0.2", "BOOM").tests(SUITE).run("--ragas-summary=full")
    lines = section(result)
    assert lines
    assert max(map(len, lines)) <= columns


def test_colours_only_where_the_terminal_has_them(rag_project):
    rag_project.testset("0.9", "0.2").tests(SUITE)
    assert "\x1b[31mquality  2" in rag_project.run("--color=yes").stdout.str()
    assert "\x1b[" not in rag_project.run().stdout.str()


def test_the_line_below_collected_says_who_judges(rag_project):
    rag_project.testset("0.9").tests(SUITE)
    rag_project.run().stdout.fnmatch_lines(
        ["collected 1 item", "ragas: critic LLM embedded, embeddings none, metrics quality"]
    )
    rag_project.conftest(
        """
        @pytest.fixture(scope="session")
        def ragas_critic_llm(ragas_critic_llm):
            return ragas_critic_llm
        """
    )
    line = "ragas: critic LLM of a fixture in conftest.py, embeddings none, metrics quality"
    rag_project.run().stdout.fnmatch_lines([line])
    rag_project.run("-q").stdout.no_fnmatch_line("ragas: *")


def test_without_a_terminal_reporter_scores_and_gates_still_work(rag_project):
    rag_project.testset("0.2").tests(SUITE)
    result = rag_project.run("-p", "no:terminal", "--ragas-fail-under=mean(quality) >= 0.1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_the_embedded_critic_is_called_a_measure_of_the_wording(rag_project):
    result = rag_project.testset("Leave is 30 days.", retrieved_contexts=["Leave is 30 days."]).tests(
        SUITE.replace('thresholds={"quality": 0.5}', 'metrics=["faithfulness"]')
    ).run()  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["critic LLM  embedded", "embedded is a measure of the wording, not an LLM:*"])


def test_slices_with_v_and_the_one_that_fails(rag_project, xdist_args):
    rows = [
        {
            "id": f"q{number}",
            "user_input": f"Question {number}?",
            "response": "0.1" if number < 4 else "0.9",
            "metadata": {
                "question_type": "reasoning" if number < 5 else "simple",
                "sources": [{"path": f"docs/{number % 2}.md"}],
            },
        }
        for number in range(16)
    ]
    (rag_project.path / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
    rag_project.tests(SUITE)
    named = "question_type=reasoning holds 4 of 4 failures: 4 of its 5 results failed, 0 of the 11 others"
    assert " ".join(named.split()) in " ".join(" ".join(section(rag_project.run(*xdist_args))).split())
    lines = section(rag_project.run("-v", *xdist_args))
    assert {"by question_type   n  failed  quality", "by source  n  failed  quality"} <= set(lines)
    assert "reasoning          5       4     0.26" in lines
    full = section(rag_project.run("--ragas-summary=full", *xdist_args))
    assert any(line.startswith("question_type reasoning") for line in full)
    assert any(line.startswith("source docs/1.md") for line in full)
    gates = [
        "--ragas-fail-under=mean(quality, question_type=simple) >= 0.8",
        "--ragas-fail-under=min(quality, source=docs/1.md) >= 0.8",
    ]
    result = rag_project.run(*gates, *xdist_args)
    result.stdout.fnmatch_lines(
        [
            "gate passed: mean(quality, question_type=simple) 0.90 >= 0.80 (11 samples)",
            "gate failed: min(quality, source=docs/1.md) 0.10 < 0.80 (8 samples)",
        ]
    )
