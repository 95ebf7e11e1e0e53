"""Settings that cannot be used end the run with exit code 4, wherever it was noticed.

A worker of pytest-xdist notices it first, but cannot end the run: the message rides on its collection report.
"""

from __future__ import annotations

import pytest

ATTRIBUTE = "ragas_settings_error"
"""Of a collection report: the message."""


def stop(config: pytest.Config, report: pytest.CollectReport, message: str) -> None:
    """End the run, or send the controller the message.

    Raises:
        UsageError: This process can end the run.
    """
    if not hasattr(config, "workerinput"):
        raise pytest.UsageError(message)
    setattr(report, ATTRIBUTE, message)


def stop_if_sent(report: pytest.CollectReport) -> None:
    """End the run if a worker asks for it.

    Raises:
        UsageError: It does.
    """
    if message := getattr(report, ATTRIBUTE, None):
        raise pytest.UsageError(message)
