"""JUnit XML: no empty testcase for a test whose setup was reported and nothing else."""

from __future__ import annotations

import pytest


def forget_testcase(config: pytest.Config, setup: pytest.TestReport) -> None:
    """Take the testcase of a test that was stopped out of the report.

    pytest opens a testcase with the first report of a test, and gives it a name with the one that decides it.
    """
    for log in config.pluginmanager.get_plugins():
        reporters, ordered = getattr(log, "node_reporters", None), getattr(log, "node_reporters_ordered", None)
        if not isinstance(reporters, dict) or not isinstance(ordered, list):
            continue
        node = getattr(setup, "node", None)
        for nodeid in (getattr(setup, "id", setup.nodeid), setup.nodeid):  # pytest 9.2, and before
            reporter = reporters.pop((nodeid, node), None)
            if reporter in ordered:
                ordered.remove(reporter)
