"""Values that cross a process come back equal, with every field."""

from __future__ import annotations

import json
from dataclasses import fields

from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score, ScoreFailure

FINDING = Finding(kind="context", text="The Nile.", value=0.25, reason="so it says", part="response")
SCORE = Score(
    metric="ragas:x", value=0.5, reason="1 of 2", evidence=(FINDING,), higher_is_better=False, repeats=(0.4, 0.6)
)
FAILURE = ScoreFailure(metric="x", sample_id="a", kind="structure", error="no verdicts", raw="prose")
RESULT = SampleResult(
    sample=Sample(user_input="Where?", response="There.", retrieved_contexts=("a", "b"), tags=("t",), source="f row 1"),
    scores=(SCORE,),
    failures=(FAILURE,),
    thresholds=(Threshold(metric="x", bound=0.5),),
    outcome="failed",
    nodeid="test_a.py::test_b[a]",
    seconds=1.5,
)


def names(value: type) -> list[str]:
    return [entry.name for entry in fields(value)]  # type: ignore[arg-type]


def test_every_field_is_written() -> None:
    """The objects are written by hand: a field that is added must be added there."""
    written = RESULT.to_json()
    assert list(written) == names(SampleResult)
    assert list(written["scores"][0]) == names(Score)
    assert list(written["scores"][0]["evidence"][0]) == names(Finding)
    assert list(written["failures"][0]) == names(ScoreFailure)
    assert list(written["thresholds"][0]) == names(Threshold)


def test_a_result_comes_back_equal() -> None:
    assert SampleResult.from_json(json.loads(json.dumps(RESULT.to_json()))) == RESULT


def test_a_score_comes_back_equal() -> None:
    assert Score.from_json(json.loads(json.dumps(SCORE.to_json()))) == SCORE
