"""Run files: both ways, readable diffs, and a word about every file that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from baselines.comparison_made import metric, model, recorded, row

from pytest_ragas.baselines.run_file import read_run, write_run
from pytest_ragas.baselines.schema import run_schema
from pytest_ragas.errors import BaselineError
from pytest_ragas.values.recorded import RecordedRun, RecordedScore
from pytest_ragas.values.sample import Sample


def run_of(*ids: str) -> RecordedRun:
    rows = [
        replace(
            row(
                id, {"faithfulness": RecordedScore(metric="faithfulness", value=0.5, repeats=(0.4, 0.6), evidence="ab")}
            ),
            content="0" * 12,
            answer="1" * 12,
            sample=Sample(id=id, user_input="Größe?", response="Groß \ud83d", metadata={"a": [1, None]}),
        )
        for id in ids
    ]
    run = recorded(*rows, critics=[model("m", temperature="0")], metrics=[metric("faithfulness")])
    return replace(run, testsets={"rows.json": "f" * 16}, environment={"python": "3.11.7"}, seconds=1.5)


def test_both_ways_with_answers(tmp_path: Path) -> None:
    run = run_of("a", "b")
    write_run(run, tmp_path / "new" / "run.json", answers=True)
    assert read_run(tmp_path / "new" / "run.json") == run


def test_without_answers_the_file_holds_no_text_of_a_row(tmp_path: Path) -> None:
    run = run_of("a", "b")
    write_run(run, tmp_path / "run.json", answers=False)
    assert "Größe" not in (tmp_path / "run.json").read_text("utf-8")
    assert read_run(tmp_path / "run.json") == replace(run, rows=tuple(replace(one, sample=None) for one in run.rows))


def test_a_changed_row_is_one_line_of_a_diff(tmp_path: Path) -> None:
    run = run_of("a", "b", "c")
    write_run(run, tmp_path / "one.json", answers=False)
    changed = replace(run.rows[1], scores=(RecordedScore(metric="faithfulness", value=0.75),))
    write_run(replace(run, rows=(run.rows[2], changed, run.rows[0])), tmp_path / "two.json", answers=False)
    one, two = ((tmp_path / name).read_text("utf-8").splitlines() for name in ("one.json", "two.json"))
    assert [before for before, after in zip(one, two, strict=True) if before != after] == [
        line for line in one if '"id": "b"' in line
    ]


def test_what_is_written_satisfies_the_published_schema(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(run_schema())
    write_run(run_of("a"), tmp_path / "run.json", answers=True)
    jsonschema.validate(json.loads((tmp_path / "run.json").read_text("utf-8")), run_schema())


def test_an_empty_run(tmp_path: Path) -> None:
    write_run(recorded(), tmp_path / "run.json", answers=True)
    assert read_run(tmp_path / "run.json").rows == ()


def change(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.__setitem__(name, value)


def of_row(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["rows"][0].__setitem__(name, value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data.pop("rows"), "the key 'rows' is missing"),
        (change("rows", {}), "rows: found an empty object; it must be a list"),
        (
            change("created", "yesterday"),
            r"created: found the text 'yesterday'; it must be a text like '2026-03-01T12:00:00Z'",
        ),
        (change("rowz", []), "the key 'rowz' is none of a run file"),
        (
            of_row("outcome", "green"),
            r"rows\[0\].outcome: found the text 'green'; it must be one of 'passed', 'failed'",
        ),
        (of_row("id", ""), r"rows\[0\].id: found an empty text; it must be a text that is not empty"),
        (of_row("id", "b"), r"rows\[1\] and rows\[0\] are both the row 'b' of tests/test_rag.py::test_rag"),
        (of_row("content", "xyz"), r"rows\[0\].content: found the text 'xyz'; it must be a text like '3f2a91c04b7e'"),
        (of_row("number", 0), r"rows\[0\].number: found the number 0; it must be a whole number of 1 or more"),
        (
            of_row("scores", {"f": {"value": 3}}),
            r"rows\[0\].scores.f.value: found the number 3; it must be a number from 0 to 1",
        ),
        (
            of_row("scores", {"f": {"value": float("nan")}}),
            r"rows\[0\].scores.f.value: found the number nan, which is not",
        ),
        (of_row("scores", {"f": {}}), r"rows\[0\].scores.f: the key 'value' is missing"),
    ],
)
def test_damage_is_named(tmp_path: Path, spoil: Callable[[dict[str, Any]], None], message: str) -> None:
    path = tmp_path / "run.json"
    write_run(run_of("a", "b"), path, answers=False)
    data = json.loads(path.read_text("utf-8"))
    spoil(data)
    path.write_text(json.dumps(data))
    with pytest.raises(BaselineError, match=rf"run.json is damaged: {message}"):
        read_run(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no valid JSON at line 1"),
        ('{"format": 1, ', "no valid JSON at line 1"),
        ("[]", "is no run file: it has no 'format'"),
        ('{"format": true}', "is no run file: it has no 'format'"),
        ('{"format": 1, "format": 1}', "is damaged: found the key 'format' twice"),
        (f'{{"format": 1, "rows": {"[" * 5000}{"]" * 5000}}}', "nested too deeply"),
        ('{"format": 7}', "was written in format 7, and this version reads formats up to 1. Update pytest-ragas"),
        ('{"format": 7, "environment": {"pytest-ragas": "9.1"}}', r"was written by pytest-ragas 9.1 in format 7"),
    ],
)
def test_what_is_no_run_file_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(BaselineError, match=rf"^baseline .*{message}"):
        read_run(tmp_path / "run.json", shown="baseline")


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text("{}")
    with pytest.raises(BaselineError, match=r"there is no such file .*Did you mean 'baseline.json'"):
        read_run(tmp_path / "baselin.json")
    with pytest.raises(BaselineError, match="it is a directory"):
        read_run(tmp_path)


def test_what_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="cannot be written"):
        write_run(run_of("a"), tmp_path / "file" / "run.json", answers=True)
