"""Other plugins that run tests in their own way go first, as they would without us."""

from __future__ import annotations

import pytest


def taken_by_others(ours: object, item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """Ask every other plugin that would have been asked after us whether the test is its own.

    Of `pytest_runtest_protocol`, the first result counts: whoever gives one leaves those behind him without a call.
    Many of those only want to know that a test begins, and leave it to pytest.

    Args:
        ours: Our plugin, whose hook is being called.
        item: The test.
        nextitem: The test that runs next.

    Returns:
        What the plugin that has run the test answered; None where the test was left to us.
    """
    arguments = {"item": item, "nextitem": nextitem}
    impls = item.config.hook.pytest_runtest_protocol.get_hookimpls()
    plain = [impl for impl in impls if not impl.hookwrapper and not getattr(impl, "wrapper", False)]
    here = next(place for place, impl in enumerate(plain) if impl.plugin is ours)
    for impl in reversed(plain[:here]):
        if impl.plugin_name == "runner":  # pytest's own
            continue
        result = impl.function(*(arguments[name] for name in impl.argnames))
        if result is not None:
            return result
    return None
