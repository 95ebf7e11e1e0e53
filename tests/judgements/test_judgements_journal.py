"""The journal of what is not in the store yet: nothing that it took is lost, however its process ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from judgements_made import answer, made, score

from pytest_ragas.judgements import journal as journal_file
from pytest_ragas.judgements.journal import Journal, read_journal
from pytest_ragas.judgements.judgement import Judgement
from pytest_ragas.judgements.opening import open_judgements
from pytest_ragas.judgements.recovery import recover
from pytest_ragas.judgements.sqlite_store import SQLiteStore
from pytest_ragas.judgements.store import StoreBusyError
from pytest_ragas.judgements.writer import Writer
from pytest_ragas.settings.values import Settings

NAME = "judgements.sqlite3"


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.unwritten"))


def held(folder: Path) -> list[Judgement | str]:
    [path] = files(folder)
    return read_journal(path.read_bytes())[1]


def begun(folder: Path) -> Journal:
    return Journal(folder / NAME, run="a run")


def test_what_it_took_is_in_the_file_at_once(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    strange = answer(2, value={"text": "Zürich \ud800 \u2028"}, sample="r\ud83d", metric='a "quoted" name')
    vector = made("vector", 3, content={"float32": "AAAA"}, text='{"float32":"AAAA"}', request_text='{"text":"t"}')
    for judgement in (answer(1), strange, vector):
        journal.add(judgement)
    first, second, third = held(tmp_path)
    assert first == answer(1)
    assert isinstance(second, Judgement)
    assert second.content == strange.content
    assert second.metric == 'a "quoted" name'
    assert isinstance(third, Judgement)
    assert third.request == {"text": "t"}
    journal.close()


def test_scores_are_not_taken_and_what_is_taken_back_is_said(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.add(score(1))
    assert not files(tmp_path)
    journal.add(answer(2))
    journal.forget(answer(2).key)
    assert held(tmp_path) == [answer(2), answer(2).key]
    journal.close()


def test_what_is_in_the_store_is_in_it_no_more_and_an_empty_file_goes(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.add(answer(1))
    mark = journal.mark()
    journal.add(answer(2))
    journal.written(mark)
    assert held(tmp_path) == [answer(2)]
    journal.written(journal.mark())
    assert held(tmp_path) == []
    journal.close()
    assert not files(tmp_path)
    begun(tmp_path).close()
    assert not files(tmp_path)


def test_what_was_not_written_stays_when_it_is_closed(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.add(answer(1))
    journal.close()
    journal.add(answer(2))
    assert held(tmp_path) == [answer(1)]


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_taking_and_writing(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is compacted, grows, and holds after each step what is not written."""
    monkeypatch.setattr(journal_file, "_SIZE", 4096)
    chance, journal, number = random.Random(seed), begun(tmp_path), 0
    waiting: list[Judgement] = []
    journal.add(answer(0))
    journal.written(journal.mark())
    for _ in range(150):
        mark, before = journal.mark(), len(waiting)
        for _ in range(chance.randrange(6)):
            number += 1
            waiting.append(answer(number, value={"text": "x" * chance.randrange(400)}))
            journal.add(waiting[-1])
        if chance.random() < 0.6:
            del waiting[:before]
            journal.written(mark)
        assert held(tmp_path) == waiting
    journal.close()


def test_a_record_by_half_and_a_flipped_bit_end_it(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.add(answer(1))
    middle = journal.mark()
    journal.add(answer(2))
    end = journal.mark()
    [path] = files(tmp_path)
    data = path.read_bytes()
    for place in range(middle, end):
        assert read_journal(data[:place])[1] == [answer(1)]
    spoilt = bytearray(data)
    spoilt[end - 3] ^= 1
    assert read_journal(bytes(spoilt))[1] == [answer(1)]
    journal.close()


@pytest.mark.parametrize("data", [b"", b"something else", b"ragas unwritten 2\n" + bytes(300)])
def test_what_is_no_journal_of_ours_is_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / f"{NAME}-1-ab.unwritten"
    path.write_bytes(data)
    recover(tmp_path / NAME, lambda run, added, gone: pytest.fail("there is nothing to write"))
    assert path.read_bytes() == data


def test_an_empty_file_of_a_process_that_died_at_once_is_tidied_away(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}-1-ab.unwritten"
    path.write_bytes(b"")
    os.utime(path, (0, 0))
    recover(tmp_path / NAME, lambda run, added, gone: pytest.fail("there is nothing to write"))
    assert not path.exists()


def test_the_journal_of_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.add(answer(1))
    recover(tmp_path / NAME, lambda run, added, gone: pytest.fail("it is not ours"))
    assert held(tmp_path) == [answer(1)]
    journal.close()


def test_a_store_that_takes_nothing_leaves_the_journal_for_the_next_time(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.add(answer(1))
    journal.close()

    def busy(run: str, added: object, gone: object) -> None:
        raise StoreBusyError("busy")

    recover(tmp_path / NAME, busy)
    assert held(tmp_path) == [answer(1)]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from judgements_made import answer, score
from pytest_ragas.judgements.opening import open_judgements
from pytest_ragas.settings.values import Settings
judgements = open_judgements(Settings(cache_dir={folder!r}))
judgements._store.write = lambda *arguments, **named: signal.pause()   # the store is slow
for number in range({count}):
    judgements.keep(answer(number))
judgements.forget([answer(0).key])
print("kept", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("count", [2, 3_000])
def test_who_opens_the_store_next_finds_what_a_killed_process_had_kept(tmp_path: Path, count: int) -> None:
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path), count=count)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(files(tmp_path)) == 1
    judgements = open_judgements(Settings(cache_dir=str(tmp_path)))
    assert judgements is not None
    assert not files(tmp_path)
    assert judgements.find("answer", answer(0).key) is None
    assert all(judgements.find("answer", answer(number).key) == answer(number).content for number in range(1, count))
    judgements.close()


def test_what_a_busy_store_did_not_take_in_time_is_there_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process holds the file until the run has ended."""
    monkeypatch.setattr("pytest_ragas.judgements.writer._PATIENCE", 0.2)
    store, notes = SQLiteStore(tmp_path / NAME), []

    def busy(added: object, gone: object) -> None:
        raise StoreBusyError("Others hold it.")

    writer = Writer(busy, failed=notes.append, journal=lambda: begun(tmp_path))
    writer.add(answer(1))
    writer.finish()
    assert len(notes) == 1
    recover(store.file, lambda run, added, gone: store.write(added, run=run, forget=gone))
    assert [one.key for one in store.everything()] == [answer(1).key]
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
def test_a_fork_has_a_journal_of_its_own(tmp_path: Path) -> None:
    written: list[str] = []
    writer = Writer(
        lambda added, gone: written.extend(one.key for one in added),
        failed=written.append,
        journal=lambda: begun(tmp_path),
    )
    writer.add(answer(1))
    if (child := os.fork()) == 0:
        writer.add(answer(2))
        paths = files(tmp_path)
        own = [path for path in paths if f"-{os.getpid()}-" in path.name]
        items = read_journal(own[0].read_bytes())[1] if own else []
        writer.finish()
        os._exit(0 if items in ([answer(2)], []) and len(own) == 1 and len(files(tmp_path)) <= 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    writer.finish()
    assert written == [answer(1).key]
    assert not files(tmp_path)


def test_without_a_place_for_it_the_store_is_all(tmp_path: Path) -> None:
    """A folder that is gone, a disk that is full: nothing is said, as SQLite will say it."""
    journal = Journal(tmp_path / "gone" / NAME, run="r")
    journal.add(answer(1))
    journal.written(journal.mark())
    journal.close()
