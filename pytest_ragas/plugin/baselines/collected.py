"""Which tests there are, also those that were not selected: only so a row that is gone differs from one left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.baselines.outdated import Collected

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

PLUGIN = "ragas-collected"
"""Name of the plugin; registered where a baseline is to be updated."""

_OUTPUT = "ragas_collected"
"""Of a worker's output: what it has collected, as JSON."""


class Collecting:
    """Takes notes while tests are collected: in the only process, or in each worker of pytest-xdist."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._functions: dict[str, None] = {}
        self._rows: dict[str, list[str]] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Before tests are deselected."""
        self._functions.setdefault(_function(item))

    def pytest_sessionfinish(self) -> None:
        """A worker's last words."""
        if self._suite.is_worker:
            output: dict[str, Any] = self._suite.config.workeroutput  # type: ignore[attr-defined]  # of pytest-xdist
            output[_OUTPUT] = json.dumps({"functions": list(self._functions), "rows": self._own_rows()})

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended. All of them collect the same."""
        if packed := getattr(node, "workeroutput", {}).get(_OUTPUT):
            told = json.loads(packed)
            self._functions.update(dict.fromkeys(told["functions"]))
            self._rows.update(told["rows"])

    def collected(self) -> Collected:
        """What was collected, over all processes."""
        config = self._suite.config
        named = any("::" in str(argument) for argument in config.args)
        return Collected(
            root=config.rootpath,
            rows={function: frozenset(ids) for function, ids in {**self._rows, **self._own_rows()}.items()},
            functions=frozenset(self._functions),
            # --lf passes over tests while a file is collected
            whole=not named and not config.getoption("lf", False),
        )

    def _own_rows(self) -> dict[str, list[str]]:
        return {function: [row.id for row in rows] for function, rows in self._suite.rows.items()}


def _function(item: pytest.Item) -> str:
    name = getattr(item, "originalname", None) or item.name
    return f"{item.parent.nodeid}::{name}" if item.parent is not None else item.nodeid
