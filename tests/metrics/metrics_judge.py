"""What the tests of the native metrics share: a sample, a critic that reads its request, one that obliges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

T = TypeVar("T")
Reply = Callable[[dict[str, Any]], Any]

SAMPLE = Sample(
    id="r1",
    source="testset.json row 1",
    user_input="Where was Marie Curie born, and when?",
    response="She was born in Warsaw in 1867. She won two Nobel Prizes.",
    retrieved_contexts=["Marie Curie was born in Warsaw.", "The Vistula flows through Warsaw.", "Curie: 1867-1934."],
    reference="Marie Curie was born in Warsaw. It was the year 1867.",
)

SAID = ["Curie was born in Warsaw.", "Curie was born in 1867.", "Curie won two Nobel Prizes."]
EXPECTED = ["Curie was born in Warsaw.", "Curie was born in the year 1867."]


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 30))


def data_of(messages: Sequence[Message]) -> dict[str, Any]:
    """The data of a request: the user message is one JSON object and nothing else."""
    data = json.loads(messages[-1].content)
    assert isinstance(data, dict)
    return data


def critic(**replies: Reply | Mapping[str, Any]) -> ScriptedCritic:
    """A critic that answers by structure: a fixed answer, or a function of the request's data."""

    def scripted(reply: Reply) -> Callable[[Sequence[Message], JSONSchema], Any]:
        return lambda messages, schema: reply(data_of(messages))

    return ScriptedCritic({title: scripted(r) if callable(r) else r for title, r in replies.items()})


def verdicts(*values: int) -> list[dict[str, Any]]:
    return [
        {"number": number, "reason": f"because {number}", "verdict": value} for number, value in enumerate(values, 1)
    ]


def statements_by_text(data: dict[str, Any]) -> dict[str, Any]:
    """The statements of SAMPLE's response or reference."""
    return {"statements": SAID if data["text"] == SAMPLE.response else EXPECTED}


def score(
    name: str, llm: LLM, sample: Sample = SAMPLE, *, embeddings: Embeddings | None = None, **options: Any
) -> Score:
    built = registry().build(name, critic=llm, embeddings=embeddings, options=options)
    return run(built.metric.score(sample))


class Obliging:
    """An LLM that finds, supports and rates everything; for counting calls and reading prompts.

    Requests and embedding requests are held back until no further one arrives, then all answered: the number of
    such waves is the longest chain of calls that wait for one another.
    """

    identity = ModelIdentity(provider="test", name="obliging")

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[Message], JSONSchema]] = []
        self.embedded: list[Sequence[str]] = []
        self.waves: list[int] = []
        self._held: list[asyncio.Future[None]] = []

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        self.asked.append((messages, schema))
        await self._wave()
        return Answer(value=obliging_value(schema))

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.embedded.append(texts)
        await self._wave()
        return [[1.0, 0.5] for _ in texts]

    async def aclose(self) -> None: ...

    async def _wave(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._held.append(future)
        if len(self._held) == 1:
            await self._settled()
            self.waves.append(len(self._held))
            held, self._held = self._held, []
            for one in held:
                one.set_result(None)
        await future

    async def _settled(self) -> None:
        seen = 0
        while seen != len(self._held):
            seen = len(self._held)
            for _ in range(20):  # turns of the loop in which whoever is able to ask will have asked
                await asyncio.sleep(0)


def obliging_value(schema: JSONSchema) -> Any:
    """The answer that says yes to everything, in any structure."""
    if schema["type"] == "object":
        return {name: obliging_value(part) for name, part in schema["properties"].items()}
    if schema["type"] == "array":
        items = [obliging_value(schema["items"]) for _ in range(schema.get("minItems", 2))]
        for number, item in enumerate(items, 1):
            if isinstance(item, dict) and "number" in item:
                item["number"] = number
            elif isinstance(item, str):
                items[number - 1] = f"piece {number}"
            elif isinstance(item, int):
                items[number - 1] = number
            elif "noncommittal" in item:
                item["noncommittal"] = 0
        return items
    return max(schema["enum"]) if "enum" in schema else "so it is"


def same_direction(cosine: float = 1.0) -> ScriptedEmbeddings:
    """Embeddings that put user_input, or the reference, at [1, 0] and every other text at this cosine to it."""
    first = {SAMPLE.user_input, SAMPLE.reference}
    return ScriptedEmbeddings(lambda text: [1.0, 0.0] if text in first else [cosine, (1 - cosine**2) ** 0.5])
