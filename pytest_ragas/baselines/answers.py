"""The answers of a run that keeps scores alone, found in runs that keep answers, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pytest_ragas.baselines.store import RunStore
from pytest_ragas.values.recorded import RecordedRow, RecordedRun
from pytest_ragas.values.sample import Sample


def with_answers(run: RecordedRun, others: Iterable[RecordedRun]) -> RecordedRun:
    """The run, its rows with their answers as far as they are found.

    Args:
        run: Of which rows may lack their sample, as those of a baseline do.
        others: Runs to look in, read one after the other and only as long as an answer is missing.
    """
    missing = {(row.content, row.answer) for row in run.rows if row.sample is None}
    found: dict[tuple[str, str], Sample] = {}
    for other in others if missing else ():
        for row in other.rows:
            # digests of question, right answer, response and contexts: another row of the same has the same scores
            place = row.content, row.answer
            if row.sample is not None and place in missing:
                found.setdefault(place, row.sample)
        if missing <= found.keys():
            break
    return replace(run, rows=tuple(_answered(row, found) for row in run.rows))


def saved_runs(store: RunStore, *, name: str) -> Iterator[RecordedRun]:
    """The saved runs, those of a name first, the newest first of all."""
    runs = sorted(store.list(), key=lambda stored: (stored.name == name, stored.number), reverse=True)
    return (stored.read() for stored in runs)


def _answered(row: RecordedRow, found: dict[tuple[str, str], Sample]) -> RecordedRow:
    sample = found.get((row.content, row.answer)) if row.sample is None else row.sample
    # two rows may share question and answer, and not their ids
    return row if sample is None else replace(row, sample=replace(sample, id=row.key.sample_id))
