"""A run by its slices: tables, and the slice that most failures lie in."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from reports_run import half_width, result

from pytest_ragas.reports.slices import most_failures, slices_by_kind
from pytest_ragas.reports.terminal import summary_lines
from pytest_ragas.reports.width import width_of
from pytest_ragas.values.run import Run, SampleResult

BOUND = {"faithfulness": 0.5}


def row(number: int, value: float, **metadata: Any) -> SampleResult:
    tags = metadata.pop("tags", ())
    made = result(f"q{number}", {"faithfulness": value}, thresholds=BOUND, tags=tags)
    return replace(made, sample=replace(made.sample, metadata=metadata))


def reasoning_fails(good: int = 20, bad: int = 8) -> list[SampleResult]:
    rows = [row(n, 0.1 if n == 0 else 0.9, question_type="simple", tags=("simple",)) for n in range(good)]
    reasoning = {"question_type": "reasoning", "tags": ("reasoning", "billing")}
    return rows + [row(good + n, 0.1 if n < 5 else 0.9, **reasoning) for n in range(bad)]


def text_of(rows: list[SampleResult], **options: Any) -> list[str]:
    asked = {"width": 80, "level": "short", **options}
    return [line.text for line in summary_lines(Run(results=tuple(rows)), (), interval=half_width, **asked)]


def test_slices_are_found_by_kind_and_tags_do_not_repeat_types() -> None:
    found = slices_by_kind(reasoning_fails())
    assert {kind: [(one.value, len(one.results), one.failed) for one in slices] for kind, slices in found.items()} == {
        "tag": [("billing", 8, 5)],
        "question_type": [("simple", 20, 1), ("reasoning", 8, 5)],
    }


def test_the_slice_that_holds_most_failures_is_named() -> None:
    line = "tag=billing holds 5 of 6 failures: 5 of its 8 results failed, 1 of the 20 others"
    assert most_failures(reasoning_fails()) == line
    assert line in text_of(reasoning_fails())
    only_types = [replace(one, sample=replace(one.sample, tags=())) for one in reasoning_fails()]
    assert most_failures(only_types).startswith("question_type=reasoning holds 5 of 6 failures")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(n, 0.9, question_type="simple") for n in range(9)],
        # two failures say nothing
        [row(n, 0.1 if n < 2 else 0.9, question_type="simple" if n < 2 else "other") for n in range(30)],
        # every slice fails alike
        [row(n, 0.1 if n % 3 == 0 else 0.9, question_type="simple" if n % 2 else "other") for n in range(60)],
        # all of the run is one slice
        [row(n, 0.1, question_type="simple") for n in range(20)],
        # most of the run is
        [row(n, 0.1 if n % 5 == 0 else 0.9, question_type="simple" if n % 10 else "other") for n in range(40)],
    ],
)
def test_no_slice_is_named_for_nothing(rows: list[SampleResult]) -> None:
    assert most_failures(rows) == ""


def test_failures_that_fall_where_they_like_name_a_slice_seldom() -> None:
    rng = random.Random(1)
    named = 0
    for _ in range(300):
        rows = [
            row(n, 0.1 if rng.random() < 0.2 else 0.9, source=rng.choice("abcd"), question_type=rng.choice(["s", "r"]))
            for n in range(40)
        ]
        named += bool(most_failures(rows))
    assert named <= 15


def test_verbose_runs_get_a_line_for_each_slice() -> None:
    lines = text_of(reasoning_fails(), verbosity=1)
    place = lines.index("by question_type   n  failed  faithfulness")
    assert lines[place + 1 : place + 3] == [
        "reasoning          8       5          0.40",
        "simple            20       1          0.86",
    ]
    assert not any(line.startswith("by source") for line in lines)
    assert not any(line.startswith("by ") for line in text_of(reasoning_fails()))


def test_a_slice_that_is_the_whole_run_says_nothing_new() -> None:
    rows = [row(n, 0.9, question_type="simple") for n in range(4)]
    assert not any(line.startswith("by ") for line in text_of(rows, verbosity=1))


def test_full_summaries_have_a_table_for_each_slice() -> None:
    rows = [row(n, 0.9, question_type="simple", sources=[{"path": f"docs/{n % 2}.md"}]) for n in range(4)]
    heads = [line.split("  ")[0] for line in text_of(rows, level="full")]
    assert [head for head in heads if head.startswith(("tag ", "question_type ", "source "))] == [
        "question_type simple",
        "source docs/0.md",
        "source docs/1.md",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_many_slices_stay_one_screen(width: int) -> None:
    rows = [
        row(n, n % 10 / 10, source=f"documents/with/a/long/path/{n % 300}.md", question_type="simple" if n % 3 else "r")
        for n in range(3000)
    ]
    lines = text_of(rows, verbosity=1, width=width)
    assert max(map(width_of, lines)) <= width
    assert "  .. and 292 more" in lines
    assert len(lines) <= 45
