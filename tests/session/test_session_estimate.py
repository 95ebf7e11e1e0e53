"""What a run would ask, against what it then asks: a real server counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.models.dry import ENTRY, DryLLM, least
from pytest_ragas.protocols import MetricSpec
from pytest_ragas.session.estimate import estimate
from pytest_ragas.session.judging import judge
from pytest_ragas.session.session import Session
from pytest_ragas.settings.values import ModelSettings, Price, Settings
from pytest_ragas.values.estimate import Estimate, Planned
from pytest_ragas.values.model import Message, ModelIdentity
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample

SAMPLE = Sample(
    id="nile",
    user_input="How long is the Nile?",
    response="The Nile is 6650 km long. It flows through Egypt. It is green.",
    retrieved_contexts=[
        "Cats sleep.",
        "The Nile is 6650 km long and flows north.",
        "Egypt, the Nile, flows through it.",
    ],
    reference="The Nile is 6650 km long. It flows north. It is blue in Sudan.",
)

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((spec.name, {}) for spec in SPECS),
    ("context_relevancy", {"method": "sentences"}),
    ("answer_correctness", {"weights": [1, 0]}),
    ("factual_correctness", {"mode": "precision"}),
    ("noise_sensitivity", {"mode": "irrelevant"}),
    ("answer_relevancy", {"strictness": 5}),
]


@pytest.fixture
def settings(openai_server: OpenAIServer, tmp_path: Path) -> Settings:
    return Settings(
        critic_llm=ModelSettings(model_name="judge", api_base=openai_server.url, structure="json_schema"),
        embeddings=ModelSettings(model_name="emb", api_base=openai_server.url),
        cache_dir=str(tmp_path / "cache"),
    )


def planned(*metrics: str, sample: Sample = SAMPLE, **changes: Any) -> Planned:
    return Planned(sample=sample, basis="recorded", metrics=metrics, **changes)


def calls(found: Estimate) -> tuple[int, int]:
    """Of the critic LLM and of the embeddings."""
    of = {
        role: sum(line.usage.calls for line in found.lines if line.role == role)
        for role in ("critic LLM", "embeddings")
    }
    return of["critic LLM"], of["embeddings"]


def run(settings: Settings, metrics: list[str], samples: list[Sample]) -> list[SampleResult]:
    session = Session(settings, registry())
    try:
        plan = session.evaluator().plan(metrics=metrics, defaults=False)
        futures = [session.submit(lambda sample=sample: judge(sample, plan)) for sample in samples]  # type: ignore[misc]
        return [future.result(60) for future in futures]
    finally:
        session.close()


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=lambda value: str(value))
def test_every_native_metric_asks_as_often_as_is_estimated(
    settings: Settings, openai_server: OpenAIServer, name: str, options: dict[str, Any]
) -> None:
    settings = replace(settings, metric_options={name: options} if options else {})
    found = estimate(settings, registry(), [planned(name)])
    assert not openai_server.requests
    assert not found.problems
    [result] = run(settings, [name], [SAMPLE])
    assert not result.failures
    assert calls(found) == (len(openai_server.chats), len(openai_server.embeddings))


def test_tokens_are_of_the_right_size(settings: Settings, openai_server: OpenAIServer) -> None:
    """The server counts words, of which each is a token and a third; what is estimated is within a factor of three."""
    metrics = ["faithfulness", "context_recall", "answer_correctness"]
    found = estimate(settings, registry(), [planned(*metrics)])
    read = sum(line.usage.prompt_tokens for line in found.lines if line.role == "critic LLM")
    run(settings, metrics, [SAMPLE])
    words = sum(len(message["content"].split()) for chat in openai_server.chats for message in chat.body["messages"])
    assert words < read < 4 * words


def test_what_is_stored_is_looked_up_and_nothing_is_changed(
    settings: Settings, openai_server: OpenAIServer, tmp_path: Path
) -> None:
    run(settings, ["faithfulness"], [SAMPLE])
    store = tmp_path / "cache" / "judgements.sqlite3"
    before, asked = store.read_bytes(), len(openai_server.requests)
    other = replace(SAMPLE, id="other", response="It is green.")
    tests = [planned("faithfulness"), planned("faithfulness", sample=other), planned("noise_sensitivity")]
    found = estimate(settings, registry(), tests)
    assert (found.scores, found.stored) == (3, 1)
    assert [(line.metric, line.usage.calls) for line in found.lines] == [
        ("faithfulness", 2),
        ("noise_sensitivity", 5),  # of six: the statements of the response are stored
    ]
    assert store.read_bytes() == before
    assert len(openai_server.requests) == asked
    for cache in ("refresh", "off"):
        found = estimate(replace(settings, cache=cache), registry(), tests[:1])
        assert calls(found) == (2, 0)
    found = estimate(replace(settings, cache="replay"), registry(), tests)
    assert found.replays
    assert not found.lines


def test_a_cassette_is_looked_into_and_not_written(
    settings: Settings, openai_server: OpenAIServer, tmp_path: Path
) -> None:
    file = tmp_path / "judgements.jsonl"
    recording = replace(settings, cassette=str(file))
    run(recording, ["faithfulness"], [SAMPLE])
    recorded = file.read_bytes()
    elsewhere = replace(recording, cache_dir=str(tmp_path / "empty"))
    found = estimate(elsewhere, registry(), [planned("faithfulness"), planned("context_recall")])
    assert (found.scores, found.stored) == (2, 1)
    assert file.read_bytes() == recorded
    assert not (tmp_path / "empty").exists()


def test_equal_requests_are_asked_once_as_in_a_run(settings: Settings, openai_server: OpenAIServer) -> None:
    same = replace(SAMPLE, id="again")
    found = estimate(settings, registry(), [planned("faithfulness"), planned("faithfulness", sample=same)])
    run(settings, ["faithfulness"], [SAMPLE, same])
    assert calls(found)[0] == len(openai_server.chats) == 2


def test_repeats_are_an_upper_bound(settings: Settings, openai_server: OpenAIServer) -> None:
    found = estimate(replace(settings, repeats=3), registry(), [planned("faithfulness", "answer_similarity")])
    assert found.repeated
    assert calls(found) == (6, 1)
    assert calls(estimate(settings, registry(), [planned("faithfulness", repeats=2)])) == (4, 0)


def test_cost_by_the_price_table(settings: Settings) -> None:
    priced = replace(settings, prices={"judge": Price(input=1_000_000.0, output=0.0)})
    found = estimate(priced, registry(), [planned("answer_relevancy")])
    by_role = {line.role: line for line in found.lines}
    assert by_role["critic LLM"].usd == by_role["critic LLM"].usage.prompt_tokens
    assert by_role["embeddings"].usd is None  # nobody has said what they cost


def test_max_tokens_bounds_what_is_written(settings: Settings) -> None:
    critic = replace(settings.critic_llm, generation_config={"max_tokens": 3})
    found = estimate(replace(settings, critic_llm=critic), registry(), [planned("faithfulness")])
    assert sum(line.usage.completion_tokens for line in found.lines) == 6


def test_a_key_that_is_not_there_is_not_needed(settings: Settings) -> None:
    """As of a colleague who wants to know what a run would cost."""
    critic = replace(settings.critic_llm, api_base="https://api.invalid/v1")
    assert calls(estimate(replace(settings, critic_llm=critic), registry(), [planned("faithfulness")])) == (2, 0)


def test_rows_that_lack_something_and_metrics_that_cannot_be_are_said(settings: Settings) -> None:
    empty = replace(SAMPLE, response="")
    found = estimate(settings, registry(), [planned("faithfulness", sample=empty), planned("faithfulness")])
    assert calls(found) == (2, 0)
    assert found.problems == ("scores of faithfulness that cannot be, as the row lacks something: 1",)
    found = estimate(replace(settings, embeddings=None), registry(), [planned("answer_similarity")] * 2)
    [problem] = found.problems
    assert problem.startswith("tests that cannot be scored (")
    assert problem.endswith("): 2")


def test_a_metric_of_somebodys_own_that_wants_more_of_an_answer_is_said(settings: Settings) -> None:
    class Picky:
        name = "picky"

        def __init__(self, critic: Any) -> None:
            self.critic = critic

        async def score(self, sample: Sample) -> Any:
            answer = await self.critic.ask([Message(role="user", content="?")], {"type": "object", "title": "T"})
            return answer.value["verdict"]

    known = registry()
    known.register(
        MetricSpec(
            name="picky",
            backend="native",
            needs=frozenset({"response"}),
            uses=frozenset({"llm"}),
            factory=lambda context: Picky(context.critic),  # type: ignore[arg-type, return-value]
            version="1",
            summary="wants what its schema does not say",
        )
    )
    found = estimate(settings, known, [planned("picky")])
    assert calls(found) == (1, 0)
    assert found.problems == ("scores of picky that nothing more is known of (KeyError: 'verdict'): 1",)


def test_the_embedded_critic_asks_nobody() -> None:
    found = estimate(Settings(cache="off"), registry(), [planned("faithfulness")])
    assert (found.lines, found.scores, found.problems) == ((), 0, ())


def test_least_values() -> None:
    schema = {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "verdicts": {"type": "array", "items": {"$ref": "#/$defs/Verdict"}, "minItems": 2},
            "open": {"type": "array", "items": {"type": "string"}},
            "maybe": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
            "yes": {"type": "boolean"},
            "fixed": {"const": "x"},
        },
        "$defs": {"Verdict": {"type": "object", "properties": {"number": {"enum": [1, 2]}}}},
    }
    value = least(schema, entries=3, words="words " * 30)
    assert len(value.pop("reason")) in (ENTRY - 1, ENTRY)
    assert len(value.pop("open")) == 3
    assert value == {"verdicts": [{"number": 1}, {"number": 2}], "maybe": 1, "yes": False, "fixed": "x"}


@pytest.mark.parametrize(
    ("content", "entries"),
    [
        (json.dumps({"question": "?", "text": "x" * 700}), 7),
        ("Do this.\nExample {not json}\ninput: " + json.dumps({"answer": "y" * 200}) + "\nOutput: ", 2),
        ("no data at all", 5),
        (json.dumps({"text": "z" * 100_000}), 60),
    ],
)
def test_lists_are_as_long_as_the_text_that_is_asked_about(
    content: str, entries: int, ask_dry: Callable[[str], Any]
) -> None:
    assert len(ask_dry(content)["items"]) == entries


@pytest.fixture
def ask_dry() -> Callable[[str], Any]:
    def ask(content: str) -> Any:
        import asyncio

        llm = DryLLM(ModelIdentity(provider="openai", name="judge"), bytes_per_token=3.0)
        schema = {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "string"}}}}
        return asyncio.run(llm.ask([Message(role="user", content=content)], schema)).value

    return ask
