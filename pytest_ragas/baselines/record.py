"""`record`: a run as it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone

from pytest_ragas.baselines.digests import answer_digest, content_digest, evidence_digest
from pytest_ragas.baselines.row_key import test_of
from pytest_ragas.files.json_value import plain
from pytest_ragas.values.origin import question_type, sources
from pytest_ragas.values.recorded import Commit, MetricIdentity, RecordedRow, RecordedRun, RecordedScore, RowKey
from pytest_ragas.values.run import Run, SampleResult
from pytest_ragas.values.sample import Sample


def record(
    run: Run,
    *,
    name: str = "",
    created: str = "",
    metrics: Iterable[MetricIdentity] = (),
    testsets: Mapping[str, str] | None = None,
    commit: Commit | None = None,
    environment: Mapping[str, str] | None = None,
    complete: bool = True,
) -> RecordedRun:
    """A run with what later runs need to know of it.

    Args:
        run: What was scored.
        name: What the user calls it; empty for the commit.
        created: When, as `now()` writes it; empty for now.
        metrics: How each metric was computed.
        testsets: Testset file -> fingerprint.
        commit: Where the code stood.
        environment: What was installed, as `environment()` says it.
        complete: Whether it came to its end. Rows that were not run make it incomplete in any case.
    """
    commit = commit or Commit()
    unrun = any(failure.kind == "not run" for result in run.results for failure in result.failures)
    return RecordedRun(
        name=name or commit_name(commit) or "run",
        created=created or now(),
        rows=_rows(run.results),
        models=tuple(sorted(run.models, key=lambda use: (use.role, repr(use.identity)))),
        metrics=tuple(sorted(dict.fromkeys(metrics), key=lambda one: (one.metric, one.backend, one.version))),
        testsets=dict(sorted((testsets or {}).items())),
        commit=commit,
        environment=dict(sorted((environment or {}).items())),
        seconds=run.seconds,
        complete=complete and not unrun,
    )


def now() -> str:
    """The time, as a run file has it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit_name(commit: Commit) -> str:
    """What a run is called that nobody named: "3f2a91c04b7e-dirty"; empty outside of a git checkout."""
    if not commit.id:
        return ""
    short = commit.id[:12]
    # of digits alone it would read as the number of a run
    return f"{commit.id if short.isdigit() else short}{'-dirty' if commit.dirty else ''}"


def _rows(results: Iterable[SampleResult]) -> tuple[RecordedRow, ...]:
    given: Counter[tuple[str, str]] = Counter()
    rows = []
    for result in results:
        test = test_of(result.nodeid, result.sample.id)
        given[test, result.sample.id] += 1
        rows.append(_row(result, RowKey(test=test, sample_id=result.sample.id, number=given[test, result.sample.id])))
    return tuple(sorted(rows, key=key_order))


def key_order(row: RecordedRow) -> tuple[str, str, int]:
    """The order of the rows of a file."""
    return row.key.test, row.key.sample_id, row.key.number


def _row(result: SampleResult, key: RowKey) -> RecordedRow:
    sample = result.sample
    return RecordedRow(
        key=key,
        content=content_digest(sample),
        answer=answer_digest(sample),
        outcome=result.outcome,
        scores=tuple(
            RecordedScore(
                metric=score.metric,
                value=score.value,
                higher_is_better=score.higher_is_better,
                repeats=score.repeats,
                evidence=evidence_digest(score),
            )
            for score in sorted(result.scores, key=lambda score: score.metric)
        ),
        failures={failure.metric: failure.error for failure in sorted(result.failures, key=lambda one: one.metric)},
        thresholds=tuple(sorted(result.thresholds, key=lambda threshold: threshold.metric)),
        tags=tuple(map(str, sample.tags)),
        question_type=question_type(sample.metadata),
        sources=sources(sample.metadata),
        sample=_plain_sample(sample),
    )


def _plain_sample(sample: Sample) -> Sample:
    # metadata of a sample that was made in a test may hold anything
    return replace(sample, metadata=plain(dict(sample.metadata))) if sample.metadata else sample
