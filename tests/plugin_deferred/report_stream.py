"""A plugin that writes what reporters are told into the file $REPORT_STREAM, a line of JSON for each call."""

from __future__ import annotations

import json
import os
import re

import pytest


class ReportStream:
    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def write(self, *entry):
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()

    def pytest_runtest_logstart(self, nodeid):
        self.write("start", nodeid)

    def pytest_runtest_logfinish(self, nodeid):
        self.write("finish", nodeid)

    def pytest_exception_interact(self, node, call, report):
        self.write("interact", node.nodeid, call.excinfo.typename, report.when, report.outcome)

    def pytest_runtest_logreport(self, report):
        self.write(
            "report",
            report.nodeid,
            report.when,
            report.outcome,
            getattr(report, "wasxfail", None),
            type(report).__name__,
            [[title, plain(text)] for title, text in report.sections],
            [[name, value] for name, value in report.user_properties if name != "ragas.scoring_s"],
            plain(report.longreprtext),
            [result.outcome for result in getattr(report, "ragas_results", ())],
        )


def plain(text):
    """Without what differs from run to run."""
    text = text.replace(os.getcwd(), "")
    text = re.sub(r"\[gw\d\].*\n*", "", text)
    return re.sub(r"0x[0-9a-f]+", "...", text)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if os.environ.get("REPORT_STREAM") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ReportStream(os.environ["REPORT_STREAM"]))
