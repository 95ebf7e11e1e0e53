"""A run becomes a recorded run: keys, digests, origin, completeness."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pytest_ragas.baselines.digests import answer_digest, content_digest, evidence_digest
from pytest_ragas.baselines.environment import environment
from pytest_ragas.baselines.record import commit_name, record
from pytest_ragas.baselines.row_key import test_of as nodeid_without_row
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.recorded import Commit, MetricIdentity, RowKey
from pytest_ragas.values.run import ModelUse, Run, SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score, ScoreFailure

SAMPLE = Sample(
    id="row-1",
    user_input="What?",
    response="This.",
    retrieved_contexts=["This."],
    reference="That.",
    tags=("billing",),
    metadata={"question_type": "simple", "sources": [{"path": "docs/a.md"}, {"path": "docs/a.md"}]},
)


def result(sample: Sample = SAMPLE, nodeid: str = "test_rag.py::test_rag[row-1]", **fields: object) -> SampleResult:
    given: dict[str, object] = {
        "scores": (
            Score(metric="faithfulness", value=0.5, evidence=(Finding(kind="statement", text="s", value=1.0),)),
            Score(metric="answer_relevancy", value=0.25, repeats=(0.2, 0.3)),
        ),
        "failures": (),
        "thresholds": (Threshold(metric="faithfulness", bound=0.4),),
        "outcome": "passed",
        **fields,
    }
    return SampleResult(sample=sample, nodeid=nodeid, **given)  # type: ignore[arg-type]


def test_a_row_holds_what_a_comparison_needs() -> None:
    (row,) = record(Run(results=(result(),))).rows
    assert row.key == RowKey(test="test_rag.py::test_rag", sample_id="row-1")
    assert [score.metric for score in row.scores] == ["answer_relevancy", "faithfulness"]
    assert row.scores[0].repeats == (0.2, 0.3)
    assert row.scores[0].evidence == ""
    assert len(row.scores[1].evidence) == len(row.content) == len(row.answer) == 12
    assert (row.tags, row.question_type, row.sources) == (("billing",), "simple", ("docs/a.md",))
    assert row.sample == SAMPLE


def test_digests_change_with_what_they_are_of() -> None:
    answered = replace(SAMPLE, response="Other.")
    assert content_digest(answered) == content_digest(SAMPLE)
    assert answer_digest(answered) != answer_digest(SAMPLE)
    edited = replace(SAMPLE, reference="Other.")
    assert content_digest(edited) != content_digest(SAMPLE)
    assert answer_digest(edited) == answer_digest(SAMPLE)
    assert content_digest(replace(SAMPLE, reference_contexts=("x",))) != content_digest(SAMPLE)
    assert answer_digest(replace(SAMPLE, retrieved_context_ids=("x",))) != answer_digest(SAMPLE)


def test_the_evidence_digest_sees_verdicts_and_not_their_reasons() -> None:
    def of(value: float, reason: str) -> str:
        finding = Finding(kind="statement", text="s", value=value, reason=reason)
        return evidence_digest(Score(metric="faithfulness", value=0.5, evidence=(finding,)))

    assert of(1.0, "since it says so") == of(1.0, "it does")
    assert of(1.0, "") == of(1.0 - 1e-9, "")
    assert of(1.0, "") != of(0.0, "")


@pytest.mark.parametrize(
    ("nodeid", "sample_id", "test"),
    [
        ("t.py::test[a]", "a", "t.py::test"),
        ("t.py::TestX::test[a]", "a", "t.py::TestX::test"),
        ("t.py::test[a-small]", "a", "t.py::test[small]"),
        ("t.py::test[small-a]", "a", "t.py::test[small]"),
        ("t.py::test[x-a-y]", "a", "t.py::test[x-y]"),
        ("t.py::test[row-1-small]", "row-1", "t.py::test[small]"),
        ("t.py::test[small]", "other", "t.py::test[small]"),
        ("t.py::test", "a", "t.py::test"),
        ("t.py::test[a]@group", "a", "t.py::test"),
        ("t.py::test@group", "a", "t.py::test"),
        ("t.py::test[a@b]", "a@b", "t.py::test"),
        ("t.py::test[x@y]", "a", "t.py::test[x@y]"),
        ("t.py::test[gr\\xfc\\xdfe]", "grüße", "t.py::test"),
        ("t.py::test[grüße]", "grüße", "t.py::test"),
        ("t.py::test[a[0]::b]", "a[0]::b", "t.py::test"),
        ("[x]/t.py::test[a]", "a", "[x]/t.py::test"),
        ("", "a", ""),
    ],
)
def test_the_row_is_taken_out_of_the_nodeid(nodeid: str, sample_id: str, test: str) -> None:
    assert nodeid_without_row(nodeid, sample_id) == test


def test_results_of_one_test_and_row_are_counted() -> None:
    rows = record(Run(results=(result(), result(), result(nodeid="test_rag.py::test_other[row-1]")))).rows
    assert [(row.key.test, row.key.number) for row in rows] == [
        ("test_rag.py::test_other", 1),
        ("test_rag.py::test_rag", 1),
        ("test_rag.py::test_rag", 2),
    ]


def test_what_was_not_run_makes_a_run_incomplete() -> None:
    def complete(kind: str, *, ended: bool = True) -> bool:
        failure = ScoreFailure(metric="faithfulness", sample_id="row-1", kind=kind, error="why")  # type: ignore[arg-type]
        run = Run(results=(result(scores=(), failures=(failure,), outcome="error"),))
        return record(run, complete=ended).complete

    assert complete("critic")
    assert not complete("not run")
    assert not complete("critic", ended=False)


def test_the_head_is_sorted() -> None:
    critic = ModelUse(role="critic LLM", identity=ModelIdentity(provider="openai", name="m"), usage=Usage(calls=3))
    embeddings = ModelUse(role="embeddings", identity=ModelIdentity(provider="minilm", name="e"))
    metrics = [MetricIdentity(metric=name, backend="native", version="1") for name in ("b", "a", "b")]
    run = record(Run(models=(embeddings, critic)), metrics=metrics, testsets={"b": "1", "a": "2"})
    assert run.models == (critic, embeddings)
    assert [identity.metric for identity in run.metrics] == ["a", "b"]
    assert list(run.testsets) == ["a", "b"]


def test_metadata_that_is_no_json_is_kept_as_text() -> None:
    sample = replace(SAMPLE, metadata={"score": math.nan, "when": {1: object}, "list": (1, 2)})
    (row,) = record(Run(results=(result(sample),))).rows
    assert row.sample is not None
    assert row.sample.metadata == {"score": "nan", "when": {"1": "<class 'object'>"}, "list": [1, 2]}


@pytest.mark.parametrize(
    ("commit", "name"),
    [
        (Commit(), ""),
        (Commit(id="3f2a91c04b7e5d6a"), "3f2a91c04b7e"),
        (Commit(id="3f2a91c04b7e5d6a", dirty=True), "3f2a91c04b7e-dirty"),
        (Commit(id="123456789012a"), "123456789012a"),
    ],
)
def test_an_unnamed_run_is_called_by_its_commit(commit: Commit, name: str) -> None:
    assert commit_name(commit) == name
    assert record(Run(), commit=commit).name == (name or "run")


def test_the_environment_names_no_machine() -> None:
    found = environment(["pytest", "no-such-library"])
    assert set(found) == {"python", "platform", "pytest"}
