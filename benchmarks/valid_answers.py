"""Count how many answers of a local LLM are valid: real prompts of ragas' metrics, of our own, and of generation.

    python benchmarks/valid_answers.py
    python benchmarks/valid_answers.py --model Qwen/Qwen2.5-0.5B-Instruct --samples 20 --each

Every metric asks what it asks in a suite, through the same code, of the same client. An answer is valid if Python's own
JSON parser reads it and `jsonschema` finds nothing wrong with it under the schema that was asked for: neither is used
where answers are written. "cut short" are valid ones that had no room left for what the model wanted to say; a suite
gets an error from each. After one of these, and after an empty list, the metric here goes on with a stand-in that the
schema allows, so that the prompts behind it are asked as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from jsonschema import Draft202012Validator

from pytest_ragas.errors import PytestRagasError, StructureError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.native.faithfulness import Faithfulness
from pytest_ragas.models.local.llm import TransformersLLM
from pytest_ragas.models.scripted import ScriptedEmbeddings
from pytest_ragas.protocols import LLM, JSONSchema
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.testset.generate.generate import generate
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.values.document import Document
from pytest_ragas.values.model import Answer, Message, ModelIdentity
from pytest_ragas.values.sample import Sample

RAGAS = (
    "AnswerAccuracy",
    "AnswerCorrectness",
    "AnswerRelevancy",
    "ContextEntityRecall",
    "ContextPrecision",
    "ContextPrecisionWithoutReference",
    "ContextRecall",
    "ContextRelevance",
    "FactualCorrectness",
    "Faithfulness",
    "NoiseSensitivity",
    "ResponseGroundedness",
    "SummaryScore",
)
"""Ragas' metrics of a RAG that ask an LLM."""

OURS = (
    "answer_correctness",
    "answer_relevancy",
    "context_entity_recall",
    "context_precision",
    "context_precision_without_reference",
    "context_recall",
    "context_relevancy",
    "factual_correctness",
    "faithfulness",
    "noise_sensitivity",
    "response_groundedness",
)

TYPES = ("simple", "multi_context", "reasoning", "conversational", "unanswerable")

PLACES = (
    ("tower", "Paris", 1889, "an exhibition", "Ines Moreau"),
    ("bridge", "Porto", 1886, "the railway", "Tomas Silva"),
    ("library", "Oslo", 1914, "the university", "Kari Lunde"),
    ("harbour", "Trieste", 1719, "the emperor", "Carlo Bassi"),
    ("museum", "Vienna", 1891, "the collections", "Anna Weiss"),
    ("theatre", "Athens", 1901, "the king", "Nikos Pappas"),
    ("market", "Riga", 1930, "the farmers", "Janis Ozols"),
    ("station", "Prague", 1909, "the northern line", "Eva Horak"),
)


def sample(number: int) -> Sample:
    """One row, right in one sentence and wrong in another."""
    thing, city, year, purpose, person = PLACES[number % len(PLACES)]
    passage = f"The old {thing} of {city} was built for {purpose} and opened in {year}. {person} drew the plans."
    return Sample(
        id=f"{thing}-{number}",
        user_input=f"When did the {thing} of {city} open, and who planned it?",
        response=f"It opened in {year}. It was planned by a monk.",
        reference=f"The {thing} of {city} opened in {year} and was planned by {person}.",
        retrieved_contexts=[passage, f"Trams to the {thing} run every ten minutes."],
        reference_contexts=[passage],
    )


def documents() -> tuple[Document, ...]:
    """A page on each place, of two passages."""
    found = []
    for thing, city, year, purpose, person in PLACES[:4]:
        text = (
            f"# The {thing} of {city}\n\nThe old {thing} of {city} was built for {purpose}. It opened in {year}, and "
            f"{person} drew its plans.\n\n## Visits\n\nThe {thing} of {city} is open from nine to five. A ticket for "
            f"it costs eight euros, and {person} Street leads to its door.\n"
        )
        found.append(Document(path=f"{thing}.md", text=text, digest=f"{year}" * 16))
    return tuple(found)


class Counting:
    """An LLM that looks at every answer of another one. Satisfies `LLM`."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.told: Counter[tuple[str, str]] = Counter()
        """(title of the schema, what became of the answer)."""
        self.wrong: list[str] = []
        """What is wrong with answers that are not valid."""

    @property
    def identity(self) -> ModelIdentity:
        """That of the other one."""
        return self._llm.identity

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Its answer, or a stand-in."""
        title = str(schema.get("title", ""))
        try:
            answer = await self._llm.ask(messages, schema)
        except StructureError as error:
            self._count(title, "cut short", error.raw, schema)
            return Answer(value=stand_in(schema))
        except PytestRagasError as error:
            self.told[title, "refused"] += 1
            self.wrong.append(f"{title}: {error}")
            raise
        self._count(title, "whole", answer.raw, schema)
        found_nothing = isinstance(answer.value, dict) and [] in answer.value.values()
        return Answer(value=stand_in(schema)) if found_nothing else answer

    async def aclose(self) -> None:
        """The other one is closed by whoever made it."""

    def _count(self, title: str, kind: str, raw: str, schema: JSONSchema) -> None:
        problem = what_is_wrong(raw, schema)
        self.told[title, "invalid" if problem else kind] += 1
        if problem:
            self.wrong.append(f"{title}: {problem} in {raw!r}")

    def counts(self) -> Counter[str]:
        """By what became of the answers."""
        found: Counter[str] = Counter()
        for (_, kind), count in self.told.items():
            found[kind] += count
        return found


