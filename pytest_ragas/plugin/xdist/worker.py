"""In a worker of pytest-xdist: reports that are logged late still say which test they belong to."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

import pytest

from pytest_ragas.errors import PytestRagasError
from pytest_ragas.plugin.verdicts.verdict import unscored

OWED = "ragas_owed"
"""Of a setup report: the verdict of this test comes later. What the run lacks if it never does, as JSON."""

CRASHED = "crashed before the scores of this test were there"

_INTERACTOR = pytest.StashKey[Any]()


def interactor_of(config: pytest.Config) -> Any:
    """The object that sends a worker's reports to the controller; None where this process is no worker."""
    if not hasattr(config, "workerinput"):
        return None
    if _INTERACTOR not in config.stash:
        plugins = config.pluginmanager.get_plugins()
        config.stash[_INTERACTOR] = next((p for p in plugins if type(p).__name__ == "WorkerInteractor"), None)
    return config.stash[_INTERACTOR]


class Place:
    """Inside of this context, reports are those of the test that was running when it was made.

    A worker labels every report with the index of the test that it runs, and dies where that is another one
    (https://github.com/pytest-dev/pytest-xdist/issues/395).
    """

    def __init__(self, interactor: Any) -> None:
        self._interactor = interactor
        self._index = getattr(interactor, "item_index", None)
        self._now: Any = None

    @property
    def crashes_unseen(self) -> bool:
        """Whether this process may crash while others, who go on, believe that the test is done."""
        return self._interactor is not None

    def announce(self, item: pytest.Item, setup: pytest.TestReport) -> None:
        """Say on a setup report, before it is sent, that the verdict comes later."""
        lacking = unscored(item, PytestRagasError(f"the worker {CRASHED}"))
        setattr(setup, OWED, json.dumps(lacking.to_json() if lacking else None, default=repr))

    def __enter__(self) -> None:
        if self._interactor is not None:
            self._now, self._interactor.item_index = self._interactor.item_index, self._index

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._interactor is not None:
            self._interactor.item_index = self._now


def place_of(item: pytest.Item) -> Place:
    """The place of the test that is about to run."""
    return Place(interactor_of(item.config))
