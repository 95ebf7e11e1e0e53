"""Which tests' verdicts are deferred, and why the others' are not."""

from __future__ import annotations

import importlib.util
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.plugin.marker import NAME
from pytest_ragas.plugin.marks import marks_named, marks_of
from pytest_ragas.plugin.neighbours.allure import can_be_held
from pytest_ragas.plugin.verdicts.verdict import is_marked
from pytest_ragas.plugin.xdist.worker import interactor_of

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

_OPTIONS = {
    "usepdb": "--pdb stops in the test that fails",
    "trace": "--trace stops in every test",
    "stepwise": "--stepwise goes by the order of verdicts",
    "setuponly": "--setup-only runs nothing",
    "setupshow": "--setup-show writes what it shows as it happens",
    "forked": "--forked runs each test in a process that ends with it",
    "retries": "--retries runs tests again that fail",
    "force_flaky": "--force-flaky runs tests again that fail",
}
"""Options of pytest and of others' plugins under which a test must have its verdict before the next one runs."""

_RERUN_MARKS = ("flaky", "forked")

_DEFERS = pytest.StashKey[tuple[tuple[pytest.Mark, ...], bool]]()
"""Of an item: its marks, and whether its verdict is deferred."""


class Policy:
    """Decides, test by test, whether the verdict is deferred."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._config = suite.config

    def defers(self, item: pytest.Item) -> bool:
        """Whether the test's report block is held until its scores are there."""
        marks = marks_of(item)
        known = item.stash.get(_DEFERS, None)
        if known is None or known[0] is not marks:
            known = item.stash[_DEFERS] = (marks, is_marked(item) and not self.why_blocking(item))
        return known[1]

    def why_blocking(self, item: pytest.Item) -> str:
        """Why a marked test waits for its own scores, in words; empty where it does not."""
        return self.why_all_block or self._why_this_one_blocks(item)

    @cached_property
    def why_all_block(self) -> str:
        """Why no verdict of this run is deferred; empty where that is decided test by test."""
        if self._suite.settings.scoring == "blocking":
            return "--ragas-scoring=blocking"
        for name, why in _OPTIONS.items():
            if self._config.getoption(name, None):
                return why
        if not can_be_held(self._config):
            return "this version of allure-pytest is not known"
        if hasattr(self._config, "workerinput") and not hasattr(interactor_of(self._config), "channel"):
            return "this version of pytest-xdist is not known"
        return ""

    def _why_this_one_blocks(self, item: pytest.Item) -> str:
        asked = next((mark.kwargs["scoring"] for mark in marks_named(item, NAME) if "scoring" in mark.kwargs), None)
        if asked == "blocking":
            return 'scoring="blocking" in the marker'
        if not isinstance(item, pytest.Function):
            return "it is no test function of pytest"
        for mark in marks_of(item):
            if mark.name in _RERUN_MARKS:
                return f"it is marked {mark.name}"
        if self._reruns(item):
            return "--reruns runs it again if it fails"
        return ""

    def _reruns(self, item: pytest.Item) -> int:
        manager = self._config.pluginmanager
        # by its entry point, or by -p
        plugin = manager.get_plugin("rerunfailures") or manager.get_plugin("pytest_rerunfailures")
        return (plugin.get_reruns_count(item) or 0) if plugin is not None else 0


def pytest_is_known() -> bool:
    """Whether this pytest has the private functions that running a test takes, which other plugins use too."""
    spec = importlib.util.find_spec("_pytest.runner")
    if spec is None:
        return False
    import _pytest.runner as runner

    return hasattr(runner, "call_and_report")