def what_is_wrong(raw: str, schema: JSONSchema) -> str:
    """Why a text is no answer; empty if it is one."""
    try:
        value = json.loads(raw)
    except ValueError as error:
        return f"no JSON ({error})"
    return next((error.message for error in Draft202012Validator(schema).iter_errors(value)), "")


def stand_in(part: Mapping[str, Any]) -> Any:
    """A value that a schema allows, with one item in every list that may be empty."""
    if "enum" in part:
        return part["enum"][0]
    if "anyOf" in part:
        return stand_in(part["anyOf"][0])
    kind = part.get("type")
    if kind == "object":
        return {name: stand_in(one) for name, one in part.get("properties", {}).items()}
    if kind == "array":
        items = part.get("prefixItems") or [part.get("items", {})] * max(1, part.get("minItems", 1))
        return [stand_in(one) for one in items]
    return {"string": "It opened a hundred years ago.", "boolean": True, "null": None}.get(str(kind), 1)


async def ask_metrics(llm: LLM, names: Sequence[str], rows: Sequence[Sample]) -> Counting:
    """Score rows with every metric at once, as a suite does."""
    counting = Counting(llm)
    embeddings = ScriptedEmbeddings(lambda text: [1.0, float(len(text))])
    known = registry()
    metrics = [known.build(name, critic=counting, embeddings=embeddings).metric for name in names]

    async def score(metric: Any, row: Sample) -> None:
        with suppress(PytestRagasError):  # what a stand-in says may be nothing to judge
            await metric.score(row)

    await asyncio.gather(*(score(metric, row) for row in rows for metric in metrics))
    return counting


async def ask_generation(llm: LLM, types: Sequence[str], size: int) -> Counting:
    """Write a testset; most candidates of a small model are rejected, and so may be all."""
    counting = Counting(llm)
    recipe = Recipe(
        test_size=size * len(types),
        distribution={name: 1 / len(types) for name in types},
        chunk_size=200,
        attempts=2,
        respond=True,
    )
    with suppress(PytestRagasError):
        await generate(
            documents(), recipe, llm=counting, faithfulness=lambda critic: Faithfulness(name="faithfulness", llm=critic)
        )
    return counting


async def measure(settings: ModelSettings, samples: int) -> Iterator[tuple[str, Counting]]:
    """Every kind of prompt."""
    llm = TransformersLLM(settings)
    rows = [sample(number) for number in range(samples)]
    try:
        return iter(
            [
                (f"{len(RAGAS)} metrics of ragas", await ask_metrics(llm, [f"ragas:{name}" for name in RAGAS], rows)),
                (f"{len(OURS)} of ours", await ask_metrics(llm, [f"native:{name}" for name in OURS], rows)),
                ("testset generation", await ask_generation(llm, TYPES, samples)),
            ]
        )
    finally:
        await llm.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="smollm2", help='"smollm2", a path or a hub id (default smollm2)')
    parser.add_argument("--samples", type=int, default=3, help="rows that each metric scores (default 3)")
    parser.add_argument("--max-tokens", type=int, default=160, help="of an answer (default 160)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    parser.add_argument("--each", action="store_true", help="count each structure on its own, too")
    options = parser.parse_args()
    settings = ModelSettings(
        model_name_or_path=options.model,
        generation_config={"max_tokens": options.max_tokens},
        options={"device": options.device, "dtype": options.dtype, "threads": options.threads},
    )
    found = list(asyncio.run(measure(settings, options.samples)))
    print("| prompts of | structures | answers | valid | of them cut short | invalid | refused |")
    print("|---|---|---|---|---|---|---|")
    for name, counting in found:
        print_row(name, len({title for title, _ in counting.told}), counting.counts())
    total = sum((counting.counts() for _, counting in found), Counter[str]())
    print_row("all", len({title for _, counting in found for title, _ in counting.told}), total)
    if options.each:
        for name, counting in found:
            for (title, kind), count in sorted(counting.told.items()):
                print(f"{name}: {title}: {count} {kind}")
    for _, counting in found:
        for wrong in counting.wrong:
            print(f"NOT VALID {wrong}")
    raise SystemExit(1 if total["invalid"] or total["refused"] else 0)


def print_row(name: str, structures: int, counts: Counter[str]) -> None:
    asked = sum(counts.values())
    valid = counts["whole"] + counts["cut short"]
    print(
        f"| {name} | {structures} | {asked} | {valid} ({valid / asked:.0%}) | {counts['cut short']} | "
        f"{counts['invalid']} | {counts['refused']} |"
    )


if __name__ == "__main__":
    main()
