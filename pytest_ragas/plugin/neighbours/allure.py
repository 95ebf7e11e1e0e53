"""allure-pytest: a test's result is kept from being written until its verdict is there.

Allure writes the result when the protocol of the test ends, from what `pytest_runtest_makereport` said until then. A
report that is made later would land in the result of whichever test runs, or find none. Its hold on the result, the
cache of its listener, is private: `can_be_held` tells whether it is as we know it.
"""

from __future__ import annotations

from typing import Any

import pytest

_LISTENER = "allure_listener"


class AllureHold:
    """The result of one test, as allure keeps it."""

    def __init__(self, item: pytest.Item) -> None:
        self._listener: Any = item.config.pluginmanager.get_plugin(_LISTENER)
        self._nodeid = item.nodeid
        self._uuid: str | None = None
        self._result: Any = None
        self._status: tuple[Any, Any] = (None, None)
        self._taken = False

    def note(self) -> None:
        """The body is over, and its report is not made yet: what allure believes now is what a verdict would meet."""
        if self._listener is not None and (uuid := self._listener._cache.get(self._nodeid)) is not None:
            self._uuid, self._result = uuid, self._listener.allure_logger.get_test(uuid)
            self._status = (self._result.status, self._result.statusDetails)

    def take(self) -> None:
        """The test is over: take its result out of allure's hands."""
        if self._uuid is not None:
            self._taken = True
            self._listener._cache.pop(self._nodeid)
            self._listener.allure_logger.drop_test(self._uuid)

    def give_back(self, *, broken: bool) -> None:
        """Give it back, for the end of its report block to close and write it.

        Args:
            broken: Whether its call report will be made again, with a bad verdict.
        """
        if self._uuid is None:
            return
        if self._taken:
            # the cache goes by the identity of the text
            self._listener._cache._items[id(self._nodeid)] = self._uuid
            self._listener.allure_logger.schedule_test(self._uuid, self._result)
        if broken:
            # a status of a later time, e.g. of the teardown, would outlast the verdict
            self._result.status, self._result.statusDetails = self._status


def can_be_held(config: pytest.Config) -> bool:
    """Whether allure, if it runs, is one whose results can be held."""
    listener = config.pluginmanager.get_plugin(_LISTENER)
    if listener is None:
        return True
    logger = getattr(listener, "allure_logger", None)
    return isinstance(getattr(getattr(listener, "_cache", None), "_items", None), dict) and all(
        hasattr(logger, name) for name in ("get_test", "drop_test", "schedule_test")
    )
