"""Cases that are known to be good or bad, made of labelled testset files.

A file holds rows with `user_input`, `retrieved_contexts`, `response` and `faithful` (0 or 1), and perhaps
`other_response`, an answer to the same question with the other label.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ragas.metrics.embedded.words import stems
from pytest_ragas.testset.load import load_testset
from pytest_ragas.values.sample import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A sample that a metric should give a high score (good) or a low one."""

    sample: Sample
    good: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSet:
    """Cases under one name."""

    name: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledFile:
    """One file: its rows, and for each row another one at random and the one nearest to its question."""

    name: str
    samples: tuple[Sample, ...]
    random_rows: tuple[Sample, ...]
    nearest_rows: tuple[Sample, ...]
    """The row whose contexts share most rare words with the question: what a retriever by words would bring."""


def labelled_files(folder: Path, *, seed: int) -> list[LabelledFile]:
    """Every .jsonl file of a folder whose rows are labelled."""
    files = []
    for path in sorted(folder.glob("*.jsonl")):
        samples = load_testset(path).samples
        if all(sample.metadata.get("faithful") in (0, 1) for sample in samples):
            files.append(_with_other_rows(path.stem, samples, seed))
    if not files:
        raise SystemExit(
            f"{folder} holds no .jsonl file whose rows all have user_input, retrieved_contexts, response and faithful "
            "(0 or 1)."
        )
    return files


def is_faithful(sample: Sample) -> bool:
    return bool(sample.metadata["faithful"])


def right_answers(file: LabelledFile) -> Iterator[tuple[Sample, Sample, Sample]]:
    """Rows with their faithful answer as the response, each with its random and its nearest row.

    Rows without a faithful answer are left out; as the other row of a pair they keep the answer that they have.
    """
    for sample, *others in zip(file.samples, file.random_rows, file.nearest_rows, strict=True):
        row = _rightly(sample)
        if row is not None:
            random_row, nearest_row = (_rightly(other) or other for other in others)
            yield row, random_row, nearest_row


def faithfulness_sets(files: Sequence[LabelledFile], *, seed: int) -> list[CaseSet]:
    """The files as they are; with answers of equal length; and their faithful answers against small edits of them."""
    sets = []
    for file in files:
        cases = tuple(Case(sample=sample, good=is_faithful(sample)) for sample in file.samples)
        sets.append(CaseSet(name=file.name, cases=cases))
        if any("other_response" in sample.metadata for sample in file.samples):
            sets.append(CaseSet(name=f"{file.name}, lengths matched", cases=_of_equal_length(file.samples)))
    right = [row for file in files for row, *_ in right_answers(file)]
    rng = random.Random(seed)
    names = [name for row in right for name in _NAME.findall(row.response or "")]
    edits: dict[str, Callable[[str], str | None]] = {
        "edits: a number changed": lambda text: _other_number(text, rng),
        "edits: a name replaced": lambda text: _other_name(text, names, rng),
        "edits: a negation put in": _negated,
    }
    for name, edit in edits.items():
        pairs = [(row, edited) for row in right if (edited := edit(row.response or "")) is not None]
        sets.append(
            CaseSet(
                name=name,
                cases=tuple(
                    case
                    for row, edited in pairs
                    for case in (Case(sample=row, good=True), Case(sample=replace(row, response=edited), good=False))
                ),
            )
        )
    return sets


_NAME = re.compile(r"(?<=\s)[A-Z][a-z]{2,}\b")
_NUMBER = re.compile(r"\d+")
_VERB = re.compile(r"\b(?:is|was|are|were|has|have|had|can|could|will|would)\b")
_NEGATION = re.compile(r"\b(?:not|no|never|none|without)\b|n['’]t\b", re.IGNORECASE)


def _other_number(text: str, rng: random.Random) -> str | None:
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    place = rng.choice(found)
    other = int(place.group()) + rng.randint(1, 9)
    return f"{text[: place.start()]}{other}{text[place.end() :]}"


def _other_name(text: str, names: Sequence[str], rng: random.Random) -> str | None:
    found = list(_NAME.finditer(text))
    others = [name for name in names if name not in text]
    if not found or not others:
        return None
    place = rng.choice(found)
    return f"{text[: place.start()]}{rng.choice(others)}{text[place.end() :]}"


def _negated(text: str) -> str | None:
    verb = _VERB.search(text)
    if verb is None or _NEGATION.search(text):
        return None
    return f"{text[: verb.end()]} not{text[verb.end() :]}"


def _of_equal_length(samples: Sequence[Sample]) -> tuple[Case, ...]:
    """As many good as bad answers of each number of words, twins included: length then tells nothing."""
    by_length: defaultdict[int, dict[bool, list[Sample]]] = defaultdict(lambda: {True: [], False: []})
    for sample in samples:
        answers = [(sample.response, is_faithful(sample))]
        if "other_response" in sample.metadata:
            answers.append((sample.metadata["other_response"], not is_faithful(sample)))
        for answer, good in answers:
            by_length[len((answer or "").split())][good].append(replace(sample, response=answer))
    cases = []
    for _, kinds in sorted(by_length.items()):
        count = min(len(kinds[True]), len(kinds[False]))
        cases += [Case(sample=sample, good=good) for good in (True, False) for sample in kinds[good][:count]]
    return tuple(cases)


def _rightly(sample: Sample) -> Sample | None:
    if is_faithful(sample):
        return sample
    other = sample.metadata.get("other_response")
    return replace(sample, response=other) if other is not None else None


def _with_other_rows(name: str, samples: tuple[Sample, ...], seed: int) -> LabelledFile:
    rng = random.Random(seed)
    held = [stems("\n".join(sample.retrieved_contexts or ())) for sample in samples]
    counts = Counter(word for words in held for word in words)
    rarity = {word: math.log(len(samples) / count) for word, count in counts.items()}
    random_rows, nearest_rows = [], []
    for sample in samples:
        others = [index for index, other in enumerate(samples) if other.retrieved_contexts != sample.retrieved_contexts]
        asked = stems(sample.user_input)

        def shared(index: int, asked: set[str] = asked) -> float:
            return sum(rarity[word] for word in asked & held[index])

        random_rows.append(samples[rng.choice(others)])
        nearest_rows.append(samples[max(others, key=shared)])
    return LabelledFile(name=name, samples=samples, random_rows=tuple(random_rows), nearest_rows=tuple(nearest_rows))
