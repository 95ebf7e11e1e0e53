"""The budget of a run, over the processes of pytest-xdist: each has an equal part, the controller adds up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.values.spent import Spent

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.scoring.budget import Budget

_OUTPUT = "ragas_spent"
"""Of a worker's output: what it spent, as JSON."""

_SPENT = pytest.StashKey[Spent]()
"""In the controller: what workers that have ended spent."""


def divide(config: pytest.Config, budget: Budget) -> None:
    """In a worker: keep to this worker's part.

    Parts need no talk between processes, and so nothing that could fail may let a run overspend. One that is used up
    leaves tests of its worker "not run", even if another worker has some left.
    """
    given: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]  # of pytest-xdist
    number = "".join(filter(str.isdigit, given["workerid"])) or "0"
    budget.divide(given["workercount"], int(number))


def send_spent(suite: Suite) -> None:
    """In a worker: leave for the controller what was spent."""
    output: dict[str, Any] = suite.config.workeroutput  # type: ignore[attr-defined]  # of pytest-xdist
    output[_OUTPUT] = json.dumps(_own(suite).to_json())


def receive_spent(suite: Suite, node: Any) -> None:
    """In the controller: add what a worker spent. One that crashed left nothing."""
    packed = getattr(node, "workeroutput", {}).get(_OUTPUT, "{}")
    stash = suite.config.stash
    stash[_SPENT] = stash.get(_SPENT, Spent()) + Spent.from_json(json.loads(packed))


def spent(suite: Suite) -> Spent:
    """What the run has spent."""
    return suite.config.stash.get(_SPENT, Spent()) + _own(suite)


def _own(suite: Suite) -> Spent:
    return suite.session.budget.spent if "session" in suite.__dict__ else Spent()
