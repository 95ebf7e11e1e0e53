"""Runs of CI shards become one run, or are refused with the mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from baselines.comparison_made import metric, model, recorded, row

from pytest_ragas.baselines.merge import merge
from pytest_ragas.baselines.run_file import read_run, write_run
from pytest_ragas.errors import BaselineError
from pytest_ragas.values.model import Usage
from pytest_ragas.values.recorded import Commit, RecordedRun
from pytest_ragas.values.run import ModelUse

FAITHFULNESS = metric("faithfulness")
CRITIC = model("m")


def shard(*rows: tuple[str, float], **fields: object) -> RecordedRun:
    run = recorded(
        *(row(id, {"faithfulness": value}) for id, value in rows), critics=[CRITIC], metrics=[FAITHFULNESS], name="ci"
    )
    return replace(run, **fields)  # type: ignore[arg-type]


def used(name: str, calls: int = 0) -> ModelUse:
    return ModelUse(role="critic LLM", identity=model(name), usage=Usage(calls=calls))


def test_shards_become_one_run() -> None:
    one = shard(
        ("b", 0.5), seconds=3.0, models=(used("m", 2),), testsets={"a.json": "1"}, environment={"python": "3.10"}
    )
    two = shard(
        ("a", 1.0), seconds=5.0, models=(used("m", 3),), testsets={"b.json": "2"}, environment={"python": "3.11"},
        created="2026-03-01T13:00:00Z",
    )  # fmt: skip
    merged = merge([("one", one), ("two", two)])
    assert [one.key.sample_id for one in merged.run.rows] == ["a", "b"]
    assert merged.notes == ()
    run = merged.run
    assert (run.name, run.created, run.seconds, run.complete) == ("ci", "2026-03-01T13:00:00Z", 5.0, True)
    assert run.models == (used("m", 5),)
    assert run.metrics == (FAITHFULNESS,)
    assert run.testsets == {"a.json": "1", "b.json": "2"}
    assert run.environment == {"python": "3.10, 3.11"}
    assert run.commit == one.commit
    assert merge([("one", one)], name="whole").run.name == "whole"


def test_what_is_merged_can_be_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    digests = {"content": "0" * 12, "answer": "1" * 12}
    runs = [shard((id, 0.5)) for id in "ab"]
    runs = [replace(run, rows=tuple(replace(one, **digests) for one in run.rows)) for run in runs]
    merged = merge([(run.name, run) for run in runs]).run
    write_run(merged, path, answers=True)
    assert read_run(path) == merged


def test_a_part_that_was_stopped_makes_the_whole_incomplete() -> None:
    assert not merge([("one", shard(("a", 1.0))), ("two", shard(("b", 1.0), complete=False))]).run.complete


def test_a_part_that_was_dirty_makes_the_whole_dirty() -> None:
    dirty = replace(shard(("b", 1.0)).commit, dirty=True)
    assert merge([("one", shard(("a", 1.0))), ("two", shard(("b", 1.0), commit=dirty))]).run.commit == dirty


def test_of_a_row_that_was_judged_twice_the_latest_score_counts() -> None:
    early = shard(("a", 0.5), ("b", 1.0))
    late = shard(("a", 0.75), ("b", 1.0), created="2026-03-01T13:00:00Z")
    for order in ([("early", early), ("late", late)], [("late", late), ("early", early)]):
        merged = merge(order)
        assert [one.scores[0].value for one in merged.run.rows] == [0.75, 1.0]
        assert merged.notes == (
            "2 rows are in several of the runs, 1 of them with other scores: the latest score counts",
        )


def test_the_same_file_twice_is_the_same_run() -> None:
    run = shard(("a", 0.5))
    assert merge([("one", run), ("one", run)]).run.rows == run.rows


def test_a_failure_does_not_replace_a_score() -> None:
    failed = recorded(row("a", {}, failures={"faithfulness": "no answer"}), critics=[CRITIC], metrics=[FAITHFULNESS])
    late = replace(failed, created="2026-03-01T13:00:00Z")
    scored = shard(("a", 0.5))
    for runs in ([("one", scored), ("two", late)], [("one", failed), ("two", scored)]):
        assert merge(runs).run.rows == scored.rows


def test_the_same_row_with_different_answers_is_refused() -> None:
    one, two = shard(("a", 0.5)), shard(("a", 0.5))
    answered = replace(two, rows=(replace(two.rows[0], answer="other"),))
    message = r"(?s)same rows.*test_rag\[a\]: different answers in one.json and two.json\nLeave the older file out"
    with pytest.raises(BaselineError, match=message):
        merge([("one.json", one), ("two.json", answered)], anyway=True)
    edited = replace(two, rows=(replace(two.rows[0], content="other"),))
    with pytest.raises(BaselineError, match="different questions or references in"):
        merge([("one.json", one), ("two.json", edited)])


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"commit": Commit(id="ffff91c04b7e5d6a")}, "their commits are 3f2a91c04b7e and ffff91c04b7e"),
        ({"models": (used("other"),)}, r"the critic LLM differs \(m and other\)"),
        (
            {"models": (ModelUse(role="critic LLM", identity=model("m", temperature="1")),)},
            r"the critic LLM differs \(m, with other parameters\)",
        ),
        (
            {"metrics": (metric("faithfulness", version="2"),)},
            r"faithfulness was computed in another way \(version 1 and 2\)",
        ),
        ({"metrics": (metric("faithfulness", backend="ragas"),)}, r".*\(backend native and ragas\)"),
        ({"metrics": (metric("faithfulness", options="ab"),)}, r".*\(with other options\)"),
    ],
)
def test_parts_of_different_runs_are_refused(other: dict[str, object], reason: str) -> None:
    runs = [("one.json", shard(("a", 0.5))), ("two.json", shard(("b", 0.5), **other))]
    with pytest.raises(BaselineError, match=rf"^one.json and two.json are not parts of one run: {reason}.*--anyway"):
        merge(runs)
    merged = merge(runs, anyway=True).run
    assert len(merged.rows) == 2


def test_runs_of_different_commits_that_are_merged_anyway_have_none() -> None:
    runs = [("one", shard(("a", 0.5))), ("two", shard(("b", 0.5), commit=Commit(id="f" * 40)))]
    assert merge(runs, anyway=True).run.commit == Commit()


def test_a_testset_that_was_edited_between_the_shards_is_refused() -> None:
    runs = [("one", shard(("a", 0.5), testsets={"t.json": "1"})), ("two", shard(("b", 0.5), testsets={"t.json": "2"}))]
    with pytest.raises(BaselineError, match=r"the testset t\.json differs"):
        merge(runs)


def test_a_part_may_use_fewer_models() -> None:
    embeddings = ModelUse(role="embeddings", identity=model("e"))
    both = shard(("a", 0.5), models=(used("m"), used("n"), embeddings))
    few = shard(("b", 0.5), models=(used("n"),))
    none = shard(("c", 0.5), models=(), metrics=())
    assert len(merge([("both", both), ("few", few), ("none", none)]).run.models) == 3


def test_the_same_model_behind_another_address_is_the_same() -> None:
    there = ModelUse(role="critic LLM", identity=model("m", endpoint="http://other/v1"))
    assert len(merge([("one", shard(("a", 0.5))), ("two", shard(("b", 0.5), models=(there,)))]).run.models) == 2
