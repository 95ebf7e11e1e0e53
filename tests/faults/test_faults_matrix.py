"""Every fault x every native metric x every way to ask: how it ends, and exactly how many requests it takes.

A fault befalls one request of a metric, each kind of request in turn (`STAGES`). What is expected follows from
two tables and nothing else:

    requests = what the metric asks whether or not this request is ever answered (`STAGES`)
             + what a call costs that the fault befalls (`FAULTS`, `REPAIRED`)

A call costs one request for each of the 6 attempts of the retry layer, or 3 where the answer is there but wrong (asked
again twice), or 1 where asking again would not help. A fault that is over after one request adds one request to a sound
run, and changes no score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from faults_world import LATE, MODES, SOON, TIMEOUT, Case, Ended, Mode, World
from openai_server.faults import Fault
from openai_server.server import OpenAIServer

from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.models.openai_memory import forget
from pytest_ragas.values.score import Score, ScoreFailure

SENTENCES = (("method", "sentences"),)
STAGES: dict[tuple[str, tuple[tuple[str, Any], ...]], dict[str, tuple[int, int]]] = {
    # kind of request -> (how many of it a sound run makes, how many requests are made although the first one of
    # this kind is never answered)
    ("faithfulness", ()): {"Statements": (1, 0), "Verdicts": (1, 1)},
    ("answer_relevancy", ()): {"Questions": (1, 0), "embeddings": (1, 1)},
    ("context_precision", ()): {"Usefulness": (3, 2)},
    ("context_precision_without_reference", ()): {"Usefulness": (3, 2)},
    ("context_recall", ()): {"Verdicts": (1, 0)},
    ("context_relevancy", ()): {"Rating": (2, 1)},
    ("context_relevancy", SENTENCES): {"RelevantSentences": (1, 0)},
    ("answer_correctness", ()): {"Statements": (2, 2), "Correctness": (1, 3), "embeddings": (1, 3)},
    # the two directions do not wait for each other
    ("factual_correctness", ()): {"Claims": (2, 2), "Verdicts": (2, 3)},
    ("answer_similarity", ()): {"embeddings": (1, 0)},
    # one for each of three contexts, one for the reference
    ("noise_sensitivity", ()): {"Statements": (2, 1), "Verdicts": (4, 5)},
    ("context_entity_recall", ()): {"Entities": (2, 1)},
    ("response_groundedness", ()): {"Rating": (2, 1)},
}

ATTEMPTS, ANSWERS = 6, 3
PAUSES = 0.5 + 1 + 2 + 4 + 8
"""The longest that five pauses can be, in seconds."""

Expected = tuple[str, int]
"""The kind of the failure and the requests of the call; kind "" for a score."""
SCORED: Expected = ("", 1)


def by_title(**expected: Expected) -> Callable[[str], Expected]:
    """For faults that only some structures have."""
    return lambda title: expected.get(title, SCORED)


FAULTS: dict[str, tuple[dict[str, Any], Callable[[str], Expected], str]] = {
    # name: the fault; what it leads to, by the title of the structure; words of the failure
    **{
        f"status {status}": ({"kind": "status", "status": status}, lambda title: ("critic", ATTEMPTS), str(status))
        for status in (408, 409, 425, 429, 500, 502, 503)
    },
    "status 429, Retry-After": (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
        lambda title: ("critic", ATTEMPTS),
        "lower --ragas-concurrency",
    ),
    "status 429, Retry-After of an hour": (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}},
        lambda title: ("critic", 1),
        "it asks to wait 3600 s",
    ),
    "status 429, no quota": (
        {"kind": "status", "status": 429, "code": "insufficient_quota"},
        lambda title: ("critic", 1),
        "billing page",
    ),
    "status 502 in the body of a 200": (
        {"kind": "embedded_error", "status": 502},
        lambda title: ("critic", ATTEMPTS),
        "502",
    ),
    "dropped connection": ({"kind": "drop"}, lambda title: ("critic", ATTEMPTS), "broke"),
    "time-out": ({"kind": "hang"}, lambda title: ("critic", ATTEMPTS), "no answer within 30 s"),
    "no JSON in the body": (
        {"kind": "body", "status": 200, "body": b"upstream says hello"},
        lambda title: ("critic", ATTEMPTS),
        "no JSON",
    ),
    "a web page": (
        {"kind": "body", "status": 200, "body": b"<html>Log in</html>", "content_type": "text/html"},
        lambda title: ("critic", 1),
        "Is api_base right",
    ),
    "status 400": ({"kind": "status", "status": 400, "message": "bad"}, lambda title: ("critic", 1), "400"),
    "status 401": ({"kind": "status", "status": 401}, lambda title: ("critic", 1), "api_key"),
    "status 403": ({"kind": "status", "status": 403}, lambda title: ("critic", 1), "allowed to use the model"),
    "status 404": ({"kind": "status", "status": 404}, lambda title: ("critic", 1), "Is api_base right"),
    "context too long": (
        {"kind": "status", "status": 400, "code": "context_length_exceeded"},
        lambda title: ("critic", 1),
        "retrieve fewer or shorter contexts",
    ),
    "refusal": ({"kind": "refusal"}, lambda title: ("critic", 1), "refused to answer"),
    "content filter": ({"kind": "content_filter"}, lambda title: ("critic", 1), "content filter"),
    **{
        kind: ({"kind": kind}, lambda title: ("structure", ANSWERS), "never answered in the structure")
        for kind in (
            "truncated",
            "length",
            "not_json",
            "other_language",
            "empty",
            "null",
            "null_json",
            "wrong_schema",
        )
    },
    # what the schema cannot say no to is a legitimate answer: nothing was found, or less
    "empty_lists": (
        {"kind": "empty_lists"},
        by_title(
            Statements=("sample", 1),
            Claims=("sample", 1),
            Entities=("sample", 1),
            Verdicts=("structure", ANSWERS),
            Correctness=("structure", ANSWERS),
            Questions=("structure", ANSWERS),
        ),
        "",
    ),
    "one_short": (
        {"kind": "one_short"},
        by_title(Verdicts=("structure", ANSWERS), Correctness=("structure", ANSWERS), Questions=("structure", ANSWERS)),
        "",
    ),
    "out_of_range": (
        {"kind": "out_of_range"},
        by_title(
            **{
                title: ("structure", ANSWERS)
                for title in ("Verdicts", "Correctness", "Questions", "Usefulness", "Rating")
            }
        ),
        "",
    ),
    # a list of the right length that names a piece twice and another one not at all: no schema can say that
    "numbered_twice": (
        {"kind": "numbered_twice"},
        by_title(Verdicts=("structure", 1), Correctness=("structure", 1)),
        "numbered",
    ),
}
REPAIRED = ("fenced", "prose", "trailing_comma", "single_quotes", "thinking")
"""The meaning is certain: one request, and the score of a sound run."""
CHANGES_THE_SCORE = ("empty_lists", "one_short")


def cases(*, embeddings: bool) -> list[Case]:
    """Every metric, in every mode, with every kind of its requests; what embeds, in one mode."""
    return [
        Case(metric=metric, mode=mode, struck=struck, options=options)
        for (metric, options), stages in STAGES.items()
        for struck in stages
        for mode in (MODES[:1] if embeddings else MODES)
        if (struck == "embeddings") is embeddings
    ]


def total(case: Case) -> int:
    """Requests of a sound run."""
    return sum(count for count, _ in STAGES[case.metric, case.options].values())


def beside(case: Case) -> int:
    """Requests that are made though the struck one is never answered."""
    return STAGES[case.metric, case.options][case.struck][1]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    forget()
    with OpenAIServer() as server:
        yield World(server)
    forget()


@pytest.fixture(scope="module")
def sound(world: World) -> dict[tuple[Any, ...], Score]:
    """The score of every metric where nothing goes wrong; the server is known from then on."""
    scores: dict[tuple[Any, ...], Score] = {}
    for mode in MODES:
        metrics = [Case(metric=metric, mode=mode, options=options) for metric, options in STAGES]
        for ended in world.run(metrics):
            assert isinstance(ended.result, Score), ended
            assert ended.requests == ended.metered == total(ended.case), ended
            scores[ended.case.metric, ended.case.options, mode] = ended.result
    return scores


def score_of(sound: dict[tuple[Any, ...], Score], case: Case) -> Score:
    return sound[case.metric, case.options, case.mode]


def failed(ended: Ended, kind: str, requests: int, words: str) -> list[str]:
    """What is not as it should be for a case that ends without a score."""
    result, wrong = ended.result, []
    if not isinstance(result, ScoreFailure):
        return [f"{ended.case.id}: scored {result.value}, not a failure"]
    if result.kind != kind:
        wrong.append(f"is of kind {result.kind}: {result.error}")
    if ended.requests != requests or (ended.metered != requests and kind != "embeddings"):
        wrong.append(f"{ended.requests} requests, {ended.metered} metered, not {requests}")
    if not result.error.startswith(f"{ended.case.metric} of row 'row-1' (testset.json row 1): "):
        wrong.append(f"does not name its request: {result.error}")
    if words not in result.error or len(result.error) > 900:
        wrong.append(f"says: {result.error}")
    return [f"{ended.case.id}: {text}" for text in wrong]


def scored(ended: Ended, score: Score | None, requests: int) -> list[str]:
    """What is not as it should be for a case that ends with this score (None: with any)."""
    result, wrong = ended.result, []
    if not isinstance(result, Score):
        return [f"{ended.case.id}: {result.kind}: {result.error}"]
    if not (math.isfinite(result.value) and 0 <= result.value <= 1):
        wrong.append(f"{result.value} is no score")
    if score is not None and result != score:
        wrong.append(f"{result.value}, not {score.value} as in a sound run, or other evidence")
    if ended.requests != requests or ended.metered != requests:
        wrong.append(f"{ended.requests} requests, {ended.metered} metered, not {requests}")
    return [f"{ended.case.id}: {text}" for text in wrong]


def longest(requests: int, fault: Fault) -> float:
    """Seconds that a case may take: its requests one after the other, its pauses, what the server asks to wait."""
    answer = TIMEOUT if fault.kind == "hang" else 0.0
    asked_to_wait = float(fault.headers.get("Retry-After", 0.0))
    return requests * (answer + LATE + SOON) + PAUSES + (ATTEMPTS - 1) * (asked_to_wait if asked_to_wait < 120 else 0)


def test_the_table_names_every_native_metric() -> None:
    assert {metric for metric, _ in STAGES} == {spec.name for spec in SPECS}


def test_a_sound_run_makes_the_requests_of_the_table(sound: dict[tuple[Any, ...], Score]) -> None:
    assert len(sound) == len(STAGES) * len(MODES)
    for metric, options in STAGES:
        assert len({repr(sound[metric, options, mode]) for mode in MODES}) == 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays(name: str, world: World, sound: dict[tuple[Any, ...], Score]) -> None:
    details, expected, words = FAULTS[name]
    fault = Fault(**details)
    problems: list[str] = []
    for ended in world.run(cases(embeddings=False), fault):
        kind, cost = expected(ended.case.struck)
        if kind:
            problems += failed(ended, kind, beside(ended.case) + cost, words)
        else:
            exact = name not in CHANGES_THE_SCORE
            problems += scored(ended, score_of(sound, ended.case) if exact else None, total(ended.case))
        if ended.seconds > longest(ended.requests, fault):
            problems.append(f"{ended.case.id}: takes {ended.seconds:.1f} s")
    assert fault.struck
    assert problems == []


@pytest.mark.parametrize("kind", REPAIRED)
def test_an_answer_whose_meaning_is_certain_is_read(
    kind: str, world: World, sound: dict[tuple[Any, ...], Score]
) -> None:
    fault = Fault(kind=kind)
    ended = world.run(cases(embeddings=False), fault)
    assert fault.struck == len(ended)
    assert [text for one in ended for text in scored(one, score_of(sound, one.case), total(one.case))] == []


ONCE = [name for name, (_, expected, _) in FAULTS.items() if expected("Verdicts")[1] > 1]


@pytest.mark.parametrize("name", ONCE)
def test_a_fault_that_passes(name: str, world: World, sound: dict[tuple[Any, ...], Score]) -> None:
    """One request more than a sound run, for the calls that it befalls, and the same score."""
    details, expected, _ = FAULTS[name]
    seen: set[str] = set()

    def first_time(body: dict[str, Any]) -> bool:
        user = str(body["user"])
        return user not in seen and not seen.add(user)  # type: ignore[func-returns-value]

    befallen = [case for case in cases(embeddings=False) if expected(case.struck)[1] > 1]
    ended = world.run(befallen, Fault(**details, when=first_time))
    assert len(seen) == len(ended)
    assert [text for one in ended for text in scored(one, score_of(sound, one.case), total(one.case) + 1)] == []


@pytest.mark.parametrize("mode", MODES)
def test_a_model_is_shown_what_was_wrong_with_its_answer(mode: Mode, world: World) -> None:
    """Asked again: the same request, its own answer, and what is wrong with it."""
    case = Case(metric="context_recall", mode=mode, struck="Verdicts")
    world.run([case], Fault(kind="one_short"))
    first, second, third = (request.body["messages"] for request in world.server.chats)
    assert second[: len(first)] == third[: len(first)] == first
    assert [message["role"] for message in second[len(first) :]] == ["assistant", "user"]
    assert second[-1]["content"].startswith("That answer cannot be used: ")
    assert "at least 2 are wanted" in second[-1]["content"]
    assert len(third) == len(second)
