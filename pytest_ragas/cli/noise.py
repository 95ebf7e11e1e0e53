"""`pytest-ragas noise`: how much does the critic vary over the same answer?"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ragas.cli.live_line import LiveLine
from pytest_ragas.cli.open_session import open_session

if TYPE_CHECKING:
    from pytest_ragas.settings.values import Settings

SUMMARY = "measure how much the critic varies over the same answer"
DESCRIPTION = (
    "The within-row spread of the critic for each metric: the standard deviation of one judgement of an answer. It is "
    "taken from the repeats that saved runs hold (pytest --ragas-repeats), or measured now by judging the recorded "
    "answers of a testset several times with the critic of the settings. What the critic answers is stored."
)

_NOTHING = (
    "No answer was judged several times{metrics} (metrics that ask no LLM never are). Save a run with repeats: pytest "
    "--ragas-repeats=3 --ragas-save=NAME, or judge recorded answers: pytest-ragas noise --judge TESTSET"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="saved runs, or run files or baselines, with repeats (default: latest)"
    )
    parser.add_argument("--judge", metavar="TESTSET", help="judge the answers of this file instead")
    parser.add_argument("--times", type=_times, default=5, metavar="N", help="judgements of each answer (default: 5)")
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="only this metric; may be given several times"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what is written (default: text)")
    parser.add_argument("--runs-dir", metavar="DIR", help="folder of saved runs (default: that of the settings)")
    parser.add_argument("--config", metavar="FILE", help="settings beside pyproject.toml, as pytest's --ragas-config")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say how much the critic varies; 0, or 1 if no answer was judged twice."""
    from pytest_ragas.errors import ConfigurationError
    from pytest_ragas.reports.noise import noise_json, noise_lines
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    if arguments.judge and arguments.runs:
        raise ConfigurationError(
            "noise reads the repeats of runs or judges the answers of a testset: name one of them."
        )
    file = Path(arguments.config).absolute() if arguments.config else None
    settings = load_settings(
        rootdir=rootdir(), config_file=file, environ=os.environ, command_line={"runs_dir": arguments.runs_dir}
    )
    judgements = _judged(arguments, settings) if arguments.judge else _recorded(arguments, settings)
    if arguments.format == "json":
        print(json.dumps(noise_json(judgements), ensure_ascii=False, indent=2, allow_nan=False))
        return 0
    lines = noise_lines(judgements, width=shutil.get_terminal_size().columns)
    print(
        "\n".join(lines or [_NOTHING.format(metrics=f" by {', '.join(arguments.metric)}" if arguments.metric else "")])
    )
    return 0 if lines else 1


def _recorded(arguments: argparse.Namespace, settings: Settings) -> dict[str, list[tuple[float, ...]]]:
    from pytest_ragas.baselines.store import RunStore

    store = RunStore(settings.path("runs_dir"))
    found: dict[str, list[tuple[float, ...]]] = {}
    for name in arguments.runs or ["latest"]:
        for row in store.find(name).read().rows:
            for score in row.scores:
                if not arguments.metric or score.metric in arguments.metric:
                    found.setdefault(score.metric, []).append(score.repeats)
    return found


def _judged(arguments: argparse.Namespace, settings: Settings) -> dict[str, list[tuple[float, ...]]]:
    from pytest_ragas.session.noise import judge_repeatedly
    from pytest_ragas.testset.load import load_testset

    testset = load_testset(arguments.judge)
    with open_session(settings) as session:
        metrics = [session.registry.canonical(metric, where="--metric") for metric in arguments.metric]
        with LiveLine("judging") as line:
            judged = judge_repeatedly(
                session, testset.samples, metrics=metrics or None, times=arguments.times, progress=line
            )
    found: dict[str, list[tuple[float, ...]]] = {}
    failures = [failure for result in judged.results for failure in result.failures]
    for result in judged.results:
        for score in result.scores:
            found.setdefault(score.metric, []).append(score.repeats)
    if failures:
        first = failures[0]
        print(
            f"warning: {len(failures):,} of the scores could not be had; the first is {first.metric} of "
            f"{first.sample_id}: {first.error}",
            file=sys.stderr,
        )
    return found


def _times(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"found {text!r}; write a whole number from 2 on")
    return int(text)
