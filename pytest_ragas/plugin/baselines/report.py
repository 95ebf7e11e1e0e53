"""The JSON report of a pytest run: `--ragas-json`."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ragas.baselines.record import now
from pytest_ragas.errors import ConfigurationError, PytestRagasError
from pytest_ragas.files.json_value import json_line
from pytest_ragas.files.whole import written_whole
from pytest_ragas.plugin.budget import spent
from pytest_ragas.plugin.gates import read_gates
from pytest_ragas.reports.json_report import json_report

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite


def write_report(suite: Suite, path: Path, *, shown: str) -> None:
    """Write everything that the run has found out, whole or not at all.

    Args:
        suite: Of the only process, or of the controller of pytest-xdist.
        path: Replaced if it exists; missing folders are made.
        shown: What messages call it.

    Raises:
        PytestRagasError: It cannot be written.
    """
    decided = {verdict.gate.text for verdict in suite.verdicts}
    try:
        undecided = [gate for gate in read_gates(suite) if gate.text not in decided]
    except ConfigurationError:  # that has ended the run, and is said elsewhere
        undecided = []
    run = suite.run()
    report = json_report(
        run,
        created=now(),
        version=metadata.version("pytest-ragas"),
        complete=not (suite.stopped or suite.crashed),
        verdicts=suite.verdicts,
        undecided=undecided,
        settings=suite.settings,
        spent=spent(suite),
    )
    results = report.pop("results")
    try:
        with written_whole(path) as stream:
            # a result a line: a file of ten thousand can be looked at
            stream.write("{\n")
            stream.writelines(f"  {json_line(name)}: {json_line(value)},\n" for name, value in report.items())
            stream.write('  "results": [')
            stream.write(",".join(f"\n    {json_line(result)}" for result in results))
            stream.write("\n  ]\n}\n" if results else "]\n}\n")
    except OSError as error:
        raise PytestRagasError(f"The report {shown} cannot be written: {error.strerror or error}.") from error
