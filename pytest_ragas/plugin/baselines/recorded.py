"""The run so far as a `RecordedRun`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.baselines.commit import commit_of
from pytest_ragas.baselines.environment import environment
from pytest_ragas.baselines.record import record
from pytest_ragas.plugin.baselines.facts import facts_of
from pytest_ragas.values.recorded import Commit, RecordedRun
from pytest_ragas.values.run import ModelUse

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

_COMMIT = pytest.StashKey[Commit]()


def recorded_run(suite: Suite, *, name: str = "") -> RecordedRun:
    """The run so far, over all its processes, as it is kept and compared.

    Args:
        suite: Of the only process, or of the controller of pytest-xdist.
        name: What the user calls it; empty for its commit.
    """
    config, run, facts = suite.config, suite.run(), facts_of(suite)
    if _COMMIT not in config.stash:
        config.stash[_COMMIT] = commit_of(config.rootpath)
    counted = {(use.role, use.identity) for use in run.models}
    uncounted = tuple(
        ModelUse(role=role, identity=identity) for role, identity in facts.models if (role, identity) not in counted
    )
    return record(
        replace(run, models=(*run.models, *uncounted)),
        name=name,
        metrics=facts.metrics,
        testsets=facts.testsets,
        commit=config.stash[_COMMIT],
        environment=environment(),
        complete=not (suite.stopped or suite.crashed),
    )
