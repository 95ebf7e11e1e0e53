"""What a failed or unscored test says, in ten lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports_run import result, scored

from pytest_ragas.reports.failure import WIDTH, error_text, failure_text
from pytest_ragas.values.gate import Breach, Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, ScoreFailure

SAMPLE = Sample(
    id="q7",
    user_input="How many days of leave are there?",
    response="There are 30 days of leave. They never expire.",
    source="testset.json row 7",
)


def result_of(*scores, failures=()) -> SampleResult:
    return SampleResult(sample=SAMPLE, scores=scores, failures=failures, thresholds=(), outcome="failed")


def breach(metric: str, value: float, bound: float = 0.8) -> Breach:
    return Breach(threshold=Threshold(metric=metric, bound=bound), value=value)


def statements(*verdicts: float) -> tuple[Finding, ...]:
    return tuple(
        Finding(kind="statement", text=f"Statement {n}.", value=value, reason=f"reason {n}")
        for n, value in enumerate(verdicts, 1)
    )


def test_a_failure_names_metric_value_bound_row_file_and_the_unsupported_statements():
    low = scored("faithfulness", 0.33, "1 of 3 statements are supported", *statements(1.0, 0.0, 0.0))
    assert failure_text(result_of(low), [breach("faithfulness", 0.33)]).splitlines() == [
        "faithfulness 0.33 < 0.80",
        "  row          q7 (testset.json row 7)",
        "  user_input   How many days of leave are there?",
        "  response     There are 30 days of leave. They never expire.",
        "  faithfulness: 1 of 3 statements are supported",
        "    - statement: Statement 2. (reason 2)",
        "    - statement: Statement 3. (reason 3)",
    ]


def test_several_broken_thresholds_share_the_room():
    scores = [scored(metric, 0.1, "why", *statements(*[0.0] * 9)) for metric in ("faithfulness", "context_recall")]
    lines = failure_text(result_of(*scores), [breach("faithfulness", 0.1), breach("context_recall", 0.1)]).splitlines()
    assert lines[0] == "faithfulness 0.10 < 0.80; context_recall 0.10 < 0.80"
    assert lines[4:] == [
        "  faithfulness: why",
        "    - statement: Statement 1. (reason 1)",
        "    … and 8 more",
        "  context_recall: why",
        "    - statement: Statement 1. (reason 1)",
        "    … and 8 more",
    ]


@pytest.mark.parametrize("metrics", range(1, 12))
@pytest.mark.parametrize("findings", [0, 1, 40])
def test_a_failure_is_never_longer_than_ten_lines_nor_wider_than_a_hundred_columns(metrics, findings):
    long = [
        Finding(kind="context", text="long text " * 60, value=0.0, reason="a long reason " * 40)
        for _ in range(findings)
    ]
    scores = [scored(f"metric_{n}", 0.1, "because " * 40, *long) for n in range(metrics)]
    broken = [breach(f"metric_{n}", 0.1) for n in range(metrics)]
    shouting = replace(result_of(*scores), sample=replace(SAMPLE, user_input="why " * 200, response="so\n" * 200))
    lines = failure_text(shouting, broken).splitlines()
    assert len(lines) <= 10
    assert max(map(len, lines[1:])) <= WIDTH


def test_a_long_reason_stands_below_its_statement_where_there_is_room():
    long = Finding(
        kind="statement", text="They never expire.", value=0.0, reason="the handbook says that they expire " * 3
    )
    low = scored("faithfulness", 0.5, "1 of 2 statements are supported", long)
    lines = failure_text(result_of(low), [breach("faithfulness", 0.5)]).splitlines()
    assert lines[-2:] == [
        "    - statement: They never expire.",
        "                 the handbook says that they expire the handbook says that they expire the handbook…",
    ]


def test_a_score_without_bad_evidence_shows_the_weakest():
    low = scored("answer_relevancy", 0.6, "", *statements(0.9, 0.6, 0.8))
    assert failure_text(result_of(low), [breach("answer_relevancy", 0.6)]).splitlines()[-2:] == [
        "  answer_relevancy: 1 of 3 statements count against it",
        "    - statement: Statement 2. (reason 2)",
    ]


def test_a_failure_beside_a_missing_score_mentions_it():
    low = scored("faithfulness", 0.3)
    missing = ScoreFailure(metric="context_recall", sample_id="q7", kind="critic", error="the server answered 500")
    text = failure_text(result_of(low, failures=(missing,)), [breach("faithfulness", 0.3)])
    assert "  context_recall could not be scored: the server answered 500" in text.splitlines()


def test_an_empty_answer_is_called_empty():
    low = replace(result_of(scored("faithfulness", 0.0)), sample=replace(SAMPLE, response=""))
    assert "  response     (empty)" in failure_text(low, [breach("faithfulness", 0.0)])


def test_an_error_says_what_happened_to_which_metrics_and_what_the_model_said():
    first = ScoreFailure(metric="faithfulness", sample_id="q7", kind="structure", error="no JSON", raw="I think\nso")
    same = replace(first, metric="answer_relevancy", raw="")
    other = replace(first, metric="context_recall", error="the server answered 500", raw="")
    assert error_text(result_of(failures=(first, same, other))).splitlines() == [
        "faithfulness could not be scored: no JSON",
        "  row          q7 (testset.json row 7)",
        "  user_input   How many days of leave are there?",
        "  response     There are 30 days of leave. They never expire.",
        "  the model said: 'I think\\nso'",
        "  answer_relevancy: likewise",
        "  context_recall: the server answered 500",
    ]


def test_a_reason_does_not_repeat_the_row():
    errors = {metric: f"{metric} of row 'q7' (testset.json row 7): 500" for metric in ("faithfulness", "recall")}
    failures = tuple(
        ScoreFailure(metric=metric, sample_id="q7", kind="critic", error=error) for metric, error in errors.items()
    )
    lines = error_text(result_of(failures=failures)).splitlines()
    assert (lines[0], lines[-1]) == ("faithfulness could not be scored: 500", "  recall: likewise")


def test_the_mend_at_the_end_of_a_long_message_is_not_cut():
    from pytest_ragas.models.local.weights import THREE_WAYS

    told = f"Cannot get the model 'owner/a-model-with-a-long-name' of the Hugging Face hub: {'why ' * 40}. {THREE_WAYS}"
    failure = ScoreFailure(metric="faithfulness", sample_id="q7", kind="configuration", error=told)
    assert "hold the model in its cache (HF_HOME)." in error_text(result_of(failures=(failure,)))


@pytest.mark.parametrize("number", [1, 3, 30])
def test_an_error_is_never_longer_than_ten_lines(number):
    failures = {f"metric_{n}": "what happened " * 50 for n in range(number)}
    assert len(error_text(result("q", {}, failures=failures)).splitlines()) <= 10
