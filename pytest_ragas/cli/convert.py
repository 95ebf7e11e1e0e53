"""`pytest-ragas convert`: testsets of ragas, deepeval, LangSmith and promptfoo, in and out."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "convert testsets of ragas, deepeval, langsmith and promptfoo, and back"
DESCRIPTION = (
    "Convert a testset from the format of one tool to that of another. Whose format IN has is found out from its first "
    "row; OUT is written in our own, in the format of its suffix, unless --to names a tool. Nothing is overwritten."
)

_TOOLS = ("pytest-ragas", "ragas", "deepeval", "langsmith", "promptfoo")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("input", metavar="IN", help="a testset file, or the folder of a HF dataset")
    parser.add_argument("output", metavar="OUT", help="a file that is not there yet; for ragas also a folder")
    parser.add_argument("--from", dest="source", choices=_TOOLS, default="", help="whose format IN has")
    parser.add_argument("--to", dest="target", choices=_TOOLS, default=_TOOLS[0], help="whose format OUT gets")


def run(arguments: argparse.Namespace) -> int:
    """Convert, and say what was read and written; 0."""
    from pytest_ragas.errors import TestsetError
    from pytest_ragas.testset.interchange.convert import read_any, write_any

    path = Path(arguments.output)
    if path.exists():
        raise TestsetError(f"{arguments.output} is there already. Remove it first, or name another file.")
    read = read_any(Path(arguments.input), shown=arguments.input, tool=arguments.source)
    try:
        write_any(read.testset, path, shown=arguments.output, tool=arguments.target)
    except OSError as error:
        raise TestsetError(f"{arguments.output} cannot be written: {error.strerror or error}.") from error
    rows = len(read.testset)
    print(
        f"{rows} row{'' if rows == 1 else 's'} of {arguments.input} ({read.tool}) written to {arguments.output} "
        f"({arguments.target})"
    )
    return 0
