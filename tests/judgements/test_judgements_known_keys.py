"""Keys that a file is known not to have are not asked for; those that others store are seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from judgements_made import answer, score

from pytest_ragas.judgements import known_keys
from pytest_ragas.judgements.sqlite_store import SQLiteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "judgements.sqlite3"


class Counting(SQLiteStore):
    """Counts what is asked of SQLite."""

    asked = 0

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        self.asked += 1
        return super()._rows(statement, values)


def test_what_is_new_is_not_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Counting(path)
    store.write([answer(number) for number in range(300)], run="r")
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)  # no time passes
    assert all(store.find("answer", answer(number).key) is None for number in range(1_000, 1_500))
    assert all(store.find("score", score(number).key) is None for number in range(500))
    assert store.asked <= 6
    assert all(store.find("answer", answer(number).key) is not None for number in range(300))
    store.close()


def test_what_another_process_has_stored_is_found_a_moment_later(path: Path) -> None:
    here, there = SQLiteStore(path), SQLiteStore(path)
    for number in range(5):
        assert here.find("answer", answer(number).key) is None
        there.write([answer(number)], run="r")
        deadline = time.monotonic() + 20
        while here.find("answer", answer(number).key) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    here.close()
    there.close()


def test_a_store_that_was_pruned_by_another_process_is_looked_through_anew(path: Path) -> None:
    """Rows that are left get new numbers, and those that come next get old ones."""
    here, there = SQLiteStore(path, readonly=False), SQLiteStore(path)
    there.write([answer(number) for number in range(500)], run="old")
    assert here.find("answer", answer(499).key) is not None
    there.write([answer(1_000)], run="new")
    assert there.prune(older_than=None)["answer"] == 500
    there.write([answer(2_000)], run="new")
    time.sleep(0.1)
    assert here.find("answer", answer(1_000).key) is not None
    assert here.find("answer", answer(2_000).key) is not None
    assert here.find("answer", answer(3).key) is None
    here.close()
    there.close()


def test_a_store_that_is_too_large_to_know_is_asked_every_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_keys, "_MOST", 10)
    store = Counting(path, readonly=False)
    other = SQLiteStore(path)
    other.write([answer(number) for number in range(50)], run="r")
    assert all(store.find("answer", answer(number).key) is not None for number in range(50))
    assert store.find("answer", answer(77).key) is None
    assert store.asked > 50
    store.close()
    other.close()
