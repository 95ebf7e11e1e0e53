"""The summary as lines: what it says, and that it never is wider than the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from reports_run import half_width, result, typical_run, verdict

from pytest_ragas.reports.terminal import gate_lines, summary_lines
from pytest_ragas.reports.width import width_of
from pytest_ragas.values.gate import Gate
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.run import ModelUse, Run

GOLDEN = Path(__file__).parent.parent / "golden"

VERDICTS = (
    verdict(),
    verdict(outcome="failed", value=0.776, scored=5, total=5),
    verdict(outcome="incomplete", value=0.8, scored=4, total=5),
)


def lines_of(run: Run, *verdicts, width: int = 80, level="short", verbosity: int = 0):
    return summary_lines(run, verdicts, width=width, level=level, interval=half_width, verbosity=verbosity)


def text_of(run: Run, *verdicts, **options) -> str:
    return "\n".join(line.text for line in lines_of(run, *verdicts, **options))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("level", ["short", "full"])
def test_a_typical_run_looks_like_the_golden_file(level, width):
    """To renew a file, print `text_of(...)`, read it, and replace the file."""
    golden = GOLDEN / f"summary_{level}_{width}.txt"
    assert text_of(typical_run(), *VERDICTS, width=width, level=level) + "\n" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", range(10, 130, 7))
@pytest.mark.parametrize("level", ["short", "full"])
def test_no_line_is_wider_than_the_terminal(level, width):
    wide = result(
        "質問の行の識別子" * 4, {"faithfulness": 0.5, "context_entity_recall": 0.1}, tags=("ein langes Etikett",)
    )
    run = typical_run()
    run = replace(run, results=(*run.results, wide))
    lines = lines_of(run, *VERDICTS, width=width, level=level, verbosity=1)
    assert max(width_of(line.text) for line in lines) <= width


def test_a_run_without_results_says_nothing():
    assert lines_of(Run()) == []


def test_gates_are_said_even_without_results():
    nothing = verdict(outcome="incomplete", value=None, scored=0, total=0)
    assert text_of(Run(), nothing) == (
        "gate incomplete: mean(faithfulness) >= 0.85: no sample of this run is scored\n    with faithfulness"
    )


def test_quiet_runs_get_the_table_and_the_gates():
    text = text_of(typical_run(), *VERDICTS, verbosity=-1)
    assert "faithfulness" in text
    assert "gate failed" in text
    assert "worst rows" not in text
    assert "critic LLM" not in text


def test_colours_tell_broken_thresholds_from_missing_scores():
    markup = {line.text.split()[0]: dict(line.markup) for line in lines_of(typical_run(), *VERDICTS)[:4]}
    assert markup["metric"] == {"bold": True}
    assert markup["faithfulness"] == {"red": True}
    assert markup["context_recall"] == {}
    unscored = result("q", {"recall": 0.9}, thresholds={"recall": 0.5}, failures={"precision": "500"})
    by_name = {line.text.split()[0]: dict(line.markup) for line in lines_of(Run(results=(unscored,)))[:3]}
    assert by_name["recall"] == {"green": True}
    assert by_name["precision"] == {"yellow": True}


def test_the_red_gates_come_last():
    lines = gate_lines([VERDICTS[1], VERDICTS[0]], width=80)
    assert [line.text.split(":")[0] for line in lines] == ["gate passed", "gate failed"]
    assert lines[1].markup == {"red": True, "bold": True}


def test_gates_write_as_many_digits_as_tell_value_and_bound_apart():
    close = verdict(outcome="failed", value=0.849951, scored=20, total=20)
    assert gate_lines([close], width=80)[0].text == "gate failed: mean(faithfulness) 0.84995 < 0.85000 (20 samples)"
    exact = verdict(value=0.85)
    assert gate_lines([exact], width=80)[0].text == "gate passed: mean(faithfulness) 0.85 >= 0.85 (20 samples)"


@pytest.mark.parametrize(("operator", "sign"), [(">=", "<"), (">", "<="), ("<=", ">"), ("<", ">=")])
def test_a_failed_gate_names_the_relation_that_holds(operator, sign):
    gate = Gate(aggregate="mean", metric="noise", operator=operator, bound=0.5, tag="billing")
    line = gate_lines([verdict(gate=gate, outcome="failed", value=0.1, scored=19)], width=80)[0].text
    assert line == f"gate failed: mean(noise, tag=billing) 0.10 {sign} 0.50 (19 of 20 samples)"


def test_a_gate_over_a_slice_names_it():
    gate = Gate(aggregate="mean", metric="f", operator=">=", bound=0.5, question_type="simple", source="docs/a.md")
    nothing = verdict(gate=gate, outcome="incomplete", value=None, scored=0, total=0)
    lines = gate_lines([verdict(gate=gate), nothing], width=160)
    assert [line.text for line in lines] == [
        "gate passed: mean(f, question_type=simple, source=docs/a.md) 0.90 >= 0.50 (20 samples)",
        "gate incomplete: mean(f, question_type=simple, source=docs/a.md) >= 0.5: no sample of this run with "
        "question_type=simple and source=docs/a.md is scored with f",
    ]


def test_a_gate_over_the_pass_rate_names_no_metric():
    gate = Gate(aggregate="pass_rate", metric="", operator=">=", bound=0.95)
    assert gate_lines([verdict(gate=gate, value=1.0, scored=1, total=1)], width=80)[0].text == (
        "gate passed: pass_rate() 1.00 >= 0.95 (1 sample)"
    )


def test_a_score_just_below_its_threshold_does_not_look_like_it():
    text = text_of(Run(results=(result("q", {"recall": 0.7996}, thresholds={"recall": 0.8}),)))
    assert "0.7996" in text.splitlines()[1]


def test_metrics_of_which_less_is_better_show_their_greatest_score():
    rows = tuple(
        result(id, {"noise_sensitivity": value}, thresholds={"noise_sensitivity": 0.3}, higher_is_better=False)
        for id, value in (("a", 0.1), ("b", 0.6))
    )
    lines = text_of(Run(results=rows)).splitlines()
    assert "max 0.60" in lines[1]
    assert "<= 0.30" in lines[1]
    assert lines[4] == "  b  noise_sensitivity 0.60 > 0.30   tests/test_rag.py::test_rag"


def test_thresholds_that_differ_between_tests_are_shown_as_a_range():
    rows = tuple(
        result(id, {"faithfulness": 1.0}, thresholds={"faithfulness": bound}) for id, bound in (("a", 0.5), ("b", 0.8))
    )
    assert "0.50-0.80" in text_of(Run(results=rows))


def test_perfect_scores_are_no_worst_rows():
    rows = tuple(result(id, {"faithfulness": 1.0}) for id in "abc")
    assert "worst rows" not in text_of(Run(results=rows))


def test_broken_rows_that_are_not_shown_are_counted():
    rows = tuple(result(f"q{n}", {"faithfulness": 0.1}, thresholds={"faithfulness": 0.5}) for n in range(9))
    assert "  .. and 6 more below their threshold" in text_of(Run(results=rows)).splitlines()
    assert "more below" not in text_of(Run(results=rows), verbosity=1)


def test_the_embedded_critic_is_called_what_it_is():
    run = replace(typical_run(), models=(ModelUse(role="critic LLM", identity=EmbeddedCritic().identity),))
    text = " ".join(text_of(run).split())
    assert "critic LLM embedded" in text
    assert "not an LLM: a smoke gate" in text
    assert "not an LLM" not in text_of(typical_run())


def test_ten_thousand_rows_stay_one_screen():
    rows = tuple(result(f"q{n}", {"faithfulness": n / 10_000}, thresholds={"faithfulness": 0.5}) for n in range(10_000))
    lines = lines_of(Run(results=rows), *VERDICTS)
    assert len(lines) <= 24
    assert "10,000" in lines[1].text


def test_the_spread_is_shown_where_rows_were_judged_several_times():
    plain = result("q1", {"faithfulness": 0.5})
    assert "spread" not in text_of(Run(results=(plain,)))
    scores = tuple(replace(score, repeats=(0.4, 0.6)) for score in plain.scores)
    other = result("q2", {"answer_relevancy": 0.5})
    table = lines_of(Run(results=(replace(plain, scores=scores), other)), width=100)[:3]
    assert [line.text.split()[:6] for line in table] == [
        ["metric", "n", "mean", "spread", "95", "%"],
        ["faithfulness", "1", "0.50", "±", "0.14", *table[1].text.split()[5:6]],
        ["answer_relevancy", "1", "0.50", "-", *table[2].text.split()[4:6]],
    ]


def test_a_threshold_inside_the_critics_noise_is_warned_of_where_many_rows_meet_it():
    unsure = [result(f"q{n}", {"faithfulness": 0.78}, thresholds={"faithfulness": 0.8}) for n in range(3)]
    unsure = [replace(row, scores=(replace(row.scores[0], repeats=(0.7, 0.86)),)) for row in unsure]
    sure = [result(f"s{n}", {"faithfulness": 1.0}, thresholds={"faithfulness": 0.8}) for n in range(20)]
    sure = [replace(row, scores=(replace(row.scores[0], repeats=(1.0, 1.0)),)) for row in sure]
    text = " ".join(text_of(Run(results=(*unsure, *sure))).split())
    assert "the threshold 0.80 of faithfulness lies within the critic's own noise for 3 of 23 rows" in text
    assert "critic's own noise" not in text_of(Run(results=(unsure[0], *sure)))
    assert "critic's own noise" not in text_of(Run(results=(*unsure[:2], *sure)))
