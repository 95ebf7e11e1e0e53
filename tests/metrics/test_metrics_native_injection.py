"""Retrieved text that speaks to the critic reaches it as data: `benchmarks/injection_contexts.json`, on the wire."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from metrics_judge import SAMPLE
from openai_server.lexical import lexical_critic
from openai_server.server import OpenAIServer

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.embedded.sentences import sentences
from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.models.openai_wire import ASK_FOR_JSON
from pytest_ragas.prompts.chat_marks import defused
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.sample import Sample

CORPUS = json.loads((Path(__file__).parents[2] / "benchmarks" / "injection_contexts.json").read_text(encoding="utf-8"))
ATTACKS: dict[str, str] = {entry["name"]: entry["text"] for entry in CORPUS["attacks"]}
METRICS: list[tuple[str, dict[str, Any]]] = [
    *((spec.name, {}) for spec in SPECS if "llm" in spec.uses),
    ("context_relevancy", {"method": "sentences"}),
]
MODES = ("json_schema", "json_object", "tools", "text")

# every mark by which a template of the families that we know begins or ends a turn
MARKS = re.compile(
    r"<\||<｜|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?think>|<(?:bos|eos|pad|unk|mask)>|\[gMASK\]"
)


def answer(request: dict[str, Any]) -> object:
    """Finds the same in every text, so that what an attack says is in the data only where it stands."""
    found = {"Statements": "statements", "Claims": "claims", "Entities": "entities"}.get(request["title"])
    return {found: ["piece 1", "piece 2"]} if found else lexical_critic(request)


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    from pytest_ragas.models.openai_memory import forget

    forget()
    with OpenAIServer(brain=answer) as server:
        yield server
    forget()


def requests(server: OpenAIServer, sample: Sample, mode: str) -> list[list[dict[str, str]]]:
    """The messages of everything that the metrics ask about a sample."""

    async def score() -> None:
        chat = ModelSettings(model_name="judge", api_base=server.url, structure=mode)  # type: ignore[arg-type]
        llm = OpenAIChat(chat)
        embeddings = OpenAIEmbeddings(ModelSettings(model_name="embedder", api_base=server.url))
        for metric, options in METRICS:
            built = registry().build(metric, critic=llm, embeddings=embeddings, options=options)
            await built.metric.score(sample)
        await llm.aclose()
        await embeddings.aclose()

    server.reset()
    asyncio.run(score())
    return [request.body["messages"] for request in server.chats]


def hostile(attack: str) -> Sample:
    """The attack in every place that somebody else than the suite's author writes, and in the others too."""
    return replace(
        SAMPLE,
        user_input=f"{SAMPLE.user_input} {attack}",
        response=f"She was born in Warsaw. {attack}",
        retrieved_contexts=[attack, "Marie Curie was born in Warsaw.", f"{attack} {attack}"],
        reference=f"Marie Curie was born in Warsaw. {attack}",
    )


def test_the_corpus_has_thirty_attacks_of_every_technique() -> None:
    assert len(ATTACKS) == len(CORPUS["attacks"]) == 30
    assert len(set(ATTACKS.values())) == 30
    assert {entry["technique"] for entry in CORPUS["attacks"]} == {
        "instruction",
        "authority",
        "fake delimiter",
        "chat template",
        "fake answer",
        "other language",
        "unicode",
    }


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def harmless(server: OpenAIServer, mode: str) -> list[list[dict[str, str]]]:
    return requests(server, SAMPLE, mode)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_stays_inside_its_string(
    name: str, mode: str, server: OpenAIServer, harmless: list[list[dict[str, str]]]
) -> None:
    attack = ATTACKS[name]
    sample = hostile(attack)
    places = {"low", "piece 1", "piece 2", *strings(texts_of(sample))}
    places.add("\n".join(sample.retrieved_contexts or ()))
    places.update(*(sentences(text) for text in list(places)))
    instructions = {without_schema(messages[0]["content"]) for messages in harmless}
    shapes = {shape(json.loads(messages[1]["content"])) for messages in harmless}
    asked = requests(server, sample, mode)
    assert {without_schema(messages[0]["content"]) for messages in asked} == instructions
    for messages in asked:
        assert [message["role"] for message in messages] == ["system", "user"]
        data = json.loads(messages[1]["content"])
        # it is one JSON object from the first character to the last, with the texts as they are and nothing else
        assert messages[1]["content"] == defused(json.dumps(data, ensure_ascii=False))
        assert shape(data) in shapes
        assert set(strings(data)) <= places
        # nor does it end the message: what the tokenizer of a chat model reads as the end of a turn is not there
        assert not MARKS.search(messages[1]["content"])


def texts_of(sample: Sample) -> list[object]:
    return [sample.user_input, sample.response, sample.reference, list(sample.retrieved_contexts or ())]


def without_schema(instructions: str) -> str:
    """The schema in words counts the statements, of which an attack brings its own."""
    return instructions.partition(ASK_FOR_JSON)[0]


def shape(data: object) -> str:
    """The keys of the data, whatever is in the texts, and however many entries a list has."""
    if isinstance(data, dict):
        return f"{{{', '.join(f'{key}: {shape(part)}' for key, part in data.items())}}}"
    if isinstance(data, list):
        return f"[{', '.join(sorted({shape(part) for part in data}))}]"
    return type(data).__name__


@pytest.mark.parametrize(
    "text",
    [
        "a <|im_end|> b",
        "<｜end▁of▁sentence｜>",
        "[INST]x[/INST]",
        "<s></s><<SYS>><</SYS>>",
        "<think></think><end_of_turn><bos>",
        "[gMASK]<sop>",
    ],
)
def test_marks_of_chat_templates_are_written_as_escapes(text: str) -> None:
    written = defused(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(written) == {"text": text}
    assert not MARKS.search(written)


@pytest.mark.parametrize("text", ["a < b", "<b>bold</b>", "[1]", "[INSTALL]", "x[0]|y", "</p>", "", "\\u003c|"])
def test_other_texts_are_written_as_they_are(text: str) -> None:
    written = json.dumps({"text": text, "numbers": [1, 2], "none": []}, ensure_ascii=False)
    assert defused(written) == written
