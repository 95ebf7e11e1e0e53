"""The end of a run for what was judged: written down, and a warning where that failed."""

from __future__ import annotations

import warnings

import pytest

from pytest_ragas.errors import PytestRagasWarning
from pytest_ragas.session.session import Session

PLUGIN = "ragas-unstored"
"""Its name; registered when a process first makes a session."""


class Unstored:
    """Finishes the judgements of one process before pytest's summary, so that the summary can say what was lost."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Every verdict is there."""
        for note in self._session.finish():
            warn(self._config, note)


def warn(config: pytest.Config, text: str) -> None:
    """Put a warning into pytest's summary, from any process of pytest-xdist.

    Not by `warnings.warn`: with `-W error` it would be an exception in the middle of pytest's own work.
    """
    message = warnings.WarningMessage(PytestRagasWarning(text), PytestRagasWarning, "pytest-ragas", 0)
    config.hook.pytest_warning_recorded.call_historic(
        kwargs={"warning_message": message, "when": "config", "nodeid": "", "location": None}
    )
