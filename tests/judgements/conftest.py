"""Stores of both kinds, and a Redis server where one is installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from judgements_redis import RedisServer

from pytest_ragas.judgements.sqlite_store import SQLiteStore
from pytest_ragas.judgements.store import Store


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    pytest.importorskip("redis", reason="redis-py is not installed")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        yield server.wait()
    finally:
        server.stop()


@pytest.fixture
def redis_server(_redis_server: RedisServer) -> RedisServer:
    """A running Redis server with nothing in it; `url` has a password."""
    import redis

    redis.Redis.from_url(_redis_server.url).flushall()
    return _redis_server


@pytest.fixture(params=["sqlite", "redis"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Opens the same store again and again; closes all in the end."""
    opened: list[Store] = []
    if request.param == "redis":
        from pytest_ragas.judgements.redis_store import RedisStore

        url = request.getfixturevalue("redis_server").url

    def open_it(**arguments: bool) -> Store:
        store: Store
        if request.param == "redis":
            store = RedisStore(url, **arguments)
        else:
            store = SQLiteStore(tmp_path / "judgements.sqlite3", **arguments)
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        store.close()
