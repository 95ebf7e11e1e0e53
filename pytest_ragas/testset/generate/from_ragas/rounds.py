"""`Rounds`: rows of ragas' generator, held to what ours are held to, until there are as many as wanted.

Ragas makes about as many samples as it is asked for: more, where a share is rounded up, or fewer, where no imagined
reader fits a theme. So it is asked in rounds, each for what is missing, and a round chooses other passages, themes,
readers and styles than the one before.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_ragas.errors import ConfigurationError, StructureError
from pytest_ragas.protocols import LLM, Embeddings, QuestionType
from pytest_ragas.testset.generate import quality
from pytest_ragas.testset.generate.duplicates import Questions
from pytest_ragas.testset.generate.from_ragas.synthesizers import WRITES
from pytest_ragas.testset.generate.from_ragas.writer import RagasWriter, Written
from pytest_ragas.testset.generate.judging import Judging
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.testset.generate.related import Vector
from pytest_ragas.testset.generate.report import Report
from pytest_ragas.testset.generate.respond import respond
from pytest_ragas.testset.generate.row import row_of
from pytest_ragas.values.document import Chunk, Document
from pytest_ragas.values.sample import Sample

NOT_VERBATIM = "contexts not verbatim"
ONE_PASSAGE = "written from one passage"
NOT_RELATED = "ragas finds no related passages"
NOT_WRITTEN = "ragas wrote no more"


class Rounds:
    """One generation under way; belongs to one event loop."""

    def __init__(
        self,
        kinds: Mapping[str, QuestionType],
        wanted: Mapping[str, int],
        *,
        documents: Mapping[str, Document],
        chunks: Sequence[Chunk],
        recipe: Recipe,
        llm: LLM,
        embeddings: Embeddings,
        judging: Judging,
        questions: Questions,
        progress: Callable[[int, int], None],
        stop: threading.Event,
    ) -> None:
        """
        Args:
            kinds: The question types, by name.
            wanted: Rows of each; none of another type.
            documents: By path.
            chunks: Of all documents.
            recipe: What the testset shall be like.
            llm: The generator LLM.
            embeddings: Of ragas' summaries.
            judging: Whom candidates must pass.
            questions: Those that are taken.
            progress: Told how many rows there are, and of how many.
            stop: Set when a model fails: the others need not go on.
        """
        self._kinds = {kind.name: kind for kind in as_ragas_has_them(kinds)}
        self._wanted = dict(wanted)
        self._documents = documents
        self._chunks = {chunk.text: chunk for chunk in reversed(chunks)}
        self._passages = len(chunks)
        self._recipe = recipe
        self._llm = llm
        self._writer = RagasWriter(
            list(self._chunks.values())[::-1],
            llm=llm,
            embeddings=embeddings,
            language=recipe.language,
            seed=recipe.seed,
        )
        self._judging = judging
        self._questions = questions
        self._progress = progress
        self._stop = stop
        self._candidates = 0
        self._rows: dict[str, list[Sample]] = {kind: [] for kind in wanted}
        self._rejected: dict[str, Counter[str]] = defaultdict(Counter)

    async def rows(self) -> tuple[Sample, ...]:
        """Rows of all types as far as they could be made, in the order of the types.

        Raises:
            GenerationError: Ragas fails.
            ModelError: A model did not answer.
            Stopped: Somebody said stop.
        """
        await self._writer.read()
        for turn in range(self._recipe.attempts):
            missing = self._missing()
            if not missing:
                break
            written = await self._writer.write(missing, turn=turn)
            for kind in missing.keys() - written.keys():
                self._rejected[kind][NOT_RELATED] = missing[kind]
            if not written:
                break
            await self._take(written)
        for kind, count in self._missing().items():
            if not self._rejected[kind]:
                self._rejected[kind][NOT_WRITTEN] = count
        rows = [row for kind in self._wanted for row in self._rows[kind]]
        if self._recipe.respond and not self._missing():
            rows = list(await asyncio.gather(*(respond(row, self._documents, self._llm) for row in rows)))
        return tuple(rows)

    def report(self, wanted: Mapping[str, int], *, documents: int) -> Report:
        """What it took so far."""
        return Report(
            wanted=wanted,
            made={kind: len(self._rows.get(kind, ())) for kind in wanted},
            rejected={name: dict(counts) for name, counts in self._rejected.items()},
            candidates=self._candidates,
            chunks=self._passages,
            documents=documents,
        )

    def _missing(self) -> dict[str, int]:
        missing = {kind: count - len(self._rows[kind]) for kind, count in self._wanted.items()}
        return {kind: count for kind, count in missing.items() if count}

    async def _take(self, written: Mapping[str, Sequence[Written]]) -> None:
        """Judge candidates, all at once, and take those that pass in the order in which ragas has them."""
        all_of_them = [(kind, one) for kind, candidates in written.items() for one in candidates]
        found = await asyncio.gather(*(self._judged(kind, one) for kind, one in all_of_them), return_exceptions=True)
        failed = [outcome for outcome in found if isinstance(outcome, BaseException)]
        if failed:
            raise failed[0]
        for (kind, one), outcome in zip(all_of_them, found, strict=True):
            assert not isinstance(outcome, BaseException)
            why, vector = outcome
            if len(self._rows[kind]) == self._wanted[kind]:
                continue  # ragas rounds up: more than wanted is no candidate
            self._candidates += 1
            if not why and not self._questions.add(one.draft.question, vector):
                why = quality.DUPLICATE
            if why:
                self._rejected[kind][why] += 1
                continue
            self._rows[kind].append(self._row(kind, one))
            self._progress(sum(map(len, self._rows.values())), sum(self._wanted.values()))

    async def _judged(self, kind: str, one: Written) -> tuple[str, Vector]:
        """Why a candidate is rejected, or "" and what its question is compared by."""
        if not one.draft.question or not one.draft.answer:
            return quality.EMPTY, ()
        if any(context not in self._chunks for context in one.contexts) or not one.contexts:
            return NOT_VERBATIM, ()
        if kind != "simple" and len(set(one.contexts)) < 2:
            return ONE_PASSAGE, ()
        try:
            why = await self._judging.judge(one.draft, self._kinds[kind], one.contexts)
        except StructureError:
            return quality.MALFORMED, ()
        except Exception:
            self._stop.set()
            raise
        return why, () if why else await self._questions.vector(one.draft.question)

    def _row(self, kind: str, one: Written) -> Sample:
        row = row_of(
            one.draft,
            self._kinds[kind],
            [self._chunks[context] for context in one.contexts],
            self._documents,
            generator=self._llm.identity.name,
        )
        return replace(row, metadata={**row.metadata, **one.notes})


def as_ragas_has_them(kinds: Mapping[str, QuestionType]) -> tuple[QuestionType, ...]:
    """The question types without their requirements: those are what our steps aim at, and ragas has aims of its own.

    Raises:
        ConfigurationError: Ragas does not write one of them.
    """
    beyond = [name for name in kinds if name not in WRITES]
    if beyond:
        raise ConfigurationError(
            f'generator="ragas" writes {", ".join(WRITES)}, and not {", ".join(beyond)}. Leave the one or the other '
            "out of the recipe."
        )
    return tuple(replace(kind, requirement="") for kind in kinds.values())
