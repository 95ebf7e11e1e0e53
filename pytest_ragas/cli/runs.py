"""`pytest-ragas runs`: the saved runs of a project, one of them in full, and away with old ones."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ragas.baselines.store import RunStore, StoredRun
    from pytest_ragas.values.recorded import RecordedRun

SUMMARY = "list, show or remove saved runs"
DESCRIPTION = (
    "Runs that pytest saved with --ragas-save or --ragas-autosave lie in .pytest-ragas/runs of the rootdir (runs_dir). "
    "A run is named by its number, its name (the last one of this name) or latest (the last one that came to its end)."
)

_WIDTH = 120
"""Columns where nobody's terminal says: a log, a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    where = argparse.ArgumentParser(add_help=False)
    folder = "folder of saved runs (default: that of the settings)"
    # before the action or behind it
    where.add_argument("--runs-dir", metavar="DIR", default=argparse.SUPPRESS, help=folder)
    parser.add_argument("--runs-dir", metavar="DIR", help=folder)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    actions.add_parser("list", parents=[where], help="every run: date, commit, rows, mean of each metric (the default)")

    show = actions.add_parser("show", parents=[where], help="what one run holds")
    show.add_argument("run", nargs="?", default="latest", metavar="RUN", help="or a file (default: latest)")

    remove = actions.add_parser("rm", parents=[where], help="delete runs")
    which = remove.add_mutually_exclusive_group(required=True)
    which.add_argument("runs", nargs="*", default=[], metavar="RUN", help="each by its number or name")
    which.add_argument("--keep", type=_number, metavar="N", help="all but the last N")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 1 if a file of a list cannot be read, else 0."""
    from pytest_ragas.baselines.store import RunStore
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    typed = {"runs_dir": arguments.runs_dir}
    settings = load_settings(rootdir=rootdir(), environ=os.environ, command_line=typed)
    act: dict[str | None, Callable[[RunStore, argparse.Namespace], int]] = {"show": _show, "rm": _remove}
    return act.get(arguments.action, _list)(RunStore(settings.path("runs_dir")), arguments)


def _list(store: RunStore, arguments: argparse.Namespace) -> int:
    from pytest_ragas.errors import BaselineError
    from pytest_ragas.reports.saved_runs import runs_table

    runs: list[tuple[str, RecordedRun]] = []
    problems = []
    for stored in store.list():
        try:
            runs.append((str(stored), stored.read()))
        except BaselineError as error:
            problems.append(str(error))
    if not runs and not problems:
        print(f"No run is saved in {store.folder}. Save one with pytest --ragas-save=NAME or --ragas-autosave.")
    for line in runs_table(runs, width=_width()) if runs else ():
        print(line)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return int(bool(problems))


def _show(store: RunStore, arguments: argparse.Namespace) -> int:
    from pytest_ragas.reports.saved_runs import run_lines

    stored = store.find(arguments.run)
    for line in run_lines(str(stored) if stored.number else arguments.run, stored.read(), width=_width()):
        print(line)
    return 0


def _remove(store: RunStore, arguments: argparse.Namespace) -> int:
    from pytest_ragas.errors import BaselineError

    if arguments.keep is not None:
        every = store.list()
        found = every[: max(0, len(every) - arguments.keep)]
    else:
        found = tuple(dict.fromkeys(store.find(name) for name in arguments.runs))
        for stored, name in zip(found, arguments.runs, strict=False):
            if not stored.number:
                raise BaselineError(f"{name} is no saved run of {store.folder}. Nothing was deleted.")
    for stored in found:
        _delete(stored)
    print(f"deleted from {store.folder}: {', '.join(map(str, found)) or 'nothing'}")
    return 0


def _delete(stored: StoredRun) -> None:
    from pytest_ragas.errors import BaselineError

    try:
        stored.path.unlink(missing_ok=True)
    except OSError as error:
        raise BaselineError(f"{stored.path} cannot be deleted: {error.strerror or error}.") from error


def _width() -> int:
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}; write how many runs stay, for example 20")
    return int(text)
