"""Score the same random verdicts with our native metrics and with ragas' own classes, and print how far they differ.

    python benchmarks/parity.py
    python benchmarks/parity.py --patterns 200 --write docs/parity.md

Needs `pip install 'pytest-ragas[ragas]'`; no model and no network: one seeded truth a pattern (statements, a verdict
for each statement and context, ratings, questions, entities, vectors) answers both sides in their own structures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ragas.libraries.ragas_structure import prompt_data
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.registry import BuiltMetric
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity
from pytest_ragas.values.sample import Sample

PATTERNS = 200


@dataclass(frozen=True, kw_only=True)
class Case:
    """A metric that both have."""

    metric: str
    ragas: str
    """Ragas' class."""
    options: tuple[Mapping[str, Any], ...] = ({},)
    """Tried in turn, pattern by pattern; both sides get the same."""
    tolerance: float = 1e-9
    """How far the two may be apart."""
    note: str = ""
    """Why, where that is more than 1e-9."""


CASES = (
    Case(metric="faithfulness", ragas="Faithfulness"),
    Case(metric="answer_relevancy", ragas="AnswerRelevancy", options=({}, {"strictness": 1}, {"strictness": 5})),
    Case(metric="context_precision", ragas="ContextPrecision"),
    Case(metric="context_precision_without_reference", ragas="ContextPrecisionWithoutReference"),
    Case(metric="context_recall", ragas="ContextRecall"),
    Case(metric="context_relevancy", ragas="ContextRelevance"),
    Case(
        metric="answer_correctness",
        ragas="AnswerCorrectness",
        options=({}, {"weights": [0.5, 0.5]}, {"weights": [1.0, 0.0]}, {"beta": 2.0}, {"beta": 0.5}),
    ),
    Case(
        metric="factual_correctness",
        ragas="FactualCorrectness",
        options=({}, {"mode": "precision"}, {"mode": "recall"}, {"beta": 2.0}, {"atomicity": "high"}),
    ),
    Case(metric="answer_similarity", ragas="SemanticSimilarity"),
    Case(metric="noise_sensitivity", ragas="NoiseSensitivity", options=({}, {"mode": "irrelevant"})),
    Case(
        metric="context_entity_recall",
        ragas="ContextEntityRecall",
        tolerance=1e-8,
        note="ragas adds 1e-8 to the number of entities that it divides by",
    ),
    Case(metric="response_groundedness", ragas="ResponseGroundedness"),
)


class Truth:
    """What is true of one pattern, whoever asks."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.seed = seed
        # from "nothing holds" to "everything holds", so that the edges are met often
        self.share = rng.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        self.question = f"What does pattern {seed} say?"
        self.response_statements = [f"Response statement {n}." for n in range(1, rng.randint(1, 8) + 1)]
        self.reference_statements = [f"Reference statement {n}." for n in range(1, rng.randint(1, 8) + 1)]
        self.response = " ".join(self.response_statements)
        self.reference = " ".join(self.reference_statements)
        self.contexts = [f"Context {n} of pattern {seed}." for n in range(1, rng.randint(1, 6) + 1)]
        self.questions = [(f"Question {n}?", int(rng.random() < 1 - self.share)) for n in range(1, 6)]
        self.ratings = [rng.randint(0, 2), rng.randint(0, 2)]
        names = [f"Entity {n}" for n in range(12)]
        self.reference_entities = rng.choices(names, k=rng.randint(1, 9))  # some named twice
        self.context_entities = rng.choices(names, k=rng.randint(0, 9))
        self.sample = Sample(
            user_input=self.question,
            response=self.response,
            reference=self.reference,
            retrieved_contexts=self.contexts,
        )

    def verdict(self, *about: str) -> int:
        """1 or 0: the same for the same texts."""
        return int(random.Random("\0".join((str(self.seed), *about))).random() < self.share)

    def vector(self, text: str) -> list[float]:
        """A vector with no negative part, so that no cosine is negative (that difference is wanted)."""
        rng = random.Random(f"{self.seed} {text}")
        return [rng.random() for _ in range(6)]

    def statements(self, text: str) -> list[str]:
        """The statements, sentences and claims of response or reference."""
        return self.response_statements if text == self.response else self.reference_statements


class TruthfulCritic:
    """An LLM that answers the native structures and ragas' from one truth."""

    def __init__(self, truth: Truth) -> None:
        self.identity = ModelIdentity(provider="parity", name="truth")
        self.titles: Counter[str] = Counter()
        self._truth = truth

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """The truth in the structure of `schema`."""
        title = schema["title"]
        data = _data(messages)
        turn = self.titles[title]
        self.titles[title] += 1
        return Answer(value=getattr(self, f"_{title.lower()}")(data, turn))

    async def aclose(self) -> None: ...

    # native

    def _statements(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"statements": self._truth.statements(data["text"])}

    def _claims(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"claims": self._truth.statements(data["text"])}

    def _verdicts(self, data: Mapping[str, Any], turn: int) -> Any:
        context = "\n".join(data["contexts"])
        return {"verdicts": [self._numbered(item, context) for item in data["statements"]]}

    def _usefulness(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"reason": "", "verdict": self._truth.verdict("useful", data["context"], data["answer"])}

    def _rating(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"reason": "", "rating": self._truth.ratings[turn]}

    def _questions(self, data: Mapping[str, Any], turn: int) -> Any:
        wanted = self._truth.questions[: data["count"]]
        return {"questions": [{"question": text, "noncommittal": flag} for text, flag in wanted]}

    def _correctness(self, data: Mapping[str, Any], turn: int) -> Any:
        return {
            "response_verdicts": [self._numbered(item, "right") for item in data["response_statements"]],
            "reference_verdicts": [self._numbered(item, "covered") for item in data["reference_statements"]],
        }

    def _entities(self, data: Mapping[str, Any], turn: int) -> Any:
        of_reference = data["text"] == self._truth.reference
        return {"entities": self._truth.reference_entities if of_reference else self._truth.context_entities}

    def _numbered(self, item: Mapping[str, Any], about: str) -> dict[str, Any]:
        return {"number": item["number"], "reason": "", "verdict": self._truth.verdict(about, item["text"])}

    # ragas

    def _statementgeneratoroutput(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"statements": self._truth.statements(data["answer"])}

    def _claimdecompositionoutput(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"claims": self._truth.statements(data["response"])}

    def _nlistatementoutput(self, data: Mapping[str, Any], turn: int) -> Any:
        return {
            "statements": [
                {"statement": text, "reason": "", "verdict": self._truth.verdict(data["context"], text)}
                for text in data["statements"]
            ]
        }

    _statementfaithfulnessoutput = _nlistatementoutput

    def _contextprecisionoutput(self, data: Mapping[str, Any], turn: int) -> Any:
        return self._usefulness(data, turn)

    def _contextrecalloutput(self, data: Mapping[str, Any], turn: int) -> Any:
        return {
            "classifications": [
                {"statement": text, "reason": "", "attributed": self._truth.verdict(data["context"], text)}
                for text in self._truth.statements(data["answer"])
            ]
        }

    def _contextrelevanceoutput(self, data: Mapping[str, Any], turn: int) -> Any:
        return {"rating": self._truth.ratings[turn]}

    _responsegroundednessoutput = _contextrelevanceoutput

    def _answerrelevanceoutput(self, data: Mapping[str, Any], turn: int) -> Any:
        question, noncommittal = self._truth.questions[turn]
        return {"question": question, "noncommittal": noncommittal}

    def _classificationwithreason(self, data: Mapping[str, Any], turn: int) -> Any:
        def those(texts: Sequence[str], about: str, verdict: int) -> list[dict[str, str]]:
            return [{"statement": text, "reason": ""} for text in texts if self._truth.verdict(about, text) == verdict]

        return {
            "TP": those(data["answer"], "right", 1),
            "FP": those(data["answer"], "right", 0),
            "FN": those(data["ground_truth"], "covered", 0),
        }

    def _entitieslist(self, data: Mapping[str, Any], turn: int) -> Any:
        return self._entities(data, turn)


