"""What a run has spent of its budget, over the processes of pytest-xdist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.values.spent import Spent

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

_OUTPUT = "ragas_spent"
"""Of a worker's output: what it spent, as JSON, and whether that was from the common purse."""

_SPENT = pytest.StashKey[tuple[Spent, Spent]]()
"""In the controller: what workers that have ended spent, from the common purse and from parts of their own."""

CONTROLLER = "ragas-controller"
"""Name of the plugin that keeps the purse of a run with pytest-xdist."""


def send_spent(suite: Suite) -> None:
    """In a worker: leave for the controller what was spent."""
    output: dict[str, Any] = suite.config.workeroutput  # type: ignore[attr-defined]  # of pytest-xdist
    joined = "session" in suite.__dict__ and suite.session.budget.joined
    output[_OUTPUT] = json.dumps({"joined": joined, "spent": _own(suite).to_json()})


def receive_spent(suite: Suite, node: Any) -> None:
    """In the controller: add what a worker spent. One that crashed left nothing, but in the common purse."""
    packed = json.loads(getattr(node, "workeroutput", {}).get(_OUTPUT, "null"))
    if packed:
        common, apart = suite.config.stash.get(_SPENT, (Spent(), Spent()))
        spent = Spent.from_json(packed["spent"])
        suite.config.stash[_SPENT] = (common + spent, apart) if packed["joined"] else (common, apart + spent)


def spent(suite: Suite) -> Spent:
    """What the run has spent. The common purse knows best: also of workers that crashed."""
    common, apart = suite.config.stash.get(_SPENT, (Spent(), Spent()))
    controller = suite.config.pluginmanager.get_plugin(CONTROLLER)
    kept: Spent | None = controller.spent() if controller is not None else None
    return _own(suite) + apart + (common if kept is None else kept)


def _own(suite: Suite) -> Spent:
    return suite.session.budget.spent if "session" in suite.__dict__ else Spent()
