"""Which test is running: how a plain function that a test calls finds its way to pytest.

The one place of the plugin with state of the process instead of `config.stash`: an assertion helper is
given a sample and nothing else. Not a context variable, because pytest-asyncio runs tests in contexts that
are older than the test, and threads start without one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# a stack: pytester runs a whole pytest inside a test; with the threads, as there are plugins that run tests in some
_running: list[tuple[int, pytest.Item]] = []


@contextmanager
def running(item: pytest.Item) -> Iterator[None]:
    """This test is the running one from its setup to its teardown."""
    entry = (threading.get_ident(), item)
    _running.append(entry)
    try:
        yield
    finally:
        _running.remove(entry)


def current_item(caller: str) -> pytest.Item:
    """The test that is running: in this thread, or else the last one that began.

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
    here = threading.get_ident()
    return next((item for thread, item in reversed(_running) if thread == here), _running[-1][1])
