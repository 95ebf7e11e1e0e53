"""Functions that are imported when they are first called: a run imports the metrics that it scores, not all of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is imported with the first call.

    Args:
        module: Below `pytest_ragas.metrics`: "native.faithfulness".
        name: Of the function, with its class where it has one: "Faithfulness.build".
    """

    def call(*arguments: Any) -> Any:
        found: Any = import_module(f"pytest_ragas.metrics.{module}")
        for part in name.split("."):
            found = getattr(found, part)
        return found(*arguments)

    return call
