"""How long it takes to compare two large runs: reading the files, pairing the rows, deciding, reporting.

    python benchmarks/comparison_speed.py
    python benchmarks/comparison_speed.py --rows 10000 --metrics 4 --documents 400 --repeats 3

CPU seconds of one process are the honest measure on a machine that others use too. The best of three is printed.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pytest_ragas.baselines.comparable import differences, remarks
from pytest_ragas.baselines.decide import decide_comparison, steady_metrics
from pytest_ragas.baselines.pair import pair
from pytest_ragas.baselines.run_file import read_run, write_run
from pytest_ragas.reports.comparison.terminal import comparison_lines
from pytest_ragas.values.comparison_rules import ComparisonRules
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.recorded import MetricIdentity, RecordedRow, RecordedRun, RecordedScore, RowKey

T = TypeVar("T")
TIMES: dict[str, float] = {}


def made(seed: int, arguments: argparse.Namespace) -> RecordedRun:
    """A run whose scores pile up at 0 and 1, as those of RAGs do; two tags, some documents."""
    dice = random.Random(seed)
    names = [f"metric_{number}" for number in range(arguments.metrics)]
    rows = []
    for number in range(arguments.rows):
        scores = []
        for name in names:
            values = [min(1.0, max(0.0, dice.gauss(0.9, 0.3))) for _ in range(arguments.repeats)]
            repeats = tuple(values) if len(values) > 1 else ()
            scores.append(RecordedScore(metric=name, value=sum(values) / len(values), repeats=repeats))
        rows.append(
            RecordedRow(
                key=RowKey(test="tests/test_rag.py::test_rag", sample_id=f"row-{number:05}"),
                content=f"{number:012x}",
                answer=f"{seed:012x}",
                outcome="passed",
                scores=tuple(scores),
                thresholds=tuple(Threshold(metric=name, bound=0.5) for name in names),
                tags=("billing" if number % 3 else "travel",),
                sources=(f"docs/{number % arguments.documents}.md",),
            )
        )
    return RecordedRun(
        name=f"run-{seed}",
        created="2026-03-01T12:00:00Z",
        rows=tuple(rows),
        metrics=tuple(MetricIdentity(metric=name, backend="native", version="1") for name in names),
    )


def timed(what: str, work: Callable[[], T]) -> T:
    """Note the best CPU time of a step."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    TIMES[what] = min(spent, TIMES.get(what, spent))
    return result


def once(files: list[Path]) -> None:
    """All steps, as `pytest-ragas compare` goes them."""
    before, after = timed("read both files", lambda: [read_run(file) for file in files])
    timed("whether they compare", lambda: (differences(before, after), remarks(before, after)))
    pairing = timed("pair", lambda: pair(before, after))
    steady = steady_metrics(before, after)
    rules = ComparisonRules()
    result = timed("decide", lambda: decide_comparison(pairing, rules, baseline="before", steady=steady))
    timed("report", lambda: comparison_lines(result, width=100, questions={}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--metrics", type=int, default=4)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "before.json", Path(folder) / "after.json"]
        for seed, file in enumerate(files):
            write_run(made(seed, arguments), file, answers=False)
        for _ in range(3):
            once(files)
    print(f"{arguments.rows:,} rows x {arguments.metrics} metrics, {arguments.repeats} repeat(s): CPU seconds")
    for what, seconds in TIMES.items():
        print(f"  {what:<22} {seconds:6.2f}")
    print(f"  {'together':<22} {sum(TIMES.values()):6.2f}")


if __name__ == "__main__":
    main()