class TruthfulEmbeddings:
    """Vectors of one truth."""

    def __init__(self, truth: Truth) -> None:
        self.identity = ModelIdentity(provider="parity", name="truth")
        self._truth = truth

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """The vectors of the texts."""
        return [self._truth.vector(text) for text in texts]

    async def aclose(self) -> None: ...


def _data(messages: Sequence[Message]) -> Mapping[str, Any]:
    """What a request is about: the native user message is JSON, ragas' prompt ends in it."""
    text = messages[-1].content
    data = json.loads(text) if len(messages) > 1 else prompt_data(text)
    assert isinstance(data, Mapping)
    assert data, text
    return data


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What both sides said of one pattern."""

    native: float
    ragas: float
    native_calls: int
    ragas_calls: int


async def score_both(case: Case, seed: int) -> Pair:
    """Score one pattern with the native metric and with ragas' class."""
    truth = Truth(seed)
    options = case.options[seed % len(case.options)]
    known = registry()
    values, calls = [], []
    for name in (case.metric, f"ragas:{case.ragas}"):
        critic = TruthfulCritic(truth)
        built: BuiltMetric = known.build(name, critic=critic, embeddings=TruthfulEmbeddings(truth), options=options)
        score = await built.metric.score(truth.sample)
        values.append(score.value)
        calls.append(critic.titles.total())
    return Pair(native=values[0], ragas=values[1], native_calls=calls[0], ragas_calls=calls[1])


def compare(case: Case, patterns: int = PATTERNS) -> list[Pair]:
    """Score patterns 0 to `patterns` - 1."""

    async def everything() -> list[Pair]:
        return [await score_both(case, seed) for seed in range(patterns)]

    return asyncio.run(everything())


def table(patterns: int = PATTERNS) -> str:
    """The comparison of every metric as a Markdown table."""
    lines = [
        "| metric | ragas' class | patterns | distinct scores | max. difference | calls native / ragas |",
        "|---|---|---|---|---|---|",
    ]
    for case in CASES:
        pairs = compare(case, patterns)
        worst = max(abs(pair.native - pair.ragas) for pair in pairs)
        native = sum(pair.native_calls for pair in pairs) / patterns
        ragas = sum(pair.ragas_calls for pair in pairs) / patterns
        distinct = len({round(pair.native, 9) for pair in pairs})
        calls = f"{native:.1f} / {ragas:.1f}"
        lines.append(f"| `{case.metric}` | `{case.ragas}` | {patterns} | {distinct} | {_shown(worst)} | {calls} |")
    return "\n".join(lines)


def _shown(difference: float) -> str:
    return f"{difference:.0e}" if difference else "0"


BEGIN, END = "<!-- benchmarks/parity.py -->", "<!-- end -->"


def main() -> None:
    """Print the table, or write it into a document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patterns", type=int, default=PATTERNS)
    parser.add_argument("--write", type=Path, help="a Markdown file with the two comments that enclose the table")
    arguments = parser.parse_args()
    text = table(arguments.patterns)
    print(text)
    if arguments.write:
        before, _, rest = arguments.write.read_text(encoding="utf-8").partition(BEGIN)
        _, found, after = rest.partition(END)
        if not found:
            parser.error(f"{arguments.write} has no lines {BEGIN} and {END}")
        arguments.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
