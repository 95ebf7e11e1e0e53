"""`pytest-ragas compare`: two runs and the gate between them, or many runs in one table."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_ragas.baselines.store import StoredRun
    from pytest_ragas.reports.comparison.runs import ComparedRun
    from pytest_ragas.settings.values import Settings
    from pytest_ragas.values.comparison import Comparison, Incomparable

SUMMARY = "compare saved runs and baselines"
DESCRIPTION = (
    "Compare runs. Of two, the second is held against the first as `pytest --ragas-compare` does it: exit status 1 if "
    "it got worse, or if nobody can tell. More runs become a table for each metric, each run against the first. A run "
    "is a file, or the name or number of a saved run; latest is the last one that came to its end."
)
ANYWAY = "--anyway"

_WIDTH = 120
"""Columns where nobody's terminal says: a log, a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="at least two: the earlier one first")
    parser.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="markdown: for a comment (default: text)"
    )
    parser.add_argument("--no-fail", action="store_true", help="exit status 0 whatever was found")
    parser.add_argument(ANYWAY, action="store_true", help="also where another critic, embeddings or metric scored them")
    parser.add_argument(
        "--fail",
        action="append",
        metavar="METRIC:DROP",
        help="as pytest's --ragas-compare-fail: a drop that passes; can be given several times",
    )
    parser.add_argument("--alpha", metavar="SHARE", help="as pytest's --ragas-compare-alpha (default: 0.05)")
    parser.add_argument("--fall", metavar="POINTS", help="as pytest's --ragas-compare-fall (default: 0.5)")
    parser.add_argument("--runs-dir", metavar="DIR", help="folder of saved runs (default: that of the settings)")
    parser.add_argument("--config", metavar="FILE", help="settings beside pyproject.toml, as pytest's --ragas-config")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; 1 if the second of two runs is worse than the first, else 0."""
    from pytest_ragas.baselines.store import RunStore
    from pytest_ragas.errors import ConfigurationError

    if len(arguments.runs) < 2:
        raise ConfigurationError("One run cannot be compared. Name two: pytest-ragas compare 0001 latest")
    settings = _settings(arguments)
    store = RunStore(settings.path("runs_dir"))
    found = [store.find(name) for name in arguments.runs]
    if len(found) > 2:
        _print_many(arguments, _compared(arguments, settings, found))
        return 0
    _, second = _compared(arguments, settings, found)
    result = second.against
    assert result is not None
    _print_two(arguments, result, second)
    return int(result.failed and not arguments.no_fail)


def _settings(arguments: argparse.Namespace) -> Settings:
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    return load_settings(
        rootdir=rootdir(),
        config_file=Path(arguments.config).absolute() if arguments.config else None,
        environ=os.environ,
        command_line={
            "compare_fail": arguments.fail,
            "compare_alpha": arguments.alpha,
            "compare_fall": arguments.fall,
            "runs_dir": arguments.runs_dir,
        },
    )


def _compared(arguments: argparse.Namespace, settings: Settings, found: list[StoredRun]) -> list[ComparedRun]:
    from pytest_ragas.baselines.compare import compare
    from pytest_ragas.reports.comparison.runs import ComparedRun
    from pytest_ragas.settings.comparison import comparison_rules

    # a file elsewhere is called as it was typed
    names = [str(stored) if stored.number else typed for stored, typed in zip(found, arguments.runs, strict=True)]
    baseline = found[0].read()
    runs = [ComparedRun(name=names[0], run=baseline, against=None)]
    for stored, name in zip(found[1:], names[1:], strict=True):
        current = stored.read()
        result = compare(
            baseline,
            current,
            comparison_rules(settings),
            name=names[0],
            file=arguments.runs[0],
            anyway=arguments.anyway,
            anyway_flag=ANYWAY,
            min_coverage=settings.min_coverage,
        )
        runs.append(ComparedRun(name=name, run=current, against=result))
    return runs


def _print_two(arguments: argparse.Namespace, result: Comparison | Incomparable, second: ComparedRun) -> None:
    from pytest_ragas.reports.comparison.causes import broken_causes
    from pytest_ragas.reports.comparison.markdown import comparison_markdown
    from pytest_ragas.reports.comparison.terminal import comparison_lines

    questions = {row.key: row.sample.user_input for row in second.run.rows if row.sample is not None}
    causes = broken_causes(result, second.run.rows)
    if arguments.format == "json":
        _print_json({**result.to_json(), "run": second.name})
    elif arguments.format == "markdown":
        sys.stdout.write(comparison_markdown(result, questions=questions, causes=causes))
    else:
        for line in comparison_lines(result, width=_width(), questions=questions, causes=causes):
            print(line.text)


def _print_many(arguments: argparse.Namespace, runs: list[ComparedRun]) -> None:
    from pytest_ragas.reports.comparison.runs import runs_lines, runs_markdown
    from pytest_ragas.values.comparison import COMPARISON_FORMAT

    if arguments.format == "json":
        entries = [
            {"run": entry.name, "against": entry.against.to_json() if entry.against is not None else None}
            for entry in runs
        ]
        _print_json({"format": COMPARISON_FORMAT, "runs": entries})
    elif arguments.format == "markdown":
        sys.stdout.write(runs_markdown(runs))
    else:
        for line in runs_lines(runs, width=_width()):
            print(line.text)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def _width() -> int:
    return shutil.get_terminal_size(fallback=(_WIDTH, 24)).columns
