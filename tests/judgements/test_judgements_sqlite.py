"""The SQLite file under what happens to files: many processes, kills, damage, disks that are full or read-only."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from judgements_made import answer, score

from pytest_ragas.judgements import sqlite_schema
from pytest_ragas.judgements.sqlite_store import SQLiteStore
from pytest_ragas.judgements.store import StoreError

SPAWN = multiprocessing.get_context("spawn")
HERE = Path(__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "judgements.sqlite3"


def write_some(path: Path, barrier: Any, worker: int, count: int) -> None:
    barrier.wait(60)
    store = SQLiteStore(path)
    for number in range(count):
        store.write([answer(worker * 1_000 + number), score(500_000 + worker * 1_000 + number)], run="r")
    store.close()


def run_processes(target: Any, *arguments: Any, workers: int) -> None:
    barrier = SPAWN.Barrier(workers)
    processes = [SPAWN.Process(target=target, args=(arguments[0], barrier, n, *arguments[1:])) for n in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * workers


def test_eight_processes_make_the_file_and_write_to_it_at_once(path: Path) -> None:
    run_processes(write_some, path, 40, workers=8)
    store = SQLiteStore(path, readonly=True)
    assert store.contents().kinds == {"score": 320, "answer": 320}
    store.close()
    assert integrity(path) == "ok"


def test_a_file_that_others_are_making_is_waited_for(tmp_path: Path) -> None:
    """Eight openings of a file that is not there, in the same moment, forty times."""
    problems: list[BaseException] = []

    def open_it(path: Path, barrier: threading.Barrier, number: int) -> None:
        try:
            barrier.wait(30)
            store = SQLiteStore(path)
            store.write([answer(number)], run="r")
            store.close()
        except BaseException as error:
            problems.append(error)

    for attempt in range(40):
        path, barrier = tmp_path / f"{attempt}.sqlite3", threading.Barrier(8)
        threads = [threading.Thread(target=open_it, args=(path, barrier, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert problems == []
        store = SQLiteStore(path, readonly=True)
        assert len(list(store.everything())) == 8
        store.close()


def test_threads_read_while_others_write(path: Path) -> None:
    store, stop, problems = SQLiteStore(path), threading.Event(), []
    store.write([answer(0)], run="r")

    def read() -> None:
        try:
            while not stop.is_set():
                assert store.find("answer", answer(0).key) is not None
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 200):
        store.write([answer(number)], run="r")
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not problems
    store.close()


def test_a_reader_sees_what_others_committed_after_it_opened(path: Path) -> None:
    writer = SQLiteStore(path)
    reader = SQLiteStore(path, readonly=True)
    for number in range(50):
        writer.write([answer(number)], run="r")
        assert reader.find("answer", answer(number).key) is not None
    reader.close()
    writer.close()


def test_after_a_fork_parent_and_child_have_connections_of_their_own(path: Path) -> None:
    store = SQLiteStore(path)
    store.write([answer(1)], run="r")
    assert store.find("answer", answer(1).key)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.write([answer(2)], run="r")
            assert store.find("answer", answer(1).key)
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    store.write([answer(3)], run="r")
    assert all(store.find("answer", answer(number).key) for number in (1, 2, 3))
    store.close()
    assert integrity(path) == "ok"


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from judgements_made import answer
from pytest_ragas.judgements.sqlite_store import SQLiteStore
store = SQLiteStore(Path({path!r}))
number = {start}
while True:
    store.write([answer(number)], run="r")
    print(number, flush=True)
    number += 1
"""


def test_what_was_committed_survives_kill_9(path: Path) -> None:
    """What the process said that it wrote is there, and the file opens, however often it happens."""
    start = 0
    for _ in range(4):
        script = KILLED.format(here=str(HERE), path=str(path), start=start)
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(30 + start % 7)]
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
        process.stdout.close()
        process.wait(20)
        store = SQLiteStore(path)
        stored = {judgement.key for judgement in store.everything()}
        assert {answer(number).key for number in said} <= stored
        store.close()
        start = said[-1] + 2
    assert integrity(path) == "ok"


