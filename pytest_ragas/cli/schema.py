"""`pytest-ragas schema`: the published JSON Schemas, for editors and for other programs."""

from __future__ import annotations

import argparse
import json

SUMMARY = "print the JSON Schema of testsets, settings, run files or reports"
DESCRIPTION = (
    "Print a published JSON Schema (draft 2020-12): of testset files, of [tool.pytest-ragas] and the file of "
    "--ragas-config, of saved runs and baselines (run), or of what --ragas-json writes (report). An editor that is "
    "given it completes and checks such a file."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("what", choices=("testset", "config", "run", "report"), help="which schema")


def run(arguments: argparse.Namespace) -> int:
    """Print the schema; 0."""
    if arguments.what == "testset":
        from pytest_ragas.testset.schema import published_schema as schema
    elif arguments.what == "run":
        from pytest_ragas.baselines.schema import run_schema as schema
    elif arguments.what == "report":
        from pytest_ragas.reports.json_report import report_schema as schema
    else:
        from pytest_ragas.settings.schema import config_schema as schema
    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0
