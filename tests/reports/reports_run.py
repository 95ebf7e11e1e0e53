"""A run to report on, made by hand."""

from __future__ import annotations

from pytest_ragas.values.gate import Gate, GateVerdict, Outcome, Threshold
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.run import ModelUse, Run, SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score, ScoreFailure


def half_width(values):
    """Stands for the interval of a mean: wide enough to be seen."""
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return max(0.0, mean - 0.1), min(1.0, mean + 0.1)


def result(
    id: str,
    scores: dict[str, float],
    *,
    thresholds: dict[str, float] | None = None,
    failures: dict[str, str] | None = None,
    tags: tuple[str, ...] = (),
    higher_is_better: bool = True,
    test: str = "tests/test_rag.py::test_rag",
) -> SampleResult:
    found = tuple(
        Score(metric=metric, value=value, higher_is_better=higher_is_better) for metric, value in scores.items()
    )
    bounds = tuple(Threshold(metric=metric, bound=bound) for metric, bound in (thresholds or {}).items())
    missing = tuple(
        ScoreFailure(metric=metric, sample_id=id, kind="critic", error=error)
        for metric, error in (failures or {}).items()
    )
    outcome: Outcome = "error" if missing else "passed"
    if any(not bound.holds(scores.get(bound.metric, 1.0), higher_is_better=higher_is_better) for bound in bounds):
        outcome = "failed"
    return SampleResult(
        sample=Sample(id=id, user_input=f"Question {id}?", tags=tags),
        scores=found,
        failures=missing,
        thresholds=bounds,
        outcome=outcome,
        nodeid=f"{test}[{id}]",
    )


def typical_run() -> Run:
    """Five rows, three metrics, one of them without a threshold; one row low, one unscored."""
    bounds = {"faithfulness": 0.8, "answer_relevancy": 0.7}
    rows = [
        result("q1", {"faithfulness": 1.0, "answer_relevancy": 0.91, "context_recall": 1.0}, thresholds=bounds,
               tags=("leave",)),
        result("q2", {"faithfulness": 0.33, "answer_relevancy": 0.88, "context_recall": 0.5}, thresholds=bounds,
               tags=("leave", "travel")),
        result("q3", {"faithfulness": 0.9, "answer_relevancy": 0.699, "context_recall": 1.0}, thresholds=bounds,
               tags=("travel",)),
        result("q4", {"faithfulness": 0.85, "context_recall": 0.75}, thresholds=bounds,
               failures={"answer_relevancy": "the server answered 500"}),
        result("a-rather-long-name-of-a-row", {"faithfulness": 0.8, "answer_relevancy": 0.7, "context_recall": 1.0},
               thresholds=bounds),
    ]  # fmt: skip
    critic = ModelIdentity(provider="openai", name="gpt-4o-mini", endpoint="https://api.openai.com/v1")
    return Run(
        results=tuple(rows),
        models=(
            ModelUse(
                role="critic LLM",
                identity=critic,
                usage=Usage(calls=1204, prompt_tokens=120_034, completion_tokens=8_021),
            ),
            ModelUse(role="embeddings", identity=ModelIdentity(provider="sentence-transformers", name="minilm"),
                     usage=Usage(calls=1)),
        ),
        seconds=72.4,
    )  # fmt: skip


def verdict(text: str = "mean(faithfulness) >= 0.85", **changes: object) -> GateVerdict:
    values: dict = {
        "gate": Gate(aggregate="mean", metric="faithfulness", operator=">=", bound=0.85, text=text),
        "outcome": "passed", "value": 0.9, "scored": 20, "total": 20, **changes,
    }  # fmt: skip
    return GateVerdict(**values)


def scored(metric: str, value: float, reason: str = "", *evidence: Finding) -> Score:
    return Score(metric=metric, value=value, reason=reason, evidence=evidence)
