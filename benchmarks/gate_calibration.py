"""How often is a comparison red where nothing got worse, and how often where something did?

    pip install numpy
    python benchmarks/gate_calibration.py [runs in each cell] [processes]

Simulates pairs of runs: rows whose truth piles up at 0 and 1, a critic that errs, answers that vary from run to run,
rows that share documents. Holds `decide_comparison` with its defaults against them, next to the rule that most gates
have: "the mean fell by more than 0.05". Three metrics a run; in the second table one of them got worse.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ragas.baselines.decide import decide_comparison
from pytest_ragas.values.comparison import Comparison, Pairing, ScorePair
from pytest_ragas.values.comparison_rules import ComparisonRules
from pytest_ragas.values.recorded import RecordedScore, RowKey

Scores = NDArray[np.float64]
"""Rows × judgements, in [0, 1]."""

SIZES = (20, 50, 200, 1_000)
DROPS = (0.02, 0.05, 0.10, 0.20)
METRICS = 3
NAIVE = 0.05
THRESHOLD = 0.8
"""What each row is held to, so that flips count."""


@dataclass(frozen=True)
class Case:
    """What lies between two runs."""

    name: str
    kind: str
    """"statements": shares of 2 to 5 statements; "yes or no": 0 or 1; "grade": steps of 0.1."""
    repeats: int = 1
    answers_vary: bool = False
    """Whether the RAG words its answers anew, so that their truth is another draw; else only the critic errs."""
    documents: bool = False
    """Whether rows share documents, five each, and a document has good and bad days."""
    unsure: float = 0.1
    """Share of the rows that the critic throws a coin over; it errs in 3 % of the judgements of the others."""


CASES = (
    Case("critic errs; statements", "statements"),
    Case("critic errs; yes or no", "yes or no"),
    Case("critic errs; grades", "grade"),
    Case("critic errs; statements, 3 repeats", "statements", repeats=3),
    Case("critic errs; yes or no, 3 repeats", "yes or no", repeats=3),
    Case("critic errs; yes or no, 5 repeats", "yes or no", repeats=5),
    Case("critic errs; grades, 3 repeats", "grade", repeats=3),
    Case("a sure critic; yes or no, 3 repeats", "yes or no", repeats=3, unsure=0.01),
    Case("answers vary too; statements", "statements", answers_vary=True),
    Case("answers vary too; yes or no", "yes or no", answers_vary=True),
    Case("documents have days; statements", "statements", answers_vary=True, documents=True),
)
POWER_CASES = (
    Case("critic errs; statements", "statements"),
    Case("critic errs; statements, 3 repeats", "statements", repeats=3),
    Case("critic errs; yes or no", "yes or no"),
    Case("critic errs; grades", "grade"),
    Case("answers vary too; statements", "statements", answers_vary=True),
)


def metric(case: Case, n: int, r: np.random.Generator, drop: float) -> tuple[Scores, Scores, NDArray[np.int64]]:
    """One metric's judgements before and after, and the document of each row."""
    where = r.random(n)
    quality = np.where(where < 0.6, 1.0, np.where(where < 0.7, 0.0, r.random(n)))
    documents = np.arange(n) // 5 if case.documents else np.arange(n)
    pieces = {"statements": r.integers(2, 6, n), "yes or no": np.ones(n, int), "grade": np.full(n, 10)}[case.kind]
    coins = r.random(n) < case.unsure
    # of what is true so much becomes false that the mean falls by `drop`
    lost = drop / quality.mean()
    days = r.normal(0, 0.15, (2, documents.max() + 1)) if case.documents else np.zeros((2, documents.max() + 1))
    truths = []
    first = None
    for day in days:
        probability = np.clip(quality + np.where(quality < 1, day[documents], -np.abs(day[documents])), 0, 1)
        truth = r.random((n, 5)) < probability[:, None] if first is None or case.answers_vary else first
        first = truth
        truths.append(truth)
    truths[1] = truths[1] & (r.random((n, 5)) >= lost)
    level = [np.clip(quality, 0, 1), np.clip(quality, 0, 1) - drop]
    before, after = (judged(case, truth, pieces, coins, level[side], r) for side, truth in enumerate(truths))
    return before, after, documents


