"""`pytest-ragas`: the console script. Each command is a module of this folder with `SUMMARY`, `add_arguments`, `run`.

Starts fast: argparse and the chosen command; what a command needs, it imports when it runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from pytest_ragas.cli import (
    cache,
    calibrate,
    check,
    compare,
    convert,
    generate,
    merge,
    models,
    noise,
    rejudge,
    run,
    runs,
    schema,
)
from pytest_ragas.errors import PytestRagasError

COMMANDS = {
    "check": check,
    "generate": generate,
    "run": run,
    "compare": compare,
    "runs": runs,
    "merge": merge,
    "convert": convert,
    "rejudge": rejudge,
    "calibrate": calibrate,
    "noise": noise,
    "cache": cache,
    "models": models,
    "schema": schema,
}
"""Name -> module, in the order of `--help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script.

    Args:
        arguments: What follows the program's name; by default what the shell gave.

    Returns:
        The exit status: 0 all is well, 1 something was found or failed, 2 the command line cannot be read,
        130 interrupted.
    """
    chosen = _parser().parse_args(arguments)
    try:
        status: int = COMMANDS[chosen.command].run(chosen)
        sys.stdout.flush()  # so that a closed pipe is noticed here, not while Python exits
        return status
    except PytestRagasError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `pytest-ragas schema config | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pytest-ragas",
        description="What pytest-ragas does outside of a pytest run. Tests are run by pytest itself.",
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.SUMMARY, description=module.DESCRIPTION)
        module.add_arguments(command)
    return parser


class _Version(argparse.Action):
    """argparse's own version action wants the text beforehand, and reading package metadata takes a while."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"pytest-ragas {version('pytest-ragas')}")
        parser.exit()
