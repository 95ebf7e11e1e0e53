"""Every fault of an embeddings server x every native metric that embeds: how it ends, in exactly how many requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from faults_world import Case, Ended, World
from openai_server.faults import Fault
from openai_server.server import OpenAIServer

from pytest_ragas.models.openai_memory import forget
from pytest_ragas.values.score import Score, ScoreFailure

BESIDE = {"answer_relevancy": 1, "answer_correctness": 3, "answer_similarity": 0}
"""Requests to the critic, all of them made by the time that the vectors are given up."""
CASES = [Case(metric=metric, mode="json_schema", struck="embeddings") for metric in BESIDE]

ATTEMPTS = 6
FAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    # name: the fault, the requests for vectors, words of the failure
    **{
        f"status {status}": ({"kind": "status", "status": status}, ATTEMPTS, str(status))
        for status in (408, 409, 425, 429, 502, 503)
    },
    # statuses by which servers also refuse packed vectors: the first request is made again for plain ones
    "status 500": ({"kind": "status", "status": 500}, ATTEMPTS + 1, "500"),
    "status 400": ({"kind": "status", "status": 400, "message": "bad"}, 2, "400"),
    "status 404": ({"kind": "status", "status": 404}, 2, "Is api_base right"),
    "status 401": ({"kind": "status", "status": 401}, 1, "api_key"),
    "status 403": ({"kind": "status", "status": 403}, 1, "allowed to use the model"),
    "status 429, Retry-After": (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
        ATTEMPTS,
        "lower --ragas-concurrency",
    ),
    "context too long": ({"kind": "status", "status": 400, "code": "context_length_exceeded"}, 1, "retrieve fewer"),
    "dropped connection": ({"kind": "drop"}, ATTEMPTS, "broke"),
    "time-out": ({"kind": "hang"}, ATTEMPTS, "no answer within 30 s"),
    "no JSON in the body": ({"kind": "body", "status": 200, "body": b"hello"}, ATTEMPTS, "no JSON"),
    "a web page": ({"kind": "body", "status": 200, "body": b"<html>", "content_type": "text/html"}, 1, "api_base"),
    "no vectors": ({"kind": "body", "status": 200, "body": b'{"data": []}'}, 1, "gave 0 vectors"),
    "null": ({"kind": "body", "status": 200, "body": b'{"data": null}'}, 1, "gave no vectors"),
}
VECTORS: dict[str, tuple[Callable[[str], Sequence[float]], str]] = {
    "empty": (lambda text: [], "no vector"),
    "zeros": (lambda text: [0.0, 0.0], "no direction"),
    "NaN": (lambda text: [1.0, float("nan")], "not finite"),
    "infinite": (lambda text: [1.0, float("inf")], "not finite"),
    "of different lengths": (lambda text: [1.0] * len(text), "different lengths"),
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    forget()
    with OpenAIServer() as server:
        yield World(server)
    forget()


@pytest.fixture(scope="module")
def sound(world: World) -> dict[str, Score]:
    out: dict[str, Score] = {}
    for ended in world.run(CASES):
        assert isinstance(ended.result, Score), ended
        assert ended.requests == BESIDE[ended.case.metric] + 1
        out[ended.case.metric] = ended.result
    return out


def check_failure(ended: Ended, requests: int, words: str) -> None:
    assert isinstance(ended.result, ScoreFailure), ended
    assert ended.result.kind == "embeddings", ended
    assert ended.requests == BESIDE[ended.case.metric] + requests, ended
    assert words in ended.result.error
    assert ended.result.error.startswith(f"{ended.case.metric} of row 'row-1' (testset.json row 1): ")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays(name: str, world: World, sound: dict[str, Score]) -> None:
    details, requests, words = FAULTS[name]
    for ended in world.run(CASES, Fault(**details)):
        check_failure(ended, requests, words)


@pytest.mark.parametrize("name", [name for name, (_, requests, _) in FAULTS.items() if requests >= ATTEMPTS])
def test_a_fault_that_passes(name: str, world: World, sound: dict[str, Score]) -> None:
    seen: set[str] = set()

    def first_time(body: dict[str, Any]) -> bool:
        user = str(body["user"])
        return user not in seen and not seen.add(user)  # type: ignore[func-returns-value]

    for ended in world.run(CASES, Fault(**FAULTS[name][0], when=first_time)):
        assert ended.result == sound[ended.case.metric]
        assert ended.requests == BESIDE[ended.case.metric] + 2
    assert len(seen) == len(CASES)


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_that_are_none(name: str, world: World, sound: dict[str, Score]) -> None:
    """Asking again would bring the same: one request, and never a cosine of NaN."""
    usual = world.server.embed
    world.server.embed, words = VECTORS[name]
    try:
        for ended in world.run(CASES):
            check_failure(ended, 1, words)
    finally:
        world.server.embed = usual
