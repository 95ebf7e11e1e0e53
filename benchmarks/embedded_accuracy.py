"""Measure how well the embedded metrics tell good from bad on labelled data, as the tables of docs/embedded.md.

    python benchmarks/embedded_accuracy.py DATA_DIR
    python benchmarks/embedded_accuracy.py DATA_DIR --write docs/embedded.md

DATA_DIR holds .jsonl testsets whose rows also have `faithful` (0 or 1) and perhaps `other_response`, an answer
with the other label. The data are never part of the project.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from accuracy_statistics import Interval, Judged
from labelled_cases import Case, CaseSet, LabelledFile, faithfulness_sets, labelled_files, right_answers

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.embedded.words import stems, words
from pytest_ragas.models.embeddings import SentenceTransformerEmbeddings
from pytest_ragas.protocols import Embeddings, Metric
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.sample import Sample

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
LABELS = 20

Measure = Callable[[Sample], float | None]
"""The value of a sample; None where there is nothing to judge."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Pairs that stand in for labels of a metric."""

    metric: str
    pairs: str
    """What the good and the bad cases are."""
    cases: Callable[[LabelledFile], Iterator[Case]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of labelled .jsonl testsets")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"replace what stands between {BEGIN} and {END}")
    parser.add_argument("--threshold", type=float, default=0.5, help="the fixed threshold (default 0.5)")
    parser.add_argument("--repeats", type=int, default=1000, help="bootstrap draws (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of pairs, edits and draws (default 0)")
    parser.add_argument(
        "--embeddings", default="", metavar="NAME", help='measure answer_relevancy with them too, e.g. "minilm"'
    )
    options = parser.parse_args()
    files = labelled_files(options.data, seed=options.seed)
    bench = Bench(threshold=options.threshold, repeats=options.repeats, seed=options.seed)
    text = "\n\n".join(bench.report(files, options.embeddings))
    print(text)
    if options.write:
        replace_between_marks(options.write, text)


def replace_between_marks(path: Path, text: str) -> None:
    """Put a text between the two marks of a file."""
    page = path.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise SystemExit(f"{path} must hold {BEGIN} and, after it, {END}, each once.")
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """Runs measures over cases and writes tables."""

    threshold: float
    repeats: int
    seed: int

    def report(self, files: Sequence[LabelledFile], embeddings: str) -> Iterator[str]:
        """The tables, in Markdown; with the name of an embedding model, also what that sees of relevancy."""
        sets = faithfulness_sets(files, seed=self.seed)
        yield self.faithfulness_table(sets)
        yield self.controls_table(sets)
        yield self.proxy_table(files, embeddings)

    def faithfulness_table(self, sets: Sequence[CaseSet]) -> str:
        """The measure alone: how well, at which threshold, how fast."""
        rows = []
        for case_set in sets:
            measure = metric_value("faithfulness")
            started = time.process_time()
            values = [measure(case.sample) for case in case_set.cases]
            seconds = time.process_time() - started
            judged = scored(case_set.cases, values)
            best = judged.best_threshold()
            few = judged.accuracy_of_few_labels(LABELS, repeats=200, seed=self.seed)
            rows.append(
                [
                    case_set.name,
                    len(values),
                    values.count(None),
                    self.auroc(judged),
                    self.auroc(scored(case_set.cases, [0.5 if value is None else value for value in values])).value,
                    f"{self.accuracy(judged, best)} at {best:.2f}",
                    self.accuracy(judged, self.threshold),
                    few,
                    f"{judged.mean(True):.2f} / {judged.mean(False):.2f}",
                    f"{len(values) / seconds:,.0f}",
                ]
            )
        return table(
            [
                "set",
                "n",
                "not scored",
                "AUROC [95 %]",
                "not scored as 0.5",
                "balanced accuracy at the best threshold",
                f"at {self.threshold:g}",
                f"threshold from {LABELS} labels",
                "mean good / bad",
                "answers per CPU-second",
            ],
            rows,
        )

    def controls_table(self, sets: Sequence[CaseSet]) -> str:
        """The measure beside simpler ones, on the cases that it scores."""
        measures: dict[str, Measure] = {
            "embedded faithfulness": metric_value("faithfulness"),
            "shorter is better": lambda sample: -float(len(sample.response or "")),
            "token containment": token_containment,
            "bigram coverage": bigram_coverage,
            "ROUGE-L precision": rouge_l_precision(),
        }
        rows = []
        for case_set in sets:
            cases = [case for case in case_set.cases if measures["embedded faithfulness"](case.sample) is not None]
            row: list[object] = [case_set.name, len(cases)]
            for measure in measures.values():
                row.append(self.auroc(scored(cases, [measure(case.sample) for case in cases])))
            rows.append(row)
        return table(["AUROC [95 %]", "n", *measures], rows)

    def proxy_table(self, files: Sequence[LabelledFile], embeddings: str) -> str:
        """The other metrics, on pairs that stand in for labels."""
        rows = []
        for proxy in PROXIES:
            for file in files:
                cases = tuple(proxy.cases(file))
                rows.append(self.proxy_row(proxy, file.name, cases, metric_value(proxy.metric)))
        for proxy in EMBEDDINGS_PROXIES if embeddings else ():
            for file in files:
                cases = tuple(proxy.cases(file))
                texts = {text for case in cases for text in (case.sample.user_input, case.sample.response or "")}
                measure = metric_value(proxy.metric, Looked(embeddings, sorted(texts)))
                rows.append(self.proxy_row(proxy, file.name, cases, measure, f", embeddings {embeddings}"))
        return table(
            [
                "metric",
                "good against bad",
                "set",
                "n",
                "not scored",
                "AUROC [95 %]",
                "balanced accuracy at the best threshold",
                f"at {self.threshold:g}",
            ],
            rows,
        )

    def proxy_row(
        self, proxy: Proxy, name: str, cases: Sequence[Case], measure: Measure, how: str = ""
    ) -> Sequence[object]:
        values = [measure(case.sample) for case in cases]
        judged = scored(cases, values)
        best = judged.best_threshold()
        return [
            f"`{proxy.metric}`{how}",
            proxy.pairs,
            name,
            f"{sum(judged.good)} + {len(judged.good) - sum(judged.good)}",
            values.count(None),
            self.auroc(judged),
            f"{self.accuracy(judged, best).value:.2f} at {best:.2f}",
            self.accuracy(judged, self.threshold).value,
        ]

    def auroc(self, judged: Judged) -> Interval:
        return judged.auroc(repeats=self.repeats, seed=self.seed)

    def accuracy(self, judged: Judged, threshold: float) -> Interval:
        return judged.balanced_accuracy(threshold, repeats=self.repeats, seed=self.seed)


def scored(cases: Sequence[Case], values: Sequence[float | None]) -> Judged:
    """The cases that have a value."""
    kept = [(value, case.good) for case, value in zip(cases, values, strict=True) if value is not None]
    return Judged(values=tuple(value for value, _ in kept), good=tuple(good for _, good in kept))


def metric_value(name: str, embeddings: Embeddings | None = None) -> Measure:
    """A metric under the embedded critic, as a suite runs it."""
    return value_of(registry().build(name, critic=EmbeddedCritic(), embeddings=embeddings).metric)


class Looked:
    """Embeddings of texts that are all known beforehand, so that the metric waits for nothing."""

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        model = SentenceTransformerEmbeddings(ModelSettings(model_name_or_path=name))
        self.identity = model.identity
        self._vectors = dict(zip(texts, asyncio.run(_embedded(model, texts)), strict=True))

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [self._vectors[text] for text in texts]

    async def aclose(self) -> None:
        """Nothing to let go of."""


async def _embedded(model: Embeddings, texts: Sequence[str]) -> Sequence[Sequence[float]]:
    try:
        return await model.embed(texts)
    finally:
        await model.aclose()


def value_of(metric: Metric) -> Measure:
    def measure(sample: Sample) -> float | None:
        scoring = metric.score(sample)
        try:
            scoring.send(None)  # no loop: nothing is awaited inside
        except StopIteration as finished:
            return float(finished.value.value)
        except NothingToJudgeError:
            return None
        raise RuntimeError(f"{metric.name} waits for something")

    return measure


def token_containment(sample: Sample) -> float:
    """Share of the response's content words that the contexts hold."""
    said = stems(sample.response or "")
    return len(said & stems("\n".join(sample.retrieved_contexts or ()))) / len(said) if said else 0.0


def bigram_coverage(sample: Sample) -> float:
    """Share of the response's word pairs that the contexts hold."""
    said = words(sample.response or "")
    there = words("\n".join(sample.retrieved_contexts or ()))
    pairs = set(pairwise(said))
    if not pairs:
        return float(bool(said) and said[0] in there)
    return len(pairs & set(pairwise(there))) / len(pairs)


def rouge_l_precision() -> Measure:
    """Longest common subsequence of response and contexts / words of the response."""
    built = registry().build("rouge_l", critic=EmbeddedCritic(), options={"mode": "precision"})
    measure = value_of(built.metric)
    return lambda sample: measure(replace(sample, reference="\n".join(sample.retrieved_contexts or ())))


def _own_and_other_contexts(nearest: bool) -> Callable[[LabelledFile], Iterator[Case]]:
    """The right answer as the reference, with the row's own contexts and with another row's."""

    def cases(file: LabelledFile) -> Iterator[Case]:
        for row, random_row, nearest_row in right_answers(file):
            other = nearest_row if nearest else random_row
            asked = replace(row, reference=row.response)
            yield Case(sample=asked, good=True)
            yield Case(sample=replace(asked, retrieved_contexts=other.retrieved_contexts), good=False)

    return cases


def _own_context_first_or_last(file: LabelledFile) -> Iterator[Case]:
    for row, random_row, nearest_row in right_answers(file):
        others = [*(nearest_row.retrieved_contexts or ()), *(random_row.retrieved_contexts or ())]
        own = list(row.retrieved_contexts or ())
        asked = replace(row, reference=row.response)
        yield Case(sample=replace(asked, retrieved_contexts=[*own, *others]), good=True)
        yield Case(sample=replace(asked, retrieved_contexts=[*others, *own]), good=False)


def _own_and_other_answer(nearest: bool, with_contexts: bool) -> Callable[[LabelledFile], Iterator[Case]]:
    def cases(file: LabelledFile) -> Iterator[Case]:
        for row, random_row, nearest_row in right_answers(file):
            other = nearest_row if nearest else random_row
            contexts = [*(row.retrieved_contexts or ()), *(other.retrieved_contexts or ())]
            asked = replace(row, retrieved_contexts=contexts if with_contexts else [])
            yield Case(sample=asked, good=True)
            yield Case(sample=replace(asked, response=other.response), good=False)

    return cases


def _knowledge_as_reference(file: LabelledFile) -> Iterator[Case]:
    for sample in file.samples:
        knowledge = "\n".join(sample.retrieved_contexts or ())
        yield Case(sample=replace(sample, reference=knowledge), good=bool(sample.metadata["faithful"]))


PROXIES = (
    Proxy("context_recall", "own contexts / a random row's", _own_and_other_contexts(nearest=False)),
    Proxy("context_recall", "own contexts / the nearest row's", _own_and_other_contexts(nearest=True)),
    Proxy("context_precision", "own contexts alone / a random row's", _own_and_other_contexts(nearest=False)),
    Proxy("context_precision", "own contexts alone / the nearest row's", _own_and_other_contexts(nearest=True)),
    Proxy("context_precision", "own contexts first of three / last", _own_context_first_or_last),
    Proxy("context_precision_without_reference", "own contexts first of three / last", _own_context_first_or_last),
    Proxy("context_relevancy", "own contexts / a random row's", _own_and_other_contexts(nearest=False)),
    Proxy("context_relevancy", "own contexts / the nearest row's", _own_and_other_contexts(nearest=True)),
    Proxy("answer_relevancy", "own answer / a random row's, no contexts", _own_and_other_answer(False, False)),
    Proxy("answer_relevancy", "own answer / a random row's, contexts of both", _own_and_other_answer(False, True)),
    Proxy("answer_relevancy", "own answer / the nearest row's, contexts of both", _own_and_other_answer(True, True)),
    Proxy("answer_correctness", "faithful / not, the contexts as reference", _knowledge_as_reference),
)
EMBEDDINGS_PROXIES = (
    Proxy("answer_relevancy", "own answer / a random row's", _own_and_other_answer(False, False)),
    Proxy("answer_relevancy", "own answer / the nearest row's", _own_and_other_answer(True, False)),
)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
