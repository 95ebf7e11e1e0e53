"""allure-pytest: a test's result is kept from being written until its verdict is there.

Allure writes the result when the protocol of the test ends, from what `pytest_runtest_makereport` said until then. A
report that is made later would land in the result of whichever test runs, or find none. Its hold on the result, the
cache of its listener, is private: `can_be_held` tells whether it is as we know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

_LISTENER = "allure_listener"


@dataclass(frozen=True, kw_only=True, slots=True)
class AllureHold:
    """The result of one test, out of allure's hands."""

    listener: Any
    nodeid: str
    uuid: str
    result: Any

    @classmethod
    def take(cls, item: pytest.Item) -> AllureHold | None:
        """Take the result of a test that is over; None where allure does not run."""
        listener = item.config.pluginmanager.get_plugin(_LISTENER)
        nodeid = item.nodeid
        if listener is None or (uuid := listener._cache.pop(nodeid)) is None:
            return None
        result = listener.allure_logger.get_test(uuid)
        listener.allure_logger.drop_test(uuid)
        return cls(listener=listener, nodeid=nodeid, uuid=uuid, result=result)

    def reopen(self, *, broken: bool) -> None:
        """Give it back, for the end of its report block to close and write it.

        Args:
            broken: Whether its call report will be made again, with a bad verdict.
        """
        # the cache goes by the identity of the text
        self.listener._cache._items[id(self.nodeid)] = self.uuid
        self.listener.allure_logger.schedule_test(self.uuid, self.result)
        if broken:
            from allure_commons.model2 import Status  # type: ignore[import-not-found, unused-ignore]

            # as it was after the setup: a status of its own, e.g. of the teardown, would outlast the verdict
            self.result.status, self.result.statusDetails = Status.PASSED, None


def can_be_held(config: pytest.Config) -> bool:
    """Whether allure, if it runs, is one whose results can be held."""
    listener = config.pluginmanager.get_plugin(_LISTENER)
    if listener is None:
        return True
    logger = getattr(listener, "allure_logger", None)
    return isinstance(getattr(getattr(listener, "_cache", None), "_items", None), dict) and all(
        hasattr(logger, name) for name in ("get_test", "drop_test", "schedule_test")
    )
