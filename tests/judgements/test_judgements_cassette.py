"""Cassettes: recorded, committed, merged with cat, replayed from."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import pytest
from judgements_made import Judged, answer, made, samples, score, settings
from openai_server.server import OpenAIServer

from pytest_ragas.errors import JudgementStoreError
from pytest_ragas.judgements.cassette import Cassette
from pytest_ragas.judgements.lines import line_of, sorted_text

SPAWN = multiprocessing.get_context("spawn")
METRICS = ("faithfulness", "answer_relevancy")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "judgements.jsonl"


def test_recording_and_replaying(tmp_path: Path, file: Path) -> None:
    with OpenAIServer() as server:
        first = Judged(settings(server, tmp_path, cassette=str(file)), samples(3), METRICS)
        url = server.url
    assert not first.notes
    lines = file.read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == sorted(
        (json.loads(line)["kind"] for line in lines), key=["score", "answer", "vector"].index
    )
    elsewhere = tmp_path / "elsewhere"
    replayed = Judged(settings(url, elsewhere, cassette=str(file), cache="replay"), samples(3), METRICS)
    assert replayed.scores == first.scores
    assert not elsewhere.exists()


def test_what_is_recorded_does_not_depend_on_what_was_stored_before(
    openai_server: OpenAIServer, tmp_path: Path, file: Path
) -> None:
    """A file that is deleted and recorded anew from the store costs nothing, and is the same."""
    given = settings(openai_server, tmp_path, cassette=str(file))
    Judged(given, samples(4), METRICS)
    cold = file.read_text()
    file.unlink()
    openai_server.reset()
    Judged(given, samples(4), METRICS)
    assert not openai_server.requests
    assert labels_removed(file.read_text()) == labels_removed(cold)


def labels_removed(text: str) -> list[str]:
    """Sorted lines without the metric that asked first, which is a matter of chance."""
    return sorted(re.sub(r'"metric":"\w+","sample"', '"sample"', line) for line in text.splitlines())


def test_it_is_read_before_the_store_and_fills_nothing_but_itself(
    openai_server: OpenAIServer, tmp_path: Path, file: Path
) -> None:
    Judged(settings(openai_server, tmp_path / "a", cassette=str(file)), samples(2))
    openai_server.reset()
    Judged(settings(openai_server, tmp_path / "b", cassette=str(file)), samples(2))
    assert not openai_server.requests


def test_an_unchanged_run_does_not_touch_the_file(openai_server: OpenAIServer, tmp_path: Path, file: Path) -> None:
    given = settings(openai_server, tmp_path, cassette=str(file))
    Judged(given, samples(2))
    os.utime(file, (1, 1))
    Judged(given, samples(2))
    Judged(given, samples(1))  # a part of the suite takes nothing away
    assert file.stat().st_mtime == 1


def test_what_is_new_is_added_and_the_rest_stays_as_it_was(
    openai_server: OpenAIServer, tmp_path: Path, file: Path
) -> None:
    given = settings(openai_server, tmp_path, cassette=str(file))
    Judged(given, samples(3))
    before = file.read_text().splitlines()
    Judged(given, [dataclasses.replace(samples(3)[1], response="Something else.")])
    after = file.read_text().splitlines()
    assert set(before) < set(after)
    assert len(after) == len(before) + 3
    assert [line for line in after if line in before] == before  # in the same order: a diff shows three new lines


def test_refresh_replaces_what_it_asked_for(openai_server: OpenAIServer, tmp_path: Path, file: Path) -> None:
    Judged(settings(openai_server, tmp_path, cassette=str(file)), samples(2))
    before = file.read_text()
    brain = openai_server.brain
    openai_server.brain = lambda request: (
        {"verdicts": [{**one, "reason": "Anew."} for one in brain(request)["verdicts"]]}  # type: ignore[index, call-overload]
        if request["title"] == "Verdicts"
        else brain(request)
    )
    Judged(settings(openai_server, tmp_path, cassette=str(file), cache="refresh"), samples(1))
    after = file.read_text()
    assert len(after.splitlines()) == len(before.splitlines())
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(changed) == 2  # the verdicts and the score of one row
    assert all("Anew." in line for line in changed)


def test_files_of_two_shards_are_merged_with_cat(tmp_path: Path, file: Path) -> None:
    with OpenAIServer() as server:
        url = server.url
        for shard, rows in (("a", samples(4)[:3]), ("b", samples(4)[2:])):
            Judged(settings(server, tmp_path / shard, cassette=str(tmp_path / f"{shard}.jsonl")), rows)
    file.write_bytes((tmp_path / "a.jsonl").read_bytes() + (tmp_path / "b.jsonl").read_bytes())
    replayed = Judged(settings(url, tmp_path, cassette=str(file), cache="replay"), samples(4))
    assert len(replayed.scores) == 4


def test_the_last_line_of_a_key_counts(file: Path) -> None:
    file.write_text(line_of(answer(1, value={"a": 1})) + "\n" + line_of(answer(1, value={"a": 2})) + "\n")
    assert Cassette(file).find("answer", answer(1).key)["value"] == {"a": 2}
    assert Cassette(file).find("score", answer(1).key) is None
    assert len(Cassette(file)) == 1


def test_adding_sorts_and_takes_duplicates_out(file: Path) -> None:
    file.write_text("".join(f"{line_of(answer(number))}\n" for number in (5, 3, 5)))
    assert Cassette(file).add([score(9), answer(3)]) == 1
    assert file.read_text() == sorted_text([answer(3), answer(5), score(9)])


def test_who_asked_first_is_no_change(file: Path) -> None:
    Cassette(file).add([answer(1, metric="a", sample="q1")])
    before = file.read_text()
    assert Cassette(file).add([answer(1, metric="b", sample="q2")]) == 0
    assert file.read_text() == before


def test_the_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path, file: Path) -> None:
    real = tmp_path / "real.jsonl"
    real.write_text("")
    real.chmod(0o640)
    file.symlink_to(real)
    Cassette(file).add([answer(1)])
    assert file.is_symlink()
    assert real.read_text() == sorted_text([answer(1)])
    assert real.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".part")] == []


def add_some(path: Path, worker: int) -> None:
    for number in range(10):
        Cassette(path).add([answer(worker * 100 + number)])


def test_processes_that_write_at_once_lose_nothing(file: Path) -> None:
    processes = [SPAWN.Process(target=add_some, args=(file, worker)) for worker in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    assert file.read_text() == sorted_text(
        [answer(worker * 100 + number) for worker in range(4) for number in range(10)]
    )


# ---- files that cannot be used ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD\n", r"c\.jsonl cannot be read: line 2: a merge was not resolved"),
        ('{"format":2,"key":"' + "a" * 32 + '"}\n', r"line 2: it is of format 2, .* Upgrade pytest-ragas"),
        ("{}\n", "line 2: found .*, which is no judgement"),
    ],
)
@pytest.mark.parametrize("mode", ["read-write", "replay"])
def test_a_file_that_cannot_be_read_is_an_error_and_left_alone(
    tmp_path: Path, text: str, message: str, mode: Any
) -> None:
    """In every mode: recording to it would overwrite what is there."""
    file = tmp_path / "c.jsonl"
    file.write_text(line_of(answer(1)) + "\n" + text)
    before = file.read_bytes()
    with pytest.raises(JudgementStoreError, match=message):
        Judged(settings("http://127.0.0.1:9/v1", tmp_path, cassette=str(file), cache=mode), samples(1))
    assert file.read_bytes() == before


def test_a_line_that_is_damaged_behind_its_key_is_an_error_when_it_is_needed(
    openai_server: OpenAIServer, tmp_path: Path, file: Path
) -> None:
    given = settings(openai_server, tmp_path, cassette=str(file))
    Judged(given, samples(1))
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0][:80], *lines[1:]]))
    with pytest.raises(JudgementStoreError, match=r"line 1: found .*, which is no JSON"):
        Judged(dataclasses.replace(given, cache="replay"), samples(1))


@pytest.mark.parametrize(("exists", "state"), [(True, "empty"), (False, "missing")])
def test_there_must_be_something_to_replay(tmp_path: Path, file: Path, exists: bool, state: str) -> None:
    if exists:
        file.touch()
    given = settings("http://127.0.0.1:9/v1", tmp_path, cassette=str(file), cache="replay")
    with pytest.raises(JudgementStoreError, match=f"is {state}, .*--ragas-cache=read-write --ragas-cassette="):
        Judged(given, samples(1))


def test_a_cassette_that_cannot_be_written_costs_one_warning(openai_server: OpenAIServer, tmp_path: Path) -> None:
    file = tmp_path / ("c" * 245)  # may exist, but not with another name in front of it
    judged = Judged(settings(openai_server, tmp_path, cassette=str(file)), samples(1))
    assert len(judged.scores) == 1
    (note,) = judged.notes
    assert f"{file} cannot be written (File name too long). What it has stays as it was." in note
    assert not file.exists()


def test_the_mend_of_a_missing_judgement_names_the_cassette(tmp_path: Path, file: Path) -> None:
    Cassette(file).add([made("vector", 1)])
    given = settings("http://127.0.0.1:9/v1", tmp_path, cassette=str(file), cache="replay")
    (failure,) = Judged(given, samples(1)).failures
    assert f"Record it: run once with --ragas-cache=read-write --ragas-cassette={file}." in failure.error
