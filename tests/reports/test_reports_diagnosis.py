"""Whose fault a failed row is: every rule, and every case in which the scores cannot tell."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from reports_run import result, scored

from pytest_ragas.reports.diagnosis import diagnose, diagnosis_counts, diagnosis_of, diagnosis_of_row
from pytest_ragas.reports.failure import failure_text
from pytest_ragas.reports.roles import ROLES
from pytest_ragas.values.gate import Breach, Threshold
from pytest_ragas.values.recorded import RecordedRow, RecordedScore, RowKey
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

ROW = Sample(
    id="q1", user_input="How many days of leave are there?", response="There are 30 days.", reference="27 days."
)


def piece(text: str, value: float, part: str = "", kind: str = "sentence") -> Finding:
    return Finding(kind=kind, text=text, value=value, part=part)  # type: ignore[arg-type]


RECALL_LOW = scored("context_recall", 0.33, "", piece("A.", 1, "reference"), piece("B.", 0, "reference"))
RECALL_FINE = scored("context_recall", 1.0, "", piece("A.", 1, "reference"))
INVENTED = scored("faithfulness", 0.5, "", piece("X.", 1, "response"), piece("Y.", 0, "response"))
GROUNDED = scored("faithfulness", 1.0, "", piece("X.", 1, "response"))
OFF = scored("answer_relevancy", 0.2, "", piece("Where is the office?", 0.2, kind="question"))
EVADES = scored("answer_relevancy", 0.0, "the response is noncommittal")
WRONG = scored(
    "answer_correctness",
    0.1,
    "",
    piece("30 days.", 0, "false positive", "statement"),
    piece("27 days.", 0, "false negative", "statement"),
)
WRONG_ALONE = scored("factual_correctness", 0.1, "", piece("30 days.", 0, "response", "statement"))
RIGHT = scored("answer_correctness", 0.9)
MISLED = replace(scored("noise_sensitivity", 0.6, "", piece("30.", 0, "response")), higher_is_better=False)
IDS = scored("id_context_recall", 0.0, "", piece("leave.md", 0, "reference", "context"))
BAD_ORDER = scored("context_precision", 0.3, "", piece("c", 1, kind="context"), piece("d", 0, kind="context"))
USELESS = scored("context_precision", 0.0, "", piece("c", 0, kind="context"))
OFF_TOPIC = scored("context_relevancy", 0.1, "", piece("c", 0.1, kind="context"))
ON_TOPIC = scored("context_relevancy", 0.9, "", piece("c", 0.9, kind="context"))


def said(*scores: Score, sample: Sample | None = ROW, held: tuple[str, ...] = ()) -> str:
    """The diagnosis where every score is held to 0.55 but those of some metrics, which have no threshold."""
    bounds = [Threshold(metric=score.metric, bound=0.55) for score in scores if score.metric not in held]
    found = diagnose(scores, bounds, sample=sample)
    return "" if found is None else f"{found} | {found.also}".removesuffix(" | ")


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # the retriever
        ([RECALL_LOW], 'retrieval: no context holds 1 of 2 sentences of the reference: "B."'),
        ([RECALL_LOW, GROUNDED, WRONG], 'retrieval: no context holds 1 of 2 sentences of the reference: "B."'),
        (
            [INVENTED, RECALL_LOW],
            'retrieval: no context holds 1 of 2 sentences of the reference: "B." | no context supports "Y."',
        ),
        ([IDS, GROUNDED], 'retrieval: not retrieved: "leave.md"'),
        ([scored("hit_rate", 0.0)], "retrieval: the contexts hold too little of the reference (hit_rate 0.00)"),
        ([scored("context_recall", 0.0, "", piece("A.", 0, "reference"))], 'retrieval: no context holds "A."'),
        (
            [scored("context_entity_recall", 0.0, "", *(piece(name, 0, "reference", "entity") for name in "ab"))],
            'retrieval: no context holds 2 of 2 entities of the reference: "a"',
        ),
        ([OFF_TOPIC, INVENTED], "retrieval: what was retrieved is not about the question"),
        ([USELESS, WRONG], "retrieval: none of the contexts is useful for the answer"),
        ([BAD_ORDER, RECALL_FINE], "retrieval: useful contexts come behind others"),
        ([OFF_TOPIC, RECALL_FINE], "retrieval: much that was retrieved is not about the question"),
        ([INVENTED, RIGHT], 'retrieval: the response is right, and no context holds "Y."'),
        # the generator
        ([INVENTED, RECALL_FINE], 'generation: no context supports "Y."'),
        ([INVENTED, ON_TOPIC], 'generation: no context supports "Y."'),
        ([INVENTED, RECALL_FINE, WRONG], 'generation: no context supports "Y."'),
        ([OFF, RECALL_FINE], 'generation: the response answers another question: "Where is the office?"'),
        ([OFF, ON_TOPIC, GROUNDED], 'generation: the response answers another question: "Where is the office?"'),
        (
            [scored("answer_relevancy", 0.1, "", piece(ROW.user_input, 0.1, kind="question")), RECALL_FINE],
            "generation: the response does not answer the question",
        ),
        ([EVADES, RECALL_FINE], "generation: it declines, though the contexts hold the answer"),
        ([WRONG, GROUNDED, RECALL_FINE], 'generation: wrong though grounded: it leaves out "27 days."'),
        ([WRONG, RECALL_FINE], 'generation: wrong, though the contexts hold the answer: it leaves out "27 days."'),
        ([WRONG_ALONE, GROUNDED, RECALL_FINE], 'generation: wrong though grounded: it says "30 days."'),
        ([scored("exact_match", 0.0), RECALL_FINE], "generation: wrong, though the contexts hold the answer"),
        ([MISLED, RECALL_FINE], 'generation: contexts misled it to say "30."'),
        # both sides could have done it
        ([INVENTED], ""),
        ([OFF, GROUNDED], ""),
        ([EVADES], ""),
        ([WRONG, GROUNDED], ""),
        ([WRONG, ON_TOPIC], ""),
        ([MISLED], ""),
        ([scored("quality", 0.0), RECALL_LOW], 'retrieval: no context holds 1 of 2 sentences of the reference: "B."'),
        ([scored("context_precision_without_reference", 0.0), RECALL_FINE], ""),
        # nothing to explain
        ([GROUNDED, RECALL_FINE], ""),
        ([scored("quality", 0.0)], ""),
        ([], ""),
    ],
)
def test_the_rules(scores: list[Score], expected: str) -> None:
    assert said(*scores) == expected


@pytest.mark.parametrize("prefix", ["ragas:", "native:", "embedded:", "likelihood:"])
def test_a_backend_in_the_name_changes_nothing(prefix: str) -> None:
    scores = [replace(score, metric=f"{prefix}{score.metric}") for score in (INVENTED, RECALL_FINE)]
    assert said(*scores) == 'generation: no context supports "Y."'


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.49, "retrieval"), (0.5, ""), (0.74, ""), (0.75, "generation"), (1.0, "generation")],
)
def test_a_metric_without_a_threshold_is_evidence_where_it_is_clear(value: float, expected: str) -> None:
    assert said(INVENTED, scored("context_recall", value), held=("context_recall",)).split(":")[0] == expected


def test_a_declining_response_is_told_by_its_words_too() -> None:
    for response in ("I don't know.", "I do not know that.", "Sorry, I cannot answer this.", "", "  "):
        row = replace(ROW, response=response)
        assert said(WRONG, RECALL_FINE, sample=row) == "generation: it declines, though the contexts hold the answer"
        assert said(WRONG, RECALL_LOW, sample=row).endswith("| the response declines to answer")
    long = "The form is not mentioned in the handbook. " + "All else is: see there. " * 12
    assert "leaves out" in said(WRONG, RECALL_FINE, sample=replace(ROW, response=long))


def test_what_fell_since_a_baseline_is_explained_although_it_holds() -> None:
    scores = (scored("faithfulness", 0.7), RECALL_FINE)
    held = SampleResult(sample=ROW, scores=scores, failures=(), thresholds=(), outcome="passed")
    assert diagnosis_of(held) is None
    found = diagnosis_of(held, fell=("faithfulness",))
    assert found is not None
    assert str(found) == "generation: no context supports the response"
    assert found.to_json() == {
        "cause": "generation",
        "text": "no context supports the response",
        "metric": "faithfulness",
        "piece": "",
        "also": "",
    }


def test_a_row_of_a_run_file_has_no_evidence_and_is_told_by_its_numbers() -> None:
    row = RecordedRow(
        key=RowKey(test="t", sample_id="q1"),
        content="",
        answer="",
        outcome="failed",
        scores=(RecordedScore(metric="context_recall", value=0.2), RecordedScore(metric="faithfulness", value=1.0)),
        thresholds=(Threshold(metric="context_recall", bound=0.8),),
    )
    expected = "retrieval: the contexts hold too little of the reference (context_recall 0.20)"
    assert str(diagnosis_of_row(row)) == expected
    assert diagnosis_of_row(replace(row, thresholds=())) is None


def test_every_combination_of_every_metric_gives_a_diagnosis_or_none() -> None:
    names = ["context_recall", "context_precision", "context_relevancy", "faithfulness", "noise_sensitivity",
             "answer_relevancy", "answer_correctness"]  # fmt: skip
    for values in product([None, 0.0, 0.6, 1.0], repeat=len(names)):
        scores = [
            Score(metric=name, value=value, higher_is_better=name != "noise_sensitivity")
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]
        found = diagnose(scores, [Threshold(metric=name, bound=0.5) for name in names], sample=ROW)
        broken = any(score.value == (0.0 if score.higher_is_better else 1.0) or
                     (not score.higher_is_better and score.value == 0.6) for score in scores)  # fmt: skip
        assert found is None or broken
        if found is not None and found.cause == "generation":
            # never said against a retriever that missed the answer, or that nothing is known of
            fine = {score.metric for score in scores if score.value >= 0.5}
            assert fine & {"context_recall", "context_relevancy"}
            assert not any(score.metric == "context_recall" and score.value == 0 for score in scores)


def test_the_roles_are_of_metrics_that_there_are() -> None:
    from pytest_ragas.metrics.builtin import registry

    known = {name.rpartition(":")[2] for name in registry().names()}
    assert set(ROLES) <= known


def test_the_summary_counts_causes() -> None:
    bounds = {"faithfulness": 0.8}
    rows = [
        result("a", {"faithfulness": 0.1, "context_recall": 0.1}, thresholds=bounds),
        result("b", {"faithfulness": 0.1, "context_recall": 1.0}, thresholds=bounds),
        result("c", {"faithfulness": 0.1, "context_recall": 0.2}, thresholds=bounds),
        result("d", {"faithfulness": 1.0, "context_recall": 0.2}, thresholds=bounds),
    ]
    assert diagnosis_counts(rows) == "retrieval 2, generation 1"
    alone = result("e", {"faithfulness": 0.1}, thresholds=bounds)
    assert diagnosis_counts([*rows, alone]) == "retrieval 2, generation 1, unclear 1 (context_recall would tell)"
    unclear = result("f", {"faithfulness": 0.1, "context_recall": 0.6}, thresholds=bounds)
    assert diagnosis_counts([unclear]) == "unclear 1"
    assert diagnosis_counts([result("g", {"quality": 0.1}, thresholds={"quality": 0.5})]) == ""
    assert diagnosis_counts([]) == ""


def test_a_failure_shows_it_and_stays_within_its_lines() -> None:
    broken = [Breach(threshold=Threshold(metric="faithfulness", bound=0.8), value=0.5)]
    bounds = tuple(breach.threshold for breach in broken)
    failed = SampleResult(sample=ROW, scores=(INVENTED, RECALL_LOW), failures=(), thresholds=bounds, outcome="failed")
    assert failure_text(failed, broken).splitlines() == [
        "faithfulness 0.50 < 0.80",
        "  row          q1",
        "  user_input   How many days of leave are there?",
        "  response     There are 30 days.",
        '  diagnosis    retrieval: no context holds 1 of 2 sentences of the reference: "B."',
        '               also no context supports "Y."',
        "  faithfulness: 1 of 2 sentences count against it",
        "    - response: Y.",
    ]
    many = replace(INVENTED, evidence=tuple(piece("long " * 60, 0, "response") for _ in range(40)))
    lines = failure_text(replace(failed, scores=(many, RECALL_LOW)), broken).splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) <= 100
    assert lines[-1].endswith("more")
