"""What the tests of the run's shares and of its purse begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pytest_ragas.scoring.share_server import ShareServer


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(stack: ExitStack) -> ShareServer:
    server = ShareServer(2)
    stack.callback(server.close)
    return server
