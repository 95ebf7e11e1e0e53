"""`pytest-ragas rejudge`: the recorded answers of a run, judged by what judges today."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ragas.cli.live_line import LiveLine
from pytest_ragas.cli.open_session import open_session

if TYPE_CHECKING:
    from pytest_ragas.session.rejudge import Rejudged
    from pytest_ragas.session.session import Session
    from pytest_ragas.settings.values import Settings
    from pytest_ragas.values.recorded import RecordedRun

SUMMARY = "judge the recorded answers of a run again, by today's critic"
DESCRIPTION = (
    "Judge the recorded answers of a run with the critic, embeddings, metrics and prompts of today's settings, so that "
    "later runs compare with it. The RAG is not asked. RUN is a file, or the name or number of a saved run; latest is "
    "the last one that came to its end. The result is saved as a new run of the same name, unless -o or --baseline "
    "name a file. What the critic answers is stored. Exit status 1 if a score could not be had."
)

_SHOWN = 10
"""Scores that could not be had, in full."""

_INTERRUPTED = "nothing was written, and what the critic answered is stored; run it again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("run", metavar="RUN", help="a saved run, or a run file or baseline")
    parser.add_argument("-o", "--output", metavar="OUT", help="a run file that is not there yet")
    parser.add_argument("--baseline", metavar="FILE", help="write it as this baseline: scores without answers")
    parser.add_argument(
        "--answers",
        metavar="RUN",
        help="a run that holds the answers, where RUN keeps scores alone (default: looked for among the saved runs)",
    )
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME",
        help="judge every row with this metric instead of its own ones; may be given several times",
    )
    parser.add_argument("--runs-dir", metavar="DIR", help="folder of saved runs (default: that of the settings)")
    parser.add_argument("--config", metavar="FILE", help="settings beside pyproject.toml, as pytest's --ragas-config")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what has changed; 0, or 1 if a score could not be had."""
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    file = Path(arguments.config).absolute() if arguments.config else None
    settings = load_settings(
        rootdir=rootdir(),
        config_file=file,
        environ=os.environ,
        command_line={"runs_dir": arguments.runs_dir},
    )
    before = _with_answers(arguments, settings)
    _check_output(arguments, before)
    with open_session(settings, interrupted=_INTERRUPTED) as session:
        return _rejudge(arguments, session, before)


def _rejudge(arguments: argparse.Namespace, session: Session, before: RecordedRun) -> int:
    from pytest_ragas.reports.rejudged import rejudged_lines
    from pytest_ragas.session.rejudge import rejudge

    canonical = session.registry.canonical
    metrics = [canonical(metric, where="--metric") for metric in arguments.metric]
    with LiveLine("judging") as line:
        done = rejudge(session, before, metrics=metrics, progress=line)
    rows = len(before.rows)
    print(f"{arguments.run}: {rows:,} row{'' if rows == 1 else 's'} judged again")
    for use in done.run.models:
        print(f"  {use.role} {use.identity}" + (f", {use.usage.calls:,} calls" if use.usage.calls else ""))
    print("\n".join(rejudged_lines(before, done.run, width=shutil.get_terminal_size().columns)))
    if done.kept:
        print(f"as recorded, since only the tests know them: {', '.join(done.kept)}")
    for row, metric, why in done.failures[:_SHOWN]:
        print(f"not scored: {metric} of {row.key}: {why}")
    if len(done.failures) > _SHOWN:
        print(f"… and {len(done.failures) - _SHOWN:,} more")
    return _write(arguments, session.settings, done)


def _with_answers(arguments: argparse.Namespace, settings: Settings) -> RecordedRun:
    """The run, with the answers of all its rows.

    Raises:
        BaselineError: Some are nowhere to be found; names the ways.
    """
    from pytest_ragas.baselines.answers import saved_runs, with_answers
    from pytest_ragas.baselines.store import RunStore
    from pytest_ragas.errors import BaselineError

    store = RunStore(settings.path("runs_dir"))
    recorded = store.find(arguments.run).read()
    if arguments.answers:
        others = iter([store.find(arguments.answers, where="--answers").read()])
    else:
        others = saved_runs(store, name=recorded.name)
    found = with_answers(recorded, others)
    missing = [row.key for row in found.rows if row.sample is None]
    if not missing:
        return found
    where = arguments.answers or f"the runs saved in {store.folder}"
    at = f" at {recorded.commit.id[:12]}" if recorded.commit.id else ""
    raise BaselineError(
        f"{arguments.run} cannot be judged again: {len(missing):,} of {len(found.rows):,} rows have no answer, neither "
        f"there (a baseline keeps scores alone) nor in {where}; the first is {missing[0]}. Name a run file that holds "
        f"them with --answers RUN, or run the tests{at} with --ragas-save=NAME and judge that."
    )


def _check_output(arguments: argparse.Namespace, before: RecordedRun) -> None:
    """Refuse before anything is paid for.

    Raises:
        BaselineError: OUT is there, or rows of the baseline would be lost.
    """
    from pytest_ragas.baselines.run_file import read_run
    from pytest_ragas.errors import BaselineError

    if arguments.output and Path(arguments.output).exists():
        raise BaselineError(f"{arguments.output} is there already. Remove it first, or name another file.")
    if arguments.baseline and Path(arguments.baseline).exists():
        keys = {row.key for row in before.rows}
        lost = [row.key for row in read_run(Path(arguments.baseline)).rows if row.key not in keys]
        if lost:
            raise BaselineError(
                f"{arguments.baseline} holds {len(lost):,} rows that {arguments.run} does not, such as {lost[0]}: they "
                f"would be lost. Judge the baseline itself: pytest-ragas rejudge {arguments.baseline} "
                f"--baseline {arguments.baseline}"
            )


def _write(arguments: argparse.Namespace, settings: Settings, done: Rejudged) -> int:
    from pytest_ragas.baselines.run_file import write_run
    from pytest_ragas.baselines.store import RunStore
    from pytest_ragas.errors import BaselineError
    from pytest_ragas.files.lock import locked

    if arguments.output:
        write_run(done.run, Path(arguments.output), answers=True)
        print(f"run written: {arguments.output}")
    if arguments.baseline and done.failures:
        print(f"{arguments.baseline} was left as it was: {_scores(len(done.failures))} missing", file=sys.stderr)
    elif arguments.baseline:
        path = Path(arguments.baseline)
        try:
            with locked(path):
                write_run(done.run, path, answers=False)
        except OSError as error:
            raise BaselineError(f"{path} cannot be written: {error.strerror or error}.") from error
        print(f"baseline updated: {arguments.baseline}")
    if not arguments.output and not arguments.baseline:
        stored = RunStore(settings.path("runs_dir")).save(done.run)
        print(f"run saved: {os.path.relpath(stored.path)}")
        print(f"compare with it: pytest --ragas-compare={stored.path.stem}")
    return 1 if done.failures else 0


def _scores(number: int) -> str:
    return "1 score is" if number == 1 else f"{number:,} scores are"
