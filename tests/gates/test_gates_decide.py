"""From scores to outcomes, from results to verdicts."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.gates.decide import decide_gate, decide_sample, outcome_by_test
from pytest_ragas.gates.expression import parse_gate
from pytest_ragas.values.gate import Breach, GateVerdict, Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import FailureKind, Score, ScoreFailure


def score(metric: str, value: float, *, higher: bool = True) -> Score:
    return Score(metric=metric, value=value, higher_is_better=higher)


def failure(metric: str, kind: FailureKind = "critic") -> ScoreFailure:
    return ScoreFailure(metric=metric, sample_id="1", kind=kind, error="busy")


def threshold(metric: str, bound: float) -> Threshold:
    return Threshold(metric=metric, bound=bound)


F8 = threshold("faithfulness", 0.8)


@pytest.mark.parametrize(
    ("scores", "failures", "thresholds", "outcome", "broken"),
    [
        ([], [], [], "passed", []),
        ([score("faithfulness", 0.9)], [], [F8], "passed", []),
        ([score("faithfulness", 0.8)], [], [F8], "passed", []),
        ([score("faithfulness", 0.79)], [], [F8], "failed", ["faithfulness"]),
        ([score("faithfulness", 0.0)], [], [], "passed", []),
        # a known failure wins over a missing score
        ([score("faithfulness", 0.1)], [failure("recall")], [F8, threshold("recall", 0.5)], "failed", ["faithfulness"]),
        ([score("faithfulness", 0.1)], [failure("recall", "not run")], [F8], "failed", ["faithfulness"]),
        # a missing score is an error, with a threshold or without
        ([], [failure("faithfulness")], [F8], "error", []),
        ([score("faithfulness", 1.0)], [failure("recall")], [F8], "error", []),
        ([], [], [F8], "error", []),
        ([score("recall", 1.0)], [], [F8], "error", []),
        # not run only where nothing worse is
        ([], [failure("faithfulness", "not run")], [F8], "not run", []),
        ([], [failure("faithfulness", "not run"), failure("recall")], [F8], "error", []),
        ([], [failure("recall", "not run")], [F8], "error", []),
        # both broken, in the order of the thresholds
        (
            [score("b", 0.1), score("a", 0.1)],
            [],
            [threshold("a", 0.5), threshold("b", 0.5)],
            "failed",
            ["a", "b"],
        ),
        # upper bounds for metrics that count errors
        ([score("noise", 0.2, higher=False)], [], [threshold("noise", 0.2)], "passed", []),
        ([score("noise", 0.3, higher=False)], [], [threshold("noise", 0.2)], "failed", ["noise"]),
    ],
)
def test_the_outcome_of_a_sample(scores: Any, failures: Any, thresholds: Any, outcome: str, broken: list[str]) -> None:
    found, breaches = decide_sample(scores, failures, thresholds)
    assert found == outcome
    assert [breach.threshold.metric for breach in breaches] == broken


def test_a_breach_knows_value_and_direction() -> None:
    _, breaches = decide_sample([score("noise", 0.3, higher=False)], [], [threshold("noise", 0.2)])
    assert breaches == (Breach(threshold=threshold("noise", 0.2), value=0.3, higher_is_better=False),)
    assert str(breaches[0]) == "noise 0.30 > 0.20"


kinds = st.sampled_from(["critic", "embeddings", "structure", "sample", "configuration", "not run"])


@given(
    values=st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1)),
    failed=st.dictionaries(st.sampled_from("efgh"), kinds),
    bounds=st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1)),
)
def test_never_passed_with_anything_missing_and_never_failed_without_a_broken_threshold(
    values: dict[str, float], failed: dict[str, Any], bounds: dict[str, float]
) -> None:
    outcome, breaches = decide_sample(
        [score(name, value) for name, value in values.items()],
        [failure(name, kind) for name, kind in failed.items()],
        [threshold(name, bound) for name, bound in bounds.items()],
    )
    broken = {name for name, bound in bounds.items() if name in values and values[name] < bound}
    assert {breach.threshold.metric for breach in breaches} == broken
    assert (outcome == "failed") == bool(broken)
    if outcome == "passed":
        assert not failed
        assert set(bounds) <= set(values)


def result(
    values: dict[str, float],
    *,
    missing: tuple[str, ...] = (),
    bounds: dict[str, float] | None = None,
    tags: tuple[str, ...] = (),
    metadata: dict[str, Any] | None = None,
    nodeid: str = "",
    higher: bool = True,
    kind: FailureKind = "critic",
) -> SampleResult:
    scores = tuple(score(name, value, higher=higher) for name, value in values.items())
    failures = tuple(failure(name, kind) for name in missing)
    thresholds = tuple(threshold(name, bound) for name, bound in (bounds or {}).items())
    return SampleResult(
        sample=Sample(id="1", tags=tags, metadata=metadata or {}),
        scores=scores,
        failures=failures,
        thresholds=thresholds,
        outcome=decide_sample(scores, failures, thresholds)[0],
        nodeid=nodeid,
    )


def verdict(text: str, results: list[SampleResult], *, min_coverage: float = 1.0) -> GateVerdict:
    return decide_gate(parse_gate(text), results, min_coverage=min_coverage)


def summary(found: GateVerdict) -> tuple[str, float | None, int, int]:
    value = None if found.value is None else round(found.value, 6)
    return found.outcome, value, found.scored, found.total


def f(*values: float) -> list[SampleResult]:
    return [result({"f": value}) for value in values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean(f) >= 0.6", ("passed", 0.6, 3, 3)),
        ("mean(f) > 0.6", ("failed", 0.6, 3, 3)),
        ("mean(f) <= 0.6", ("passed", 0.6, 3, 3)),
        ("mean(f) < 0.6", ("failed", 0.6, 3, 3)),
        ("mean(f) >= 0.61", ("failed", 0.6, 3, 3)),
        ("min(f) >= 0.3", ("passed", 0.3, 3, 3)),
        ("max(f) < 0.9", ("failed", 0.9, 3, 3)),
        ("median(f) >= 60%", ("passed", 0.6, 3, 3)),
        ("p10(f) >= 0.36", ("passed", 0.36, 3, 3)),
    ],
)
def test_a_gate_compares_an_aggregate(text: str, expected: tuple[str, float, int, int]) -> None:
    assert summary(verdict(text, f(0.9, 0.3, 0.6))) == expected


def test_equal_is_equal_whatever_the_last_bits_of_a_sum_say() -> None:
    below, above = f(0.7, 0.8, 0.9), f(0.6, 0.7, 0.8)
    assert statistics.fmean((0.7, 0.8, 0.9)) < 0.8
    assert statistics.fmean((0.6, 0.7, 0.8)) > 0.7
    for bound, results in ((0.8, below), (0.7, above)):
        assert verdict(f"mean(f) >= {bound}", results).outcome == "passed"
        assert verdict(f"mean(f) <= {bound}", results).outcome == "passed"
        assert verdict(f"mean(f) > {bound}", results).outcome == "failed"
        assert verdict(f"mean(f) < {bound}", results).outcome == "failed"


def test_a_missing_score_makes_a_gate_incomplete_even_where_the_rest_would_hold() -> None:
    results = [*f(1.0, 1.0, 1.0), result({}, missing=("f",))]
    assert summary(verdict("mean(f) >= 0.5", results)) == ("incomplete", 1.0, 3, 4)
    assert summary(verdict("mean(f) >= 0.5", results, min_coverage=0.75)) == ("passed", 1.0, 3, 4)
    assert summary(verdict("mean(f) >= 0.5", results, min_coverage=0.76)) == ("incomplete", 1.0, 3, 4)


def test_a_score_that_a_threshold_wants_and_nobody_explains_is_missing_too() -> None:
    assert summary(verdict("mean(f) >= 0.5", [*f(1.0), result({}, bounds={"f": 0.5})])) == ("incomplete", 1.0, 1, 2)


def test_a_share_is_not_missed_by_a_rounding_error() -> None:
    results = [*f(*[1.0] * 7), *[result({}, missing=("f",))] * 3]
    assert verdict("mean(f) >= 0.5", results, min_coverage=0.7).outcome == "passed"


@pytest.mark.parametrize("text", ["mean(f) >= 0", "min(f) <= 1", "pass_rate() >= 0", "pass_rate(f) >= 0"])
def test_a_gate_over_nothing_is_incomplete(text: str) -> None:
    assert summary(verdict(text, [])) == ("incomplete", None, 0, 0)
    nothing_scored = [result({}, missing=("f",), bounds={"f": 0.5})] * 2
    assert summary(verdict(text, nothing_scored)) == ("incomplete", None, 0, 2)
    assert summary(verdict(text, nothing_scored, min_coverage=0.0)) == ("incomplete", None, 0, 2)


def test_samples_that_were_not_to_be_scored_with_the_metric_are_not_counted() -> None:
    results = [*f(0.5), result({"g": 0.1}), result({}, missing=("g",))]
    assert summary(verdict("mean(f) >= 0.5", results)) == ("passed", 0.5, 1, 1)


def test_a_tag_selects() -> None:
    results = [result({"f": 0.2}, tags=("a",)), result({"f": 0.8}, tags=("a", "b")), result({"f": 1.0})]
    assert summary(verdict("mean(f, tag=a) >= 0.5", results)) == ("passed", 0.5, 2, 2)
    assert summary(verdict("mean(f, tag=b) >= 0.9", results)) == ("failed", 0.8, 1, 1)
    assert summary(verdict("mean(f, tag=c) >= 0.9", results)) == ("incomplete", None, 0, 0)
    assert summary(verdict("pass_rate(tag=a) >= 1", results)) == ("passed", 1.0, 2, 2)


def test_the_type_of_the_question_and_the_document_select() -> None:
    results = [
        result({"f": 0.2}, metadata={"question_type": "simple", "sources": [{"path": "a.md", "start": 0}]}),
        result({"f": 0.8}, metadata={"question_type": "simple", "source": "b.md"}, tags=("x",)),
        result({"f": 1.0}, metadata={"evolution_type": "reasoning", "sources": [{"path": "a.md"}, {"path": "b.md"}]}),
        result({"f": 0.0}),
    ]
    assert summary(verdict("mean(f, question_type=simple) >= 0.5", results)) == ("passed", 0.5, 2, 2)
    assert summary(verdict("mean(f, question_type=reasoning) >= 0.5", results)) == ("passed", 1.0, 1, 1)
    assert summary(verdict("mean(f, source=a.md) >= 0.5", results)) == ("passed", 0.6, 2, 2)
    assert summary(verdict("min(f, source=b.md, question_type=simple, tag=x) > 0.8", results)) == ("failed", 0.8, 1, 1)
    assert summary(verdict("mean(f, source=c.md) >= 0", results)) == ("incomplete", None, 0, 0)
    assert summary(verdict("pass_rate(source=b.md) >= 1", results)) == ("passed", 1.0, 2, 2)


def test_pass_rate_counts_tests_not_samples() -> None:
    results = [
        result({"f": 1.0}, bounds={"f": 0.5}, nodeid="a"),
        result({"f": 1.0}, bounds={"f": 0.5}, nodeid="b"),
        result({"f": 0.1}, bounds={"f": 0.5}, nodeid="b"),
        result({"f": 1.0}, bounds={"f": 0.5}, nodeid="b"),
    ]
    assert outcome_by_test(results) == {"a": "passed", "b": "failed"}
    assert summary(verdict("pass_rate() >= 0.5", results)) == ("passed", 0.5, 2, 2)
    assert summary(verdict("pass_rate(f) >= 0.75", results)) == ("passed", 0.75, 4, 4)


def test_results_of_no_test_count_each_for_itself() -> None:
    results = [result({"f": 1.0}, bounds={"f": 0.5}), result({"f": 0.1}, bounds={"f": 0.5})]
    assert list(outcome_by_test(results).values()) == ["passed", "failed"]


def test_a_test_with_an_error_has_no_verdict_so_the_pass_rate_is_incomplete() -> None:
    results = [
        result({"f": 1.0}, nodeid="a"),
        result({}, missing=("f",), nodeid="b"),
        result({}, missing=("f",), kind="not run", nodeid="c"),
    ]
    assert outcome_by_test(results) == {"a": "passed", "b": "error", "c": "not run"}
    assert summary(verdict("pass_rate() >= 0.9", results)) == ("incomplete", 1.0, 1, 3)
    assert summary(verdict("pass_rate() >= 0.9", results, min_coverage=0.3)) == ("passed", 1.0, 1, 3)


def test_the_pass_rate_of_a_metric_knows_upper_bounds() -> None:
    results = [result({"noise": value}, bounds={"noise": 0.2}, higher=False) for value in (0.1, 0.2, 0.3, 0.4)]
    assert summary(verdict("pass_rate(noise) >= 0.5", results)) == ("passed", 0.5, 4, 4)
    assert summary(verdict("mean(noise) <= 0.25", results)) == ("passed", 0.25, 4, 4)
