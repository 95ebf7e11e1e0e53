"""Barriers: while a test patches sockets, clocks or HTTP clients of the whole process, nothing is scored.

Scoring goes on in the background, in the same process: a neighbour's `respx_mock` would answer the critic's requests,
and a frozen clock would stop its time-outs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.plugin.marker_help import BARRIER_INI
from pytest_ragas.plugin.marks import marks_of

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

MARK = "ragas_barrier"
FIXTURES = frozenset(
    {
        "aioresponses",
        "aresponses",
        "block_network",
        "freezer",
        "fs",
        "fs_class",
        "fs_module",
        "fs_session",
        "httpx_mock",
        "requests_mock",
        "respx_mock",
        "responses",
        "socket_disabled",
        "time_machine",
        "vcr",
        "vcr_cassette",
    }
)
"""pytest-httpx, respx, requests-mock, pytest-responses, pytest-aioresponses, aresponses, pytest-recording, pytest-vcr,
pytest-socket, pytest-freezer, time-machine, pyfakefs."""

MARKS = frozenset({MARK, "vcr", "block_network", "disable_socket", "allow_hosts", "freeze_time", "time_machine"})
"""Marks by which the same plugins patch the process for one test."""

_OPTIONS = ("disable_socket", "allow_hosts", "block_network")


class Barriers:
    """The barriers of one pytest process."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._fixtures = FIXTURES | set(suite.config.getini(BARRIER_INI))
        # pytest-socket and pytest-recording patch around every test where the command line says so
        self._all = any(suite.config.getoption(name, None) for name in _OPTIONS)
        self._up = 0
        self._quiet = contextlib.ExitStack()

    @property
    def up(self) -> bool:
        """Whether nothing is scored right now."""
        return self._up > 0

    def is_one(self, item: pytest.Item) -> bool:
        """Whether nothing must be scored while this test runs."""
        return (
            self._all
            or any(mark.name in MARKS for mark in marks_of(item))
            or not self._fixtures.isdisjoint(getattr(item, "fixturenames", ()))
        )

    @contextlib.contextmanager
    def around(self, item: pytest.Item) -> Iterator[None]:
        """Around the whole run of a test. Where it is a barrier, waits until scoring has come to rest."""
        if not self.is_one(item):
            yield
            return
        self._raise()
        try:
            yield
        finally:
            self._lower()

    def set_up(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """A fixture is about to be set up: it is a barrier for as long as it lives.

        One of the test that runs already is, unless the test asks for it only now.
        """
        if fixturedef.argname in self._fixtures and (fixturedef.scope != "function" or not self._up):
            self._raise()
            # added before the fixture's own: it runs after them
            fixturedef.addfinalizer(self._lower)

    @contextlib.contextmanager
    def lifted(self) -> Iterator[None]:
        """Where somebody must wait for scores, they must be able to come."""
        if not self._up:
            yield
            return
        self._quiet.close()
        try:
            yield
        finally:
            self._quiet.enter_context(self._suite.quiet())

    def _raise(self) -> None:
        self._up += 1
        if self._up == 1:
            self._quiet.enter_context(self._suite.quiet())

    def _lower(self) -> None:
        self._up -= 1
        if not self._up:
            self._quiet.close()
