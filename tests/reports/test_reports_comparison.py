"""A comparison as people read it: in a terminal, in Markdown, as a table of many runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from reports_comparison import broken, change, key, pair_of, questions, typical_comparison

from pytest_ragas.reports.comparison.markdown import comparison_markdown
from pytest_ragas.reports.comparison.runs import ComparedRun, runs_lines, runs_markdown
from pytest_ragas.reports.comparison.terminal import comparison_lines
from pytest_ragas.reports.comparison.words import detectable_words, outcome_words, signed, verdict
from pytest_ragas.reports.width import width_of
from pytest_ragas.values.comparison import Comparison, Incomparable, Pairing
from pytest_ragas.values.recorded import RecordedRow, RecordedRun, RecordedScore

GOLDEN = Path(__file__).parent.parent / "golden"

REFUSED = Incomparable(
    baseline="baseline.json",
    differences=("critic LLM: gpt-4o-mini in the baseline, gpt-4o now",),
    mends=("Compare them anyway with --ragas-compare-anyway.",),
)


def text_of(comparison, *, width: int = 80, verbosity: int = 0) -> str:
    lines = comparison_lines(comparison, width=width, questions=questions(), verbosity=verbosity)
    return "\n".join(line.text for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_a_typical_comparison_looks_like_the_golden_file_on_one_screen(width):
    """To renew a file, print `text_of(...)`, read it, and replace the file."""
    text = text_of(typical_comparison(), width=width)
    assert text + "\n" == (GOLDEN / f"comparison_{width}.txt").read_text(encoding="utf-8")
    assert text.count("\n") < 24


def test_its_markdown_looks_like_the_golden_file():
    text = comparison_markdown(typical_comparison(), questions=questions())
    assert text == (GOLDEN / "comparison.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", range(10, 130, 7))
def test_no_line_is_wider_than_the_terminal(width):
    comparison = typical_comparison(breaks=[broken("質問の行の識別子" * 4, "faithfulness", 1.0, 0.1)])
    for shown in (comparison, REFUSED):
        lines = comparison_lines(shown, width=width, questions=questions(), verbosity=1)
        assert max(width_of(line.text) for line in lines) <= width


def test_what_passed_says_how_much_was_compared():
    passed = typical_comparison(changes=(change("faithfulness"),), breaks=(), slices=())
    assert text_of(passed).splitlines()[-1] == "comparison passed: nothing got worse than 0007_main (14 rows)"
    assert passed.outcome == "passed"


def test_what_says_too_little_is_red():
    empty = Comparison(
        baseline="main", pairing=Pairing(pairs=()), changes=(), incomplete=("no row of this run is in main",)
    )
    assert empty.failed
    assert text_of(empty).splitlines()[-1] == "comparison incomplete: no row of this run is in main"


def test_a_refusal_names_each_difference_and_the_mend():
    assert text_of(REFUSED).splitlines() == [
        "comparison impossible: critic LLM: gpt-4o-mini in the baseline, gpt-4o now",
        "Compare them anyway with --ragas-compare-anyway.",
    ]
    assert REFUSED.to_json()["outcome"] == "incomparable"


def test_many_broken_rows_are_counted():
    comparison = typical_comparison(breaks=tuple(broken(f"q{number}", "m", 1.0, 0.1) for number in range(40)))
    assert "  .. and 35 more" in text_of(comparison)
    assert "  .. and 28 more" in text_of(comparison, verbosity=1)
    assert "… and 20 more" in comparison_markdown(comparison, questions={})


def test_a_quiet_terminal_shows_the_table_and_the_verdict():
    assert "rows that broke:" not in text_of(typical_comparison(), verbosity=-1)
    assert "comparison failed: faithfulness" in text_of(typical_comparison(), verbosity=-1)


def test_a_metric_with_lower_scores_better_says_what_its_sign_means():
    pairs = (pair_of("a", "noise_sensitivity", 0.1, 0.4, higher_is_better=False),)
    comparison = typical_comparison(pairing=Pairing(pairs=pairs))
    assert "of noise_sensitivity lower scores are better: a rise is a change below 0" in text_of(comparison)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"failed": True}, "worse"),
        ({"change": 0.1, "low": 0.01, "high": 0.2}, "better"),
        ({"change": -0.01, "low": -0.02, "high": -0.005, "floor": 0.02}, "within 0.02"),
        ({"change": 0.0, "low": 0.0, "high": 0.0}, "unchanged"),
        ({"change": -0.03, "low": -0.1, "high": 0.02}, "no drop seen"),
    ],
)
def test_the_verdict_on_a_metric(values, said):
    assert verdict(change("m", **values)) == said


def test_a_change_is_never_rounded_to_nothing():
    assert [signed(value) for value in (0.1, -0.25, -0.0041, 0.00004, 0.0, -0.0)] == [
        "+0.10", "-0.25", "-0.004", "0.00", "0.00", "0.00",
    ]  # fmt: skip


def test_markdown_shows_texts_as_they_are_and_calls_nobody():
    asked = {key("a|b`c"): "Who is @admin? <b>#12</b> | a `code` *x*\nnew line"}
    text = comparison_markdown(typical_comparison(breaks=(broken("a|b`c", "m", 1.0, 0.0),)), questions=asked)
    row = next(line for line in text.splitlines() if "Who is" in line)
    assert row == (
        "| `a\\|b'c` | m 1.00 -> 0.00 | fell | Who is &#64;admin? \\<b>\\#12\\</b> \\| a \\`code\\` \\*x\\* new line |"
    )


def test_the_json_says_outcome_metrics_and_rows():
    data = json.loads(json.dumps(typical_comparison().to_json(), allow_nan=False))
    assert (data["format"], data["outcome"], data["baseline"]) == (1, "failed", "0007_main")
    assert [entry["metric"] for entry in data["metrics"] if entry["failed"]] == ["faithfulness"]
    assert data["breaks"][0]["key"]["sample_id"] == "annual-leave"
    assert data["rows"]["compared"] == 14
    assert [row["sample_id"] for row in data["rows"]["added"]] == ["new-policy", "sabbatical"]


def run_of(mean: float) -> RecordedRun:
    row = RecordedRow(
        key=key("a"),
        content="",
        answer="",
        outcome="passed",
        scores=(RecordedScore(metric="faithfulness", value=mean),),
    )
    return RecordedRun(name="x", created="2026-03-01T12:00:00Z", rows=(row,))


def runs() -> list[ComparedRun]:
    worse = typical_comparison(differences=("faithfulness: version 1 in the baseline, 2 now",))
    return [
        ComparedRun(name="0001_main", run=run_of(0.95), against=None),
        ComparedRun(name="0002_reranker", run=run_of(0.61), against=worse),
        ComparedRun(name="0003_other-critic", run=run_of(0.8), against=REFUSED),
    ]


def test_many_runs_stand_below_each_other_for_each_metric():
    assert [line.text for line in runs_lines(runs(), width=100)] == [
        "faithfulness       n  mean  change   95 % interval       p",
        "0001_main          1  0.95       -               -       -",
        "0002_reranker      1  0.61   -0.34  -0.50 to -0.18  <0.001  worse",
        "0003_other-critic  1  0.80       -               -       -  not comparable",
        "0002_reranker: compared anyway: faithfulness: version 1 in the baseline, 2 now",
        "0003_other-critic: critic LLM: gpt-4o-mini in the baseline, gpt-4o now",
    ]
    assert max(len(line.text) for line in runs_lines(runs(), width=40)) <= 40


def test_many_runs_in_markdown():
    text = runs_markdown(runs())
    assert "| `0002_reranker` | 1 | 0.61 | -0.34 | -0.50 to -0.18 | \\<0.001 | worse |" in text
    assert text.startswith("### ragas: 3 runs, each against `0001_main`\n")


def test_red_words_come_with_numbers():
    worse = typical_comparison()
    assert outcome_words(worse) == ["comparison failed: faithfulness -0.34; 3 rows broke (against 0007_main)"]
    assert outcome_words(replace(worse, breaks=(), incomplete=("mrr: 1 of 2 rows have a score",))) == [
        "comparison failed: faithfulness -0.34 (against 0007_main)",
        "comparison incomplete: mrr: 1 of 2 rows have a score",
    ]


def test_what_a_smaller_drop_would_take_is_said() -> None:
    small = change("faithfulness", floor=0.005, rows_needed=1_010, repeats_needed=12)
    smaller = change("answer_relevancy", floor=0.02, rows_needed=1)
    assert detectable_words([small, smaller]).split("; ")[-2:] == [
        "a drop of 0.005 in faithfulness takes 1,010 rows instead of 14, or 12 repeats of each",
        "a drop of 0.02 in answer_relevancy takes 1 row instead of 14",
    ]
