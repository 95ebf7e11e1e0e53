"""Log records of scoring: kept away from the test that happens to run, and filed under the job that they belong to."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import MutableSequence

THREADS = "ragas-"
"""What the names of our threads begin with."""

current_records: contextvars.ContextVar[MutableSequence[logging.LogRecord] | None] = contextvars.ContextVar(
    "ragas_records", default=None
)
"""Where the job that runs collects its log records; the engine sets it."""

in_job: contextvars.ContextVar[bool] = contextvars.ContextVar("ragas_in_job", default=False)
"""Whether this code runs for a job of the engine, in whatever thread; the engine sets it."""

_MOST = 1_000


def not_from_engine(record: logging.LogRecord) -> bool:
    """A logging filter that stops what scoring logs: for the handlers that file records under the running test.

    It asks the thread that emits, as filters of handlers do; a record that was queued before is known by the name
    of its thread.
    """
    name = record.threadName or threading.current_thread().name
    return not (in_job.get() or name.startswith(THREADS))


class JobLogHandler(logging.Handler):
    """Files each record under the job that it was logged for: appends it to the job's `records`.

    Put one on the root logger; hand `Engine.submit` a list (or a deque with a bound) for each job. A job keeps its
    first 1,000 records: a chatty library must not fill the memory.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """File the record; records of no job are not ours."""
        records = current_records.get()
        # where pytest runs inside a test of pytest, the root logger has two of us
        if records is not None and len(records) < _MOST and not (records and records[-1] is record):
            records.append(record)
