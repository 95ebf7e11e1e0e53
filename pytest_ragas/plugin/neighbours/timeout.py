"""pytest-timeout: its clock stands still while the run waits for scores, which are not the test's own time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest


class TimeoutClock:
    """The clock of the test that runs, by pytest-timeout's own hooks."""

    def __init__(self, config: pytest.Config) -> None:
        self._hook = config.hook
        self._started: tuple[pytest.Item, Any] | None = None

    def starts(self, item: pytest.Item, settings: Any) -> None:
        """A test's clock starts; settings are pytest-timeout's."""
        self._started = (item, settings)

    def over(self) -> None:
        """The test is over, and so is its clock."""
        self._started = None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it; afterwards what is left of the test has its whole time again."""
        if self._started is None:
            yield
            return
        item, settings = self._started
        self._hook.pytest_timeout_cancel_timer(item=item)
        yield
        if not settings.func_only:  # else it has run out with the body
            self._hook.pytest_timeout_set_timer(item=item, settings=settings)