def judged(
    case: Case,
    truth: NDArray[np.bool_],
    pieces: NDArray[np.int64],
    coins: NDArray[np.bool_],
    level: Scores,
    r: np.random.Generator,
) -> Scores:
    """What the critic says of the rows, each time it is asked."""
    n = len(pieces)
    if case.kind == "grade":
        noise = r.normal(0, np.where(coins, 0.2, 0.05)[:, None], (n, case.repeats))
        graded: Scores = np.clip(np.round((level[:, None] + noise) * 10) / 10, 0, 1)
        return graded
    wrong = np.where(coins, 0.5, 0.03)[:, None, None]
    said = truth[:, None, :] ^ (r.random((n, case.repeats, 5)) < wrong)
    asked = np.arange(5)[None, None, :] < pieces[:, None, None]
    shares: Scores = (said & asked).sum(axis=2) / pieces[:, None]
    return shares


def compared(case: Case, n: int, drop: float, r: np.random.Generator) -> tuple[Comparison, bool]:
    """Our verdict, and whether the naive rule is red."""
    pairs, naive = [], False
    for number in range(METRICS):
        name = f"m{number}"
        before, after, documents = metric(case, n, r, drop if number == 0 else 0.0)
        naive |= bool(after.mean() < before.mean() - NAIVE)
        rows = zip(before.tolist(), after.tolist(), documents.tolist(), strict=True)
        pairs += [pair(name, row, old, new, document) for row, (old, new, document) in enumerate(rows)]
    return decide_comparison(Pairing(pairs=tuple(pairs)), ComparisonRules(), baseline="baseline"), naive


def pair(name: str, row: int, old: list[float], new: list[float], document: int) -> ScorePair:
    before, after = score(name, old), score(name, new)
    return ScorePair(
        key=RowKey(test="test_rag", sample_id=str(row)),
        metric=name,
        before=before,
        after=after,
        cluster=str(document),
        held_before=before.value >= THRESHOLD,
        held_after=after.value >= THRESHOLD,
    )


def score(name: str, judgements: list[float]) -> RecordedScore:
    value = sum(judgements) / len(judgements)
    return RecordedScore(metric=name, value=value, repeats=tuple(judgements) if len(judgements) > 1 else ())


Task = tuple[Case, int, float, int]
"""Case, rows, drop, runs."""


@dataclass(frozen=True)
class Cell:
    """How often each was red, of so many runs."""

    runs: int
    red: float
    mean: float
    broke: float
    naive: float


def cell(task: Task) -> Cell:
    case, n, drop, runs = task
    r = np.random.default_rng(zlib.crc32(f"{case.name} {n} {drop}".encode()))
    share = []
    for _ in range(runs):
        ours, naive = compared(case, n, drop, r)
        share.append((ours.failed, any(change.failed for change in ours.changes), bool(ours.breaks), naive))
    red, mean, broke, by_naive = (sum(column) / runs for column in zip(*share, strict=True))
    return Cell(runs, red, mean, broke, by_naive)


def rows(cells: Callable[[list[Task]], list[Cell]], runs: int) -> Iterator[str]:
    """Both tables, line by line as their cells come."""
    head = " | ".join(f"n = {n:,}" for n in SIZES)
    yield f"False alarms of {runs} runs a cell: ours (by a mean, by a broken row) / naive rule\n"
    yield f"| what lies between the runs | {head} |\n|---|" + "---|" * len(SIZES)
    for case in CASES:
        found = cells([(case, n, 0.0, runs) for n in SIZES])
        texts = [f"{percent(c.red)} ({percent(c.mean)}, {percent(c.broke)}) / {percent(c.naive)}" for c in found]
        yield f"| {case.name} | " + " | ".join(texts) + " |"
    fewer = max(50, runs // 4)
    yield f"\nDrops found in {fewer} runs a cell: ours / naive rule\n"
    yield f"| what lies between the runs | drop | {head} |\n|---|---|" + "---|" * len(SIZES)
    for case in POWER_CASES:
        for drop in DROPS:
            found = cells([(case, n, drop, fewer) for n in SIZES])
            texts = [f"{percent(c.red)} / {percent(c.naive)}" for c in found]
            yield f"| {case.name} | {drop:.2f} | " + " | ".join(texts) + " |"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0 < share < 0.095 else f"{100 * share:.0f} %"


def main(runs: int = 400, processes: int = 1) -> None:
    started = time.monotonic()
    if processes > 1:
        with multiprocessing.Pool(processes) as pool:
            for line in rows(lambda tasks: pool.map(cell, tasks, chunksize=1), runs):
                print(line, flush=True)
    else:
        for line in rows(lambda tasks: [cell(task) for task in tasks], runs):
            print(line, flush=True)
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
