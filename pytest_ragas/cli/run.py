"""`pytest-ragas run`: a task of EvalScope's RAGAS backend, from a file."""

from __future__ import annotations

import argparse
import shutil
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ragas.evalscope import TaskScores

SUMMARY = "run a task file of EvalScope's RAGAS backend"
DESCRIPTION = (
    "Run a task of EvalScope's RAGAS backend: generate a testset, evaluate one, or first the one and then the other. "
    "Scores are shown, and written to <testset>_score.json beside the testset. Exit status 1 if a row could not be "
    "scored, or a threshold or gate of the settings does not hold."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="a .yaml or .json file with eval_backend and eval_config")


def run(arguments: argparse.Namespace) -> int:
    """Run the task and show its scores; 0 if all is well, else 1."""
    from pytest_ragas.evalscope import read_task_file, run_read_task

    sys.path.insert(0, "")  # metrics of the project, as `python -m` would find them
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            task, place = read_task_file(Path(arguments.file))
            scores = run_read_task(task, place)
        finally:
            for warning in caught:
                print(f"warning: {warning.message}", file=sys.stderr)
    if task.generation is not None:
        print(f"{task.generation.output_file}: {_rows(task.generation.recipe.get('test_size', 10))}")
    if task.evaluation is None:
        return 0
    print("\n".join(_lines(scores)))
    print(f"\n{_rows(len(scores.testset))} of {scores.testset.path}, scores written to {scores.score_file}")
    return 0 if scores.passed else 1


def _lines(scores: TaskScores) -> list[str]:
    from pytest_ragas.gates.aggregate import mean_interval
    from pytest_ragas.reports.terminal import summary_lines

    width = shutil.get_terminal_size().columns
    lines = summary_lines(
        scores.run, scores.verdicts, width=width, level="short", interval=mean_interval, unasked=scores.unasked
    )
    failures = [failure for result in scores.run.results for failure in result.failures]
    return [line.text for line in lines] + [
        f"not scored: {failure.metric} of row {failure.sample_id!r}: {failure.error}" for failure in failures[:10]
    ]


def _rows(number: int) -> str:
    return f"{number:,} row" if number == 1 else f"{number:,} rows"
