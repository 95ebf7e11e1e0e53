"""Runs that share their judgements on a real Redis server."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from judgements_made import SECRETS, Judged, samples, scored, settings
from judgements_redis import PASSWORD, RedisServer
from openai_server.server import OpenAIServer

from pytest_ragas.cli.main import main
from pytest_ragas.errors import JudgementStoreError
from pytest_ragas.settings.secret import Secret

METRICS = ("faithfulness", "answer_relevancy")


def test_shards_share_what_they_judge(openai_server: OpenAIServer, redis_server: RedisServer, tmp_path: Path) -> None:
    given = settings(openai_server, tmp_path, cache_url=Secret(redis_server.url))
    first = Judged(given, samples(6)[:4], METRICS)
    openai_server.reset()
    second = Judged(given, samples(6)[2:], METRICS)
    assert len(openai_server.requests) == 4 * 2
    assert second.scores[:4] == first.scores[4:]
    replayed = Judged(dataclasses.replace(given, cache="replay"), samples(6), METRICS)
    assert len(replayed.scores) == 12
    assert not first.notes + second.notes + replayed.notes
    assert not (tmp_path / "cache").exists()


def test_a_missing_judgement_says_what_changed(
    openai_server: OpenAIServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    given = settings(openai_server, tmp_path, cache_url=Secret(redis_server.url))
    Judged(given, samples(1))
    row = dataclasses.replace(samples(1)[0], response="Other.")
    (failure,) = Judged(dataclasses.replace(given, cache="replay"), [row]).failures
    assert "changed since it was recorded: the response." in failure.error
    assert f"in redis://127.0.0.1:{redis_server.port}/0" in failure.error
    assert PASSWORD not in failure.error


def test_nothing_on_the_server_holds_a_key(
    openai_server: OpenAIServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    import redis

    Judged(settings(openai_server, tmp_path, cache_url=Secret(redis_server.url)), samples(2), METRICS)
    client = redis.Redis.from_url(redis_server.url, decode_responses=True)
    dump = [client.get(name) for name in client.scan_iter("pytest-ragas:1:judgement:*")]
    assert len(dump) > 4
    assert not [secret for secret in SECRETS if secret in str(dump)]
    client.close()


def test_a_server_that_is_down_costs_a_warning_or_is_an_error(openai_server: OpenAIServer, tmp_path: Path) -> None:
    pytest.importorskip("redis")
    given = settings(openai_server, tmp_path, cache_url=Secret("redis://:pa55@127.0.0.1:1/0"))
    judged = Judged(given, samples(1))
    assert len(judged.scores) == 1
    (note,) = judged.notes
    assert "redis://127.0.0.1:1/0 does not answer" in note
    assert "goes on without stored judgements" in note
    assert "pa55" not in note
    with pytest.raises(JudgementStoreError, match="does not answer"):
        Judged(dataclasses.replace(given, cache="replay"), samples(1))


def test_a_server_that_dies_costs_one_warning(openai_server: OpenAIServer, tmp_path: Path) -> None:
    pytest.importorskip("redis")
    import shutil

    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    from pytest_ragas.metrics.builtin import registry
    from pytest_ragas.session.session import Session

    server = RedisServer(tmp_path).wait()
    session = Session(settings(openai_server, tmp_path, cache_url=Secret(server.url)), registry())
    try:
        evaluator = session.evaluator()
        assert scored(evaluator, samples(3)[0], "faithfulness")
        server.stop()
        for row in samples(3):
            assert scored(evaluator, row, "faithfulness")
        (note,) = session.finish()
        assert f"redis://127.0.0.1:{server.port}/0 cannot be" in note
        assert PASSWORD not in note
    finally:
        session.close()
        server.stop()


def test_the_cache_command_works_on_the_server(
    openai_server: OpenAIServer,
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_RAGAS_CACHE_URL", "env:RAGAS_TEST_REDIS")
    monkeypatch.setenv("RAGAS_TEST_REDIS", redis_server.url)
    Judged(settings(openai_server, tmp_path, cache_url=Secret(redis_server.url)), samples(2))
    assert main(["cache", "stats"]) == 0
    assert "2 scores, 4 answers, 0 vectors" in capsys.readouterr().out
    assert main(["cache", "export", "out.jsonl"]) == 0
    assert main(["cache", "prune", "--older-than", "0"]) == 0
    assert "left: 0 scores, 0 answers, 0 vectors" in capsys.readouterr().out
    assert main(["cache", "import", "out.jsonl"]) == 0
    assert "6 new, 0 replaced" in capsys.readouterr().out
    given = settings(openai_server, tmp_path, cache="replay", cache_url=Secret(redis_server.url))
    assert len(Judged(given, samples(2)).scores) == 2
