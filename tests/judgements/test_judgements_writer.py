"""The writer's thread: what it is given is written, or said not to be."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from judgements_made import answer

from pytest_ragas.judgements.judgement import Judgement
from pytest_ragas.judgements.store import StoreBusyError, StoreError
from pytest_ragas.judgements.writer import THREAD_NAME, Writer


class Disk:
    """Takes what it is given, slowly or not at all."""

    def __init__(self) -> None:
        self.written: dict[str, Judgement] = {}
        self.batches: list[int] = []
        self.notes: list[str] = []
        self.errors: list[Exception] = []
        self.open = threading.Event()
        self.open.set()
        self.writer = Writer(self.write, failed=self.notes.append)

    def write(self, judgements: Sequence[Judgement], forgotten: Sequence[str]) -> None:
        assert threading.current_thread().name == THREAD_NAME
        assert self.open.wait(30)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(len(judgements))
        self.written.update({judgement.key: judgement for judgement in judgements})
        for key in forgotten:
            self.written.pop(key, None)


@pytest.fixture
def disk() -> Disk:
    return Disk()


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_everything_is_written_without_being_asked_to_finish(disk: Disk) -> None:
    for number in range(100):
        disk.writer.add(answer(number))
    wait_for(lambda: len(disk.written) == 100)
    wait_for(lambda: disk.writer.find("answer", answer(5).key) is None)  # it is the store's now
    disk.writer.finish()
    assert not disk.notes


def test_finish_waits_for_the_last_one(disk: Disk) -> None:
    disk.open.clear()
    for number in range(100):
        disk.writer.add(answer(number))
    threading.Timer(0.1, disk.open.set).start()
    disk.writer.finish()
    assert len(disk.written) == 100
    disk.writer.finish()


def test_what_comes_while_it_writes_is_the_next_batch(disk: Disk) -> None:
    disk.open.clear()
    disk.writer.add(answer(0))
    time.sleep(0.05)
    for number in range(1, 500):
        disk.writer.add(answer(number))
    assert disk.writer.find("answer", answer(499).key) == answer(499).content  # found before it is written
    disk.open.set()
    disk.writer.finish()
    assert disk.batches == [1, 499]


def test_no_thread_without_a_judgement(disk: Disk) -> None:
    before = threading.active_count()
    disk.writer.finish()
    assert threading.active_count() == before


def test_a_store_that_is_busy_is_tried_again(disk: Disk) -> None:
    disk.errors = [StoreBusyError("busy")] * 2
    for number in range(10):
        disk.writer.add(answer(number))
    wait_for(lambda: len(disk.written) == 10)
    disk.writer.finish()
    assert not disk.notes


@pytest.mark.parametrize("error", [StoreError("The disk is full."), RuntimeError("a mistake of ours")])
def test_a_store_that_takes_nothing_is_told_once_and_everything_is_still_found(disk: Disk, error: Exception) -> None:
    disk.errors = [error]
    disk.writer.add(answer(1))
    wait_for(lambda: disk.notes)
    for number in range(2, 50):
        disk.writer.add(answer(number))
    disk.writer.finish()
    assert len(disk.notes) == 1
    assert str(error) in disk.notes[0]
    assert not disk.written
    assert all(disk.writer.find("answer", answer(number).key) for number in range(1, 50))


def test_what_is_forgotten_is_not_written_whatever_the_order(disk: Disk) -> None:
    disk.open.clear()
    disk.writer.add(answer(0))
    time.sleep(0.05)  # 0 is under way
    disk.writer.add(answer(1))
    disk.writer.forget(answer(1).key)
    disk.writer.forget(answer(0).key)
    disk.writer.forget(answer(2).key)
    disk.writer.add(answer(2))
    assert disk.writer.find("answer", answer(1).key) is None
    disk.open.set()
    disk.writer.finish()
    assert set(disk.written) == {answer(2).key}
