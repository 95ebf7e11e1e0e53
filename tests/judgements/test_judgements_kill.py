"""kill -9 at random moments of a run of 200 samples: the store opens, and the rerun asks for what was in flight alone.

Three moments by default; `RAGAS_TEST_KILLS=50` for the number of the issue.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judgements_made import Judged, samples, settings
from openai_server.server import OpenAIServer

KILLS = int(os.environ.get("RAGAS_TEST_KILLS", "3"))
ROWS = 200
CALLS = 2 * ROWS  # statements and verdicts of each row
CONCURRENCY = 16

RUN = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from judgements_made import Judged, samples, settings
from pytest_ragas.metrics.builtin import registry  # what takes time is imported before the run begins
import aiohttp, jsonschema
from pytest_ragas.session.session import Session
print("ready", flush=True)
sys.stdin.readline()
Judged(settings({url!r}, Path({folder!r}), concurrency={concurrency}), samples({rows}))
print("done", flush=True)
"""


def answers_in(folder: Path) -> int:
    """How many answers are stored; the file is checked page by page."""
    connection = sqlite3.connect(folder / "cache" / "judgements.sqlite3")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
    finally:
        connection.close()


def test_a_killed_run_has_lost_nothing_but_what_was_in_flight(openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.latency = 0.02
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    lost, killed, journalled = [], [], []
    for moment in range(KILLS):
        folder = tmp_path / str(moment)
        folder.mkdir()
        script = RUN.format(paths=paths, url=openai_server.url, folder=str(folder), concurrency=CONCURRENCY, rows=ROWS)
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        openai_server.reset()
        process.stdin.write("\n")
        process.stdin.flush()
        # by calls, not by the clock: wherever it runs, the moment lies inside the run
        wanted = random.Random(moment).randint(1, CALLS - 1)
        deadline = time.monotonic() + 60
        while len(openai_server.requests) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        time.sleep(random.Random(-moment).uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        time.sleep(0.1)  # what the server still answers
        asked = len(openai_server.requests)
        in_file = answers_in(folder)
        openai_server.reset()
        judged = Judged(settings(openai_server, folder), samples(ROWS))
        assert len(judged.scores) == ROWS
        stored = CALLS - len(openai_server.requests)
        assert stored >= in_file
        openai_server.reset()
        assert len(Judged(settings(openai_server, folder), samples(ROWS)).scores) == ROWS
        assert not openai_server.requests
        assert answers_in(folder) == CALLS
        assert not list((folder / "cache").glob("*.unwritten"))
        lost.append(asked - stored)
        journalled.append(stored - in_file)
        killed.append(asked)
    print(f"killed after {sorted(killed)} calls; of these sent and lost: {sorted(lost)}; in the journal: {journalled}")
    # what was in flight, and nothing that had come back
    assert max(lost) <= CONCURRENCY


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.003])
def test_a_kill_while_the_file_is_made_leaves_one_that_opens(tmp_path: Path, moment: float) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom pytest_ragas.judgements.sqlite_store import SQLiteStore\n"
        f"print('ready', flush=True)\nsys.stdin.readline()\nSQLiteStore(Path({str(tmp_path / 'j.sqlite3')!r}))\n"
        "sys.stdin.readline()\n"
    )
    from pytest_ragas.judgements.sqlite_store import SQLiteStore

    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    store = SQLiteStore(tmp_path / "j.sqlite3")
    assert list(store.everything()) == []
    store.close()
