"""Fixtures that the tests of several stages share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from openai_server.server import OpenAIServer


@pytest.fixture
def openai_server() -> Iterator[OpenAIServer]:
    """A server that speaks the OpenAI protocol, with a lexical critic behind it; `openai_server.url` is its `api_base`.

    What our client remembers of servers is forgotten before and after: the next one may get the same port.
    """
    # imported here: most tests need no aiohttp
    from openai_server.server import OpenAIServer

    from pytest_ragas.models.openai_memory import forget

    forget()
    with OpenAIServer() as server:
        yield server
    forget()
