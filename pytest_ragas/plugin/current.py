"""Which test is running: how a plain function that a test calls finds its way to pytest.

The one place of the plugin with state of the process instead of `config.stash`: an assertion helper is
given a sample and nothing else. Not a context variable, because pytest-asyncio runs tests in contexts that
are older than the test, and threads start without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# a stack: pytester runs a whole pytest inside a test
_running: list[pytest.Item] = []


@contextmanager
def running(item: pytest.Item) -> Iterator[None]:
    """This test is the running one from its setup to its teardown."""
    _running.append(item)
    try:
        yield
    finally:
        _running.remove(item)


def current_item(caller: str) -> pytest.Item:
    """The test that is running.

    Args:
        caller: The function that asks, for the message.

    Raises:
        ConfigurationError: No test is running, or not under the plugin.
    """
    if not _running:
        from pytest_ragas.errors import ConfigurationError

        raise ConfigurationError(
            f"{caller} was called outside of a test. It takes its critic LLM from the fixtures of the running test: "
            "call it in a test or a fixture that pytest runs, with the plugin loaded (without -p no:ragas)."
        )
    return _running[-1]
