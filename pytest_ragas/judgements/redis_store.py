"""`RedisStore`: judgements on a Redis server that several machines share. The only module that imports redis."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pytest_ragas.errors import MissingExtraError
from pytest_ragas.judgements.judgement import FORMAT_VERSION, KINDS, Judgement, Kind, label
from pytest_ragas.judgements.lines import LineProblem, line_of, read_line
from pytest_ragas.judgements.store import Contents, StoreError

PREFIX = f"pytest-ragas:{FORMAT_VERSION}:"
# pytest-ragas:1:judgement:KEY     a line as of lines.py
# pytest-ragas:1:of:METRIC:SAMPLE  set of the keys that this metric asked for this row
# pytest-ragas:1:used              sorted set of all keys, by when the last run that used them began
# pytest-ragas:1:runs              sorted set of the names of runs, by when they began
# A newer format has another prefix, so that both can live on one server.

_TIMEOUT = 10.0
"""Seconds that a connection, and an answer, may take."""
_CHUNK = 500
_NEAR = 200


class RedisStore:
    """Satisfies `Store`. Keys have no expiry; `pytest-ragas cache prune` deletes."""

    remote = True

    def __init__(self, url: str, *, readonly: bool = False) -> None:
        """
        Args:
            url: `redis://`, `rediss://` or `unix://`, as redis-py reads it.
            readonly: Change nothing.

        Raises:
            StoreError: The URL cannot be used, or no server answers there.
            MissingExtraError: redis-py is not installed.
        """
        try:
            import redis
        except ModuleNotFoundError as error:
            if error.name != "redis":
                raise
            raise MissingExtraError("--ragas-cache-url", "redis", "redis") from None
        self._error: type[Exception] = redis.RedisError
        self._name = _shown(url)
        self._readonly = readonly
        self._pid = os.getpid()
        problem = ""
        try:
            self._client: Any = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=_TIMEOUT,
                health_check_interval=30,
            )
            self._client.ping()
        except (redis.RedisError, OSError, ValueError) as error:
            problem = _words(error)
        # raised outside: the frames of redis-py hold the password, and a traceback with locals would print it
        if problem:
            raise StoreError(f"The judgement store {self._name} does not answer ({problem}). Check --ragas-cache-url.")

    @property
    def name(self) -> str:
        """The address, without credentials."""
        return self._name

    @property
    def file(self) -> None:
        """None: it is a server's."""

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return not self._readonly

    def find(self, kind: Kind, key: str) -> Any:
        """The content of a judgement; None if there is none."""
        line = self._try(lambda: self._client.get(f"{PREFIX}judgement:{key}"))
        if line is None:
            return None
        judgement = self._parsed(line)
        return judgement.content if judgement.kind == kind else None

    def read(self, keys: Iterable[str]) -> Iterator[Judgement]:
        """The judgements of these keys."""
        wanted = list(keys)
        for start in range(0, len(wanted), _CHUNK):
            names = [f"{PREFIX}judgement:{key}" for key in wanted[start : start + _CHUNK]]
            for line in self._try(lambda names=names: self._client.mget(names)):
                if line is not None:
                    yield self._parsed(line)

    def near(self, kind: Kind, metric: str, sample: str) -> Sequence[Judgement]:
        """What is stored of this kind for a metric and a row."""
        keys = self._try(lambda: self._client.smembers(_of(metric, sample)))
        return [judgement for judgement in self.read(sorted(keys)[:_NEAR]) if judgement.kind == kind]

    def everything(self) -> Iterator[Judgement]:
        """All judgements."""
        yield from self.read(self._try(lambda: self._client.zrange(f"{PREFIX}used", 0, -1)))

    def write(self, judgements: Sequence[Judgement], *, run: str, forget: Sequence[str] = ()) -> None:
        """Add, replace and delete, in one transaction."""
        started = self._started(run)
        gone = list(self.read(forget)) if forget else []

        def send() -> None:
            with self._client.pipeline(transaction=True) as pipe:
                for judgement in judgements:
                    pipe.set(f"{PREFIX}judgement:{judgement.key}", line_of(judgement))
                    pipe.sadd(_of(judgement.metric, judgement.sample), judgement.key)
                    pipe.zadd(f"{PREFIX}used", {judgement.key: started})
                for judgement in gone:
                    _delete(pipe, judgement)
                pipe.execute()

        self._try(send, "written to")

    def used(self, keys: Iterable[str], *, run: str) -> None:
        """Note that a run used these."""
        started = self._started(run)
        wanted = list(keys)
        for start in range(0, len(wanted), _CHUNK):
            scores = dict.fromkeys(wanted[start : start + _CHUNK], started)
            # xx: what somebody has deleted meanwhile stays deleted
            self._try(lambda scores=scores: self._client.zadd(f"{PREFIX}used", scores, xx=True), "written to")

    def prune(self, *, older_than: float | None) -> Mapping[Kind, int]:
        """Delete what no run of late has used."""
        if older_than is None:
            last = self._try(lambda: self._client.zrange(f"{PREFIX}runs", -1, -1, withscores=True))
            older_than = last[0][1] if last else 0.0
        # "(": exclusive
        old = set(self._try(lambda: self._client.zrangebyscore(f"{PREFIX}used", "-inf", f"({older_than!r}")))
        stale: list[Judgement] = []
        kept: set[str] = set()
        for judgement in self.everything():
            if judgement.key in old:
                stale.append(judgement)
            else:
                kept.update(judgement.answers)
        gone = [judgement for judgement in stale if judgement.key not in kept]

        def send() -> None:
            with self._client.pipeline(transaction=True) as pipe:
                for judgement in gone:
                    _delete(pipe, judgement)
                pipe.zremrangebyrank(f"{PREFIX}runs", 0, -101)  # a hundred are enough
                pipe.execute()

        self._try(send, "written to")
        return {kind: sum(judgement.kind == kind for judgement in gone) for kind in KINDS}

    def contents(self) -> Contents:
        """What is in it."""
        kinds: dict[Kind, int] = {}
        metrics: dict[str, int] = {}
        models: dict[str, int] = {}
        tokens = 0
        for one in self.everything():
            kinds[one.kind] = kinds.get(one.kind, 0) + 1
            if one.kind == "score":
                metrics[one.metric] = metrics.get(one.metric, 0) + 1
                continue
            model = one.request.get("model", {}).get("name", "")
            models[model] = models.get(model, 0) + 1
            tokens += sum(one.content["usage"][1:]) if one.kind == "answer" else 0
        last = self._try(lambda: self._client.zrange(f"{PREFIX}runs", -1, -1, withscores=True))
        return Contents(
            kinds=kinds,
            metrics=dict(sorted(metrics.items())),
            models=dict(sorted(models.items())),
            tokens=tokens,
            runs=self._try(lambda: self._client.zcard(f"{PREFIX}runs")),
            last_run=last[0][1] if last else None,
        )

    def close(self) -> None:
        """Let go of the connections."""
        with contextlib.suppress(self._error, OSError):
            self._client.close()

    def _started(self, run: str) -> float:
        """When a run began: the first of its processes says it."""

        def ask() -> float:
            self._client.zadd(f"{PREFIX}runs", {run: time.time()}, nx=True)
            return float(self._client.zscore(f"{PREFIX}runs", run))

        return float(self._try(ask, "written to"))

    def _parsed(self, line: str) -> Judgement:
        try:
            return read_line(line)
        except LineProblem as error:
            raise StoreError(f"The judgement store {self._name} holds something else: {error}") from None

    def _try(self, ask: Any, what: str = "read") -> Any:
        problem = ""
        try:
            return ask()
        except (self._error, OSError, UnicodeError) as error:
            problem = _words(error)
        raise StoreError(f"The judgement store {self._name} cannot be {what} ({problem}).")


def _delete(pipe: Any, judgement: Judgement) -> None:
    pipe.delete(f"{PREFIX}judgement:{judgement.key}")
    pipe.srem(_of(judgement.metric, judgement.sample), judgement.key)
    pipe.zrem(f"{PREFIX}used", judgement.key)


def _of(metric: str, sample: str) -> str:
    return f"{PREFIX}of:{json.dumps([label(metric), label(sample)], ensure_ascii=False)}"


def _shown(url: str) -> str:
    """Scheme, host, port and database of a URL."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "of --ragas-cache-url"
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else "of --ragas-cache-url"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
