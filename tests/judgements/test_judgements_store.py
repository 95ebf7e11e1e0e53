"""What every store does, on SQLite and on a real Redis server."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from judgements_made import answer, made, score

from pytest_ragas.judgements.judgement import Judgement
from pytest_ragas.judgements.store import Store, StoreError

OpenStore = Callable[..., Store]


def everything(store: Store) -> dict[str, Judgement]:
    return {judgement.key: judgement for judgement in store.everything()}


def test_what_is_written_is_found_by_another_process_and_later(open_store: OpenStore) -> None:
    first, second = open_store(), open_store()
    one, two = score(1, answers=("a" * 32,)), answer(2, value={"text": "größe \ud800 \u2028"})
    first.write([one, two], run="r")
    for store in (first, second, open_store(), open_store(readonly=True)):
        assert store.find("score", one.key) == one.content
        assert store.find("answer", two.key) == two.content
        assert store.find("answer", one.key) is None
        assert store.find("score", "f" * 32) is None
        assert everything(store) == {one.key: one, two.key: two}
        assert list(store.read([two.key, "f" * 32])) == [two]


def test_the_same_key_again_replaces_what_is_stored(open_store: OpenStore) -> None:
    store = open_store()
    store.write([answer(1, value={"a": 1}), score(2)], run="r")
    store.write([answer(1, value={"a": 2}), score(2, answers=("b" * 32,))], run="r")
    assert store.find("answer", answer(1).key)["value"] == {"a": 2}
    assert next(store.read([score(2).key])).answers == ("b" * 32,)
    assert len(everything(store)) == 2


def test_many_keys_are_read_at_once(open_store: OpenStore) -> None:
    store = open_store()
    store.write([answer(number) for number in range(1_200)], run="r")
    wanted = [answer(number).key for number in range(0, 1_200, 2)]
    assert {judgement.key for judgement in store.read(wanted)} == set(wanted)


def test_the_nearest_are_those_of_the_metric_and_the_row(open_store: OpenStore) -> None:
    store = open_store()
    odd = "q:1' \ud800"
    store.write([score(1, sample=odd), score(2, sample="q2"), answer(3, sample=odd), score(4, metric="b")], run="r")
    assert [judgement.key for judgement in store.near("score", "faithfulness", odd)] == [score(1).key]
    assert [judgement.key for judgement in store.near("answer", "faithfulness", odd)] == [answer(3).key]
    assert not store.near("vector", "faithfulness", odd)
    assert not store.near("score", "faithfulness", "q")


def test_a_store_that_is_open_for_reading_takes_nothing(open_store: OpenStore) -> None:
    open_store().write([score(1)], run="r")
    store = open_store(readonly=True)
    assert not store.writable
    assert store.find("score", score(1).key)


def test_pruning_what_the_last_run_did_not_use(open_store: OpenStore) -> None:
    store = open_store()
    old, new = score(1, answers=(answer(11).key,)), score(2, answers=(answer(12).key,))
    store.write([old, new, answer(11), answer(12), made("vector", 13), answer(14)], run="monday")
    time.sleep(0.01)
    other = open_store()
    other.used([new.key], run="tuesday")  # the run found the score, and never looked at its answer
    other.write([score(3)], run="tuesday")
    assert store.prune(older_than=None) == {"score": 1, "answer": 2, "vector": 1}
    assert set(everything(store)) == {new.key, answer(12).key, score(3).key}
    assert store.prune(older_than=None) == {"score": 0, "answer": 0, "vector": 0}
    assert not store.near("score", old.metric, old.sample)[2:]


def test_two_processes_of_one_run_are_one_run(open_store: OpenStore) -> None:
    first, second = open_store(), open_store()
    first.write([score(1)], run="xdist")
    time.sleep(0.01)
    second.write([score(2)], run="xdist")
    assert first.contents().runs == 1
    first.prune(older_than=None)
    assert set(everything(first)) == {score(1).key, score(2).key}


def test_pruning_what_was_last_used_long_ago(open_store: OpenStore) -> None:
    store = open_store()
    store.write([score(1), answer(2)], run="old")
    time.sleep(0.02)
    between = time.time()
    time.sleep(0.02)
    store.write([score(3)], run="new")
    store.used([answer(2).key], run="new")
    assert store.prune(older_than=between - 10) == {"score": 0, "answer": 0, "vector": 0}
    assert store.prune(older_than=between) == {"score": 1, "answer": 0, "vector": 0}
    assert set(everything(store)) == {answer(2).key, score(3).key}
    assert store.prune(older_than=time.time() + 10) == {"score": 1, "answer": 1, "vector": 0}
    store.write([score(4)], run="newest")
    assert store.prune(older_than=None) == {"score": 0, "answer": 0, "vector": 0}


def test_marking_what_was_deleted_does_not_bring_it_back(open_store: OpenStore) -> None:
    store = open_store()
    store.used([score(1).key], run="r")
    assert everything(store) == {}
    assert store.contents().kinds.get("score", 0) == 0


def test_what_is_in_it_is_counted(open_store: OpenStore) -> None:
    store = open_store()
    store.write(
        [score(1), score(2, metric="b"), score(3, metric="b"), answer(4), answer(5), made("vector", 6)], run="r"
    )
    contents = store.contents()
    assert contents.kinds == {"score": 3, "answer": 2, "vector": 1}
    assert contents.metrics == {"b": 2, "faithfulness": 1}
    assert contents.models == {"judge": 3}
    assert contents.tokens == 46
    assert contents.runs == 1
    assert contents.last_run == pytest.approx(time.time(), abs=60)


def test_an_empty_store_has_nothing(open_store: OpenStore) -> None:
    store = open_store()
    assert everything(store) == {}
    assert store.contents().last_run is None
    assert store.prune(older_than=None) == {"score": 0, "answer": 0, "vector": 0}


def test_closing_twice_is_closing_once(open_store: OpenStore) -> None:
    store = open_store()
    store.write([score(1)], run="r")
    store.close()
    store.close()


def test_a_redis_server_that_is_down_is_named_without_its_password() -> None:
    pytest.importorskip("redis")
    from pytest_ragas.judgements.redis_store import RedisStore

    with pytest.raises(StoreError) as caught:
        RedisStore("redis://me:secret-4714@127.0.0.1:1/0")
    assert "redis://127.0.0.1:1/0 does not answer" in str(caught.value)
    assert "secret-4714" not in str(caught.value)
    assert caught.value.__context__ is None  # the frames of redis-py hold the password


def test_a_url_that_is_none_is_said_to_be_none() -> None:
    pytest.importorskip("redis")
    from pytest_ragas.judgements.redis_store import RedisStore

    with pytest.raises(StoreError, match="Check --ragas-cache-url"):
        RedisStore("http://127.0.0.1:1")
