"""What scoring logs goes to its own job, never to the test that happens to run."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Iterator

import pytest

from pytest_ragas.scoring.engine import Engine
from pytest_ragas.scoring.logs import JobLogHandler, not_from_engine

log = logging.getLogger("test.scoring.logs")


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(concurrency=4)
    handler = JobLogHandler()
    logging.getLogger().addHandler(handler)
    log.setLevel(logging.INFO)
    yield engine
    logging.getLogger().removeHandler(handler)
    engine.close()


async def chat(name: str) -> None:
    log.info("%s begins", name)
    await asyncio.sleep(0.01)
    await asyncio.gather(asyncio.to_thread(log.warning, "%s in a thread", name), asyncio.sleep(0))
    log.info("%s ends", name)


def test_records_are_filed_under_their_job(engine: Engine) -> None:
    records: dict[str, list[logging.LogRecord]] = {"a": [], "b": []}
    futures = [engine.submit(lambda name=name: chat(name), order=0, records=records[name]) for name in records]
    futures.append(engine.submit(lambda: chat("nobody's"), order=0))
    for future in futures:
        engine.wait(future)
    log.info("of the main thread")
    for name, filed in records.items():
        assert [record.getMessage() for record in filed] == [f"{name} begins", f"{name} in a thread", f"{name} ends"]


def test_a_chatty_job_does_not_fill_the_memory(engine: Engine) -> None:
    records: list[logging.LogRecord] = []

    async def work() -> None:
        for number in range(3_000):
            log.info("%d", number)

    engine.wait(engine.submit(work, order=0, records=records))
    assert len(records) == 1_000


def test_the_filter_keeps_scoring_out_of_the_running_tests_log(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(not_from_engine)
    try:
        future = engine.submit(lambda: chat("noise"), order=0)
        log.info("mine")
        thread = threading.Thread(target=log.info, args=("of my thread",))
        thread.start()
        thread.join()
        engine.wait(future)
    finally:
        caplog.handler.removeFilter(not_from_engine)
    assert caplog.messages == ["mine", "of my thread"]


def test_the_filter_knows_a_job_in_a_thread_that_a_library_named(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(log.info, "from the library's thread"), name="library-1")
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0.001)

    caplog.handler.addFilter(not_from_engine)
    try:
        engine.wait(engine.submit(work, order=0))
    finally:
        caplog.handler.removeFilter(not_from_engine)
    assert caplog.messages == []


def test_a_record_from_a_model_thread_is_known_by_its_name() -> None:
    record = logging.makeLogRecord({"msg": "x"})
    record.threadName = "ragas-embeddings"
    assert not not_from_engine(record)
    record.threadName = "MainThread"
    assert not_from_engine(record)
