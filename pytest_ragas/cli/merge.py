"""`pytest-ragas merge`: the runs of CI shards become one run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

SUMMARY = "make one run of the runs of CI shards"
DESCRIPTION = (
    "Put runs together that were saved by the shards of one CI job. A row that several of them have, with the same "
    "answer, is taken from the latest one that could score it. Runs of different commits, critics, metrics or testsets "
    "are refused."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a file, or the number or name of a saved run")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the run; replaced if it exists")
    parser.add_argument("--name", default="", help="what the run is called (default: as the first one)")
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="write a baseline: scores without answers; refused where rows lack scores or a part was stopped",
    )
    parser.add_argument(
        "--anyway", action="store_true", help="also runs of different commits, critics, metrics or testsets"
    )
    parser.add_argument("--runs-dir", metavar="DIR", help="folder of saved runs (default: that of the settings)")


def run(arguments: argparse.Namespace) -> int:
    """Write the merged run; 0."""
    from pytest_ragas.baselines.baseline import updated
    from pytest_ragas.baselines.merge import merge
    from pytest_ragas.baselines.run_file import write_run
    from pytest_ragas.baselines.store import RunStore
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    typed = {"runs_dir": arguments.runs_dir}
    settings = load_settings(rootdir=rootdir(), environ=os.environ, command_line=typed)
    store = RunStore(settings.path("runs_dir"))
    found = [(name, store.find(name).read()) for name in arguments.runs]
    merged = merge(found, name=arguments.name, anyway=arguments.anyway)
    written = updated(None, merged.run, shown=arguments.output).run if arguments.baseline else merged.run
    write_run(written, Path(arguments.output), answers=not arguments.baseline)
    rows = "1 row" if len(written.rows) == 1 else f"{len(written.rows):,} rows"
    stopped = "" if written.complete else "; a part was stopped before its end"
    parts = "1 run" if len(found) == 1 else f"{len(found)} runs"
    print(f"{rows} of {parts} written to {arguments.output}{stopped}")
    for note in merged.notes:
        print(note)
    return 0