def integrity(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


# ---- files that cannot be used ------------------------------------------------------------------


def test_a_newer_format_is_left_alone(path: Path) -> None:
    SQLiteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(
            StoreError, match=r"is of format 2, written by a newer .* reads up to 1\. Upgrade"
        ) as caught:
            SQLiteStore(path, readonly=readonly).find("score", "a" * 32)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_file_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is an SQLite file of another program"):
        SQLiteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database, but long enough to look like one " * 100, b"\x00" * 5_000])
def test_a_file_that_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged; nothing was deleted") as caught:
        SQLiteStore(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def filled(path: Path, count: int = 300) -> None:
    store = SQLiteStore(path)
    store.write([answer(number, value={"text": f"{number} " * 200}) for number in range(count)], run="r")
    store.close()


def test_damaged_pages_are_an_error_and_not_a_wrong_answer(path: Path) -> None:
    """Whatever bytes are overwritten: what is found is what was stored, or the damage is named."""
    filled(path)
    whole = path.read_bytes()
    damaged = []
    for start in range(4_096, len(whole), 7 * 4_096):
        path.write_bytes(whole[:start] + b"\xa5" * 2_000 + whole[start + 2_000 :])
        try:
            with contextlib.closing(SQLiteStore(path, readonly=True)) as store:
                for number in range(0, 300, 10):
                    found = store.find("answer", answer(number).key)
                    assert found is None or isinstance(found, dict)
        except StoreError as error:
            damaged.append(str(error))
    assert damaged
    assert all("damaged; nothing was deleted" in text and str(path) in text for text in damaged)


def test_a_truncated_file_is_an_error(path: Path) -> None:
    filled(path)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError, match="damaged"), contextlib.closing(SQLiteStore(path, readonly=True)) as store:
        list(store.everything())


def test_a_missing_file_is_not_made_for_reading(path: Path) -> None:
    with pytest.raises(StoreError, match="There is no judgement store"):
        SQLiteStore(path, readonly=True)
    assert not path.exists()


def test_the_schema_explains_itself(path: Path) -> None:
    SQLiteStore(path).close()
    connection = sqlite3.connect(path)
    tables = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for name, sql in tables.items():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        for column in columns:
            line = next(line for line in sql.splitlines() if line.strip().startswith(f"{column} "))
            assert "--" in line, f"{name}.{column} has no comment"
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("PRAGMA application_id").fetchone() == (sqlite_schema.APPLICATION_ID,)
    connection.close()


# ---- disks that are full or read-only -----------------------------------------------------------

FULL = """
import json, resource, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from judgements_made import answer
from pytest_ragas.judgements.judgements import Judgements
from pytest_ragas.judgements.sqlite_store import SQLiteStore
book = Judgements(mode="read-write", store=SQLiteStore(Path({path!r})), run="r")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
for number in range(400):
    book.keep(answer(number, value={{"text": f"{{number}} " * 500}}))
found = [book.find("answer", answer(number).key) is not None for number in range(400)]
book.finish()
found += [book.find("answer", answer(number).key) is not None for number in range(400)]
book.close()
print(json.dumps([all(found), book.notes]))
"""


def test_a_full_disk_costs_one_warning_and_no_judgement_of_the_run(path: Path) -> None:
    """The disk is full for files above a size; what was judged is still found by this run, and the file opens."""
    script = FULL.format(here=str(HERE), path=str(path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    found, notes = json.loads(done.stdout)
    assert found
    assert len(notes) == 1
    assert str(path) in notes[0]
    assert "goes on without storing" in notes[0]
    assert integrity(path) == "ok"
    with contextlib.closing(SQLiteStore(path, readonly=True)) as store:
        assert len(list(store.everything())) < 400


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="ragas-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(mode: str, folder: Path) -> Any:
    """Find and keep judgements without the right to write; what was found, and the notes."""
    script = READ.format(paths=[str(HERE), str(HERE.parent)], mode=mode, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


READ = """
import json, os, sys, urllib.parse  # what is imported later may lie where nobody may read
sys.path[:0] = {paths!r}
from judgements_made import answer
from pytest_ragas.judgements.opening import open_judgements
from pytest_ragas.settings.values import Settings
if os.getuid() == 0:  # root may write anywhere
    os.setgid(65534)
    os.setuid(65534)
book = open_judgements(Settings(cache={mode!r}, cache_dir={folder!r}))
found = [book.find("answer", answer(number).key) is not None for number in range(12)]
book.keep(answer(99))
found.append(book.find("answer", answer(99).key) is not None)
book.close()
print(json.dumps([found, book.notes]))
"""


@pytest.mark.parametrize("killed", [False, True], ids=["tidy", "with a -wal file"])
@pytest.mark.parametrize("mode", ["replay", "read-write"])
def test_a_read_only_checkout_answers_what_it_holds(open_folder: Path, mode: str, killed: bool) -> None:
    store = SQLiteStore(open_folder / "judgements.sqlite3")
    store.write([answer(number) for number in range(10)], run="r")
    if killed:  # what is in the -wal file only, as after a kill -9
        copy = open_folder.with_name(open_folder.name + "-copy")
        shutil.copytree(open_folder, copy)
        store.close()
        shutil.rmtree(open_folder)
        copy.rename(open_folder)
        (open_folder / "judgements.sqlite3-shm").unlink()
        assert (open_folder / "judgements.sqlite3-wal").stat().st_size
    else:
        store.close()
    for file in open_folder.iterdir():
        file.chmod(0o444)
    open_folder.chmod(0o555)
    before = {file.name: file.read_bytes() for file in open_folder.iterdir()}
    found, notes = as_nobody(mode, open_folder)
    assert found[:12] == [True] * 10 + [False] * 2
    assert {file.name: file.read_bytes() for file in open_folder.iterdir()} == before
    if mode == "replay":
        assert found[12] is False  # nothing is kept
        assert notes == []
    else:
        assert found[12] is True  # for this run
        assert len(notes) == 1
        assert "new judgements are not stored" in notes[0]
        assert str(open_folder) in notes[0]


def test_a_folder_that_cannot_be_made_costs_one_warning(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    found, notes = as_nobody("read-write", open_folder / "below" / "cache")
    assert found == [False] * 12 + [True]
    assert len(notes) == 1
    assert "cannot be made (Permission denied)" in notes[0]
    assert "This run goes on without stored judgements" in notes[0]


def test_a_writer_that_others_hold_up_waits_for_them(path: Path) -> None:
    store = SQLiteStore(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    begin = time.monotonic()
    store.write([answer(1)], run="r")
    assert time.monotonic() - begin >= 0.2
    timer.join()
    other.close()
    store.close()
