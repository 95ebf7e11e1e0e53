"""Three of ten requests fail, in every way there is: each row ends scored or as a named error, none lost or doubled."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from faults_dice import Dice, course
from faults_world import Results, World
from openai_server.server import OpenAIServer

from pytest_ragas.values.sample import Sample

ROWS = 500
METRICS = ("faithfulness", "answer_relevancy")


def rows(count: int) -> list[Sample]:
    return [
        Sample(
            id=f"row-{number}",
            source=f"testset.json row {number}",
            user_input=f"What does part {number} weigh?",
            response=f"Part {number} weighs {number} tonnes. It is blue.",
            retrieved_contexts=[
                f"Part {number} weighs {number} tonnes.",
                "It is blue." if number % 2 else "It is red.",
            ],
        )
        for number in range(count)
    ]


def check(results: Results, dice: Dice) -> Counter[str]:
    """Every row and metric ends in one way, and it is the way that its requests went."""
    ends: Counter[str] = Counter()
    courses: dict[tuple[str, str], str] = {}
    for (kind, content), lots in dice.lots.items():
        courses[kind, content] = course(lots)
        assert courses[kind, content], f"given up too early: {lots}"
    calls = {
        (number, kind): end
        for (kind, content), end in courses.items()
        for number in (int(re.findall(r"[Pp]art (\d+) ", content)[0]),)
    }
    assert len(calls) == len(courses)
    for number, (scores, failures) in enumerate(results):
        assert sorted(end.metric for end in (*scores, *failures)) == sorted(METRICS)
        for score in scores:
            ends["scored"] += 1
            kinds = ("Statements", "Verdicts") if score.metric == "faithfulness" else ("Questions", "embeddings")
            assert [calls[number, kind] for kind in kinds] == ["answered", "answered"]
            if score.metric == "faithfulness":
                assert score.value == (1.0 if number % 2 else 0.5)
            else:
                assert 0.3 < score.value < 0.6  # 4 of the 10 words, give or take a collision of the vectors
        for failure in failures:
            ends[failure.kind] += 1
            kinds = ("Statements", "Verdicts") if failure.metric == "faithfulness" else ("Questions", "embeddings")
            went = [calls[number, kind] for kind in kinds if (number, kind) in calls]
            wanted = {"embeddings": "critic"}.get(failure.kind, failure.kind)
            assert went in ([wanted], ["answered", wanted])
            assert failure.error.startswith(f"{failure.metric} of row 'row-{number}' (testset.json row {number}): ")
    return ends


@pytest.mark.parametrize("seed", range(2))
def test_500_rows(seed: int, openai_server: OpenAIServer) -> None:
    dice = Dice(seed)
    results = World(openai_server).score(rows(ROWS), METRICS, dice.faults())
    assert len(results) == ROWS
    ends = check(results, dice)
    assert sum(ends.values()) == ROWS * len(METRICS)
    # a final fault is one request in 33, and every metric makes two calls; the rest nearly always gets through
    assert ends["scored"] > 0.85 * ROWS * len(METRICS)
    assert ends["critic"] > 0
    assert ends["structure"] > 0
    assert sum(dice.seen.values()) == len(openai_server.requests)
