"""`pair`: the rows of two runs, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_ragas.values.comparison import Pairing, ScorePair, UnscoredPair
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.origin import slices
from pytest_ragas.values.recorded import RecordedRow, RecordedRun, RecordedScore, RowKey


def pair(baseline: RecordedRun, current: RecordedRun, *, partial: bool = False) -> Pairing:
    """The rows of a run beside those of its baseline.

    A row is the same one where test and id are, and its content too: question, right answer, passages. Where the id
    is in one run alone, a row of the same test with the same content takes its place, if there is just one: its id was
    changed, nothing else. Both sides are held to the thresholds of today's run.

    Args:
        baseline: The earlier run.
        current: Today's.
        partial: Whether today's run left rows out on purpose (-k, --lf, single tests): rows that it lacks are then
            not run, and not removed from the testset.

    Returns:
        Pairs in the order of today's rows; whatever has no pair is listed with its reason.
    """
    before = _by_key(baseline.rows, current.rows)
    tests = {row.key.test for row in current.rows}
    found = _Found()
    for row in current.rows:
        old = before.pop(row.key, None)
        if old is None:
            found.added.append(row.key)
        elif old.content != row.content:
            found.edited.append(row.key)
        else:
            found.take(old, row)
    for key in before:
        (found.not_run if partial or key.test not in tests else found.removed).append(key)
    return found.pairing()


def _by_key(before: Iterable[RecordedRow], now: Iterable[RecordedRow]) -> dict[RowKey, RecordedRow]:
    """The rows of the baseline by the keys that today's run has for them."""
    rows = {row.key: row for row in before}
    there = {row.key: row for row in now}
    gone = _by_content(row for key, row in rows.items() if key not in there)
    new = _by_content(row for key, row in there.items() if key not in rows)
    for place, olds in gone.items():
        news = new.get(place, ())
        if len(olds) == len(news) == 1:
            rows[news[0].key] = rows.pop(olds[0].key)
    return rows


def _by_content(rows: Iterable[RecordedRow]) -> dict[tuple[str, int, str], list[RecordedRow]]:
    places: dict[tuple[str, int, str], list[RecordedRow]] = {}
    for row in rows:
        places.setdefault((row.key.test, row.key.number, row.content), []).append(row)
    return places


@dataclass(slots=True)
class _Found:
    pairs: list[ScorePair] = field(default_factory=list)
    added: list[RowKey] = field(default_factory=list)
    removed: list[RowKey] = field(default_factory=list)
    edited: list[RowKey] = field(default_factory=list)
    not_run: list[RowKey] = field(default_factory=list)
    unscored: list[UnscoredPair] = field(default_factory=list)

    def take(self, old: RecordedRow, new: RecordedRow) -> None:
        """The scores of a row that both runs have."""
        scores = {score.metric: score for score in old.scores}
        bounds = {threshold.metric: threshold for threshold in new.thresholds}
        cluster, places = _cluster(new), slices(new.tags, new.question_type, new.sources)
        for after in new.scores:
            metric = after.metric
            if (score := scores.get(metric)) is not None:
                self.pairs.append(
                    ScorePair(
                        key=new.key,
                        metric=metric,
                        before=score,
                        after=after,
                        cluster=cluster,
                        slices=places,
                        held_before=_holds(bounds.get(metric), score, after),
                        held_after=_holds(bounds.get(metric), after, after),
                        same_answer=old.answer == new.answer,
                    )
                )
            elif metric in old.failures:
                why = old.failures[metric]
                self.unscored.append(UnscoredPair(key=new.key, metric=metric, side="before", why=why))
        self.unscored += [
            UnscoredPair(key=new.key, metric=metric, side="after", why=why)
            for metric, why in new.failures.items()
            if metric in scores
        ]

    def pairing(self) -> Pairing:
        return Pairing(
            pairs=tuple(self.pairs),
            added=tuple(self.added),
            removed=tuple(self.removed),
            edited=tuple(self.edited),
            not_run=tuple(self.not_run),
            unscored=tuple(self.unscored),
        )


def _cluster(row: RecordedRow) -> str:
    # several tests may ask the same question, and those are not independent either: not the key but the content
    return f"source={row.sources[0]}" if row.sources else row.content


def _holds(threshold: Threshold | None, score: RecordedScore, today: RecordedScore) -> bool | None:
    return None if threshold is None else threshold.holds(score.value, higher_is_better=today.higher_is_better)
