"""Log records of scoring: filed under the test that was scored, kept away from the one that happens to run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from pytest_ragas.scoring.logs import JobLogHandler, not_from_engine

SECTION = "Captured log scoring"
"""Title of the section of a report, beside pytest's own "Captured log call"."""

_NOTED = pytest.StashKey[list[logging.LogRecord]]()
_CAPTURING = ("caplog_handler", "report_handler", "log_cli_handler")


def keep_apart(config: pytest.Config) -> None:
    """From now on scoring does not log into the test that runs, nor, from another thread, onto the terminal."""
    handler = JobLogHandler()
    logging.getLogger().addHandler(handler)
    config.add_cleanup(lambda: logging.getLogger().removeHandler(handler))
    plugin = config.pluginmanager.get_plugin("logging-plugin")
    for name in _CAPTURING:
        capturing = getattr(plugin, name, None)
        if isinstance(capturing, logging.Handler):
            capturing.addFilter(not_from_engine)


def note_logs(item: pytest.Item, records: Sequence[logging.LogRecord]) -> None:
    """Keep what scoring logged for a test until the report with its verdict is made."""
    if records:
        item.stash[_NOTED] = list(records)


def file_logs(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add a section with what scoring logged for the test since its last report."""
    if not (records := item.stash.get(_NOTED, [])):
        return
    item.stash[_NOTED] = []
    plugin = item.config.pluginmanager.get_plugin("logging-plugin")
    formatter: logging.Formatter = getattr(plugin, "formatter", None) or logging.Formatter()
    report.sections.append((SECTION, "\n".join(map(formatter.format, records))))
