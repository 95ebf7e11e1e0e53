"""`Slots`: the rows of one generation, filled concurrently, and the same ones whoever answers first.

A slot is filled on its own: a candidate is written and judged; a rejected one is followed by the next, from another
passage. When every slot has a candidate, duplicates are found, slot by slot in order, and those slots go on. So nothing
that is decided depends on which answer came first: the same seed and the same answers give the same rows.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pytest_ragas.errors import StructureError
from pytest_ragas.protocols import LLM, QuestionDraft, QuestionTask, QuestionType
from pytest_ragas.testset.generate import quality, simple
from pytest_ragas.testset.generate.duplicates import Questions
from pytest_ragas.testset.generate.judging import Judging
from pytest_ragas.testset.generate.material import Material
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.testset.generate.related import Related, Vector
from pytest_ragas.testset.generate.report import Report
from pytest_ragas.testset.generate.respond import respond
from pytest_ragas.testset.generate.row import asked, row_of
from pytest_ragas.testset.generate.stopping import Stopped
from pytest_ragas.values.document import Chunk, Document
from pytest_ragas.values.sample import Sample

T = TypeVar("T")
U = TypeVar("U")

_NEIGHBOURS = 3
"""Most related chunks that take turns as the partner of a chunk, from candidate to candidate."""
_JUDGED = 3
"""Calls that judging a candidate takes one after the other, where the documents answer it."""
_SEARCHED = 5
"""Passages nearest to a question that must not answer it, if it is to be unanswerable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    draft: QuestionDraft
    chunks: tuple[Chunk, ...]
    vector: Vector


class Slots:
    """One generation under way; belongs to one event loop."""

    def __init__(
        self,
        kinds: Sequence[QuestionType],
        *,
        documents: Mapping[str, Document],
        chunks: tuple[Chunk, ...],
        recipe: Recipe,
        llm: LLM,
        judging: Judging,
        related: Related,
        questions: Questions,
        material: Material,
        progress: Callable[[int, int], None],
        stop: threading.Event,
        urgent: Callable[[int], object] = lambda calls: None,
    ) -> None:
        """
        Args:
            kinds: The question type of each slot.
            documents: By path.
            chunks: Of all documents.
            recipe: What the testset shall be like.
            llm: The generator LLM; asks nothing more once `stop` is set, as does whoever judges, and embeddings.
            judging: Whom candidates must pass.
            related: Which chunks belong together.
            questions: Those that are taken.
            material: What candidates are written from.
            progress: Told how many slots have a candidate, and of how many.
            stop: Set when a model fails: the others need not go on.
            urgent: Told before the calls of a row how many are still to come, one after the other.
        """
        self._kinds = kinds
        self._documents = documents
        self._chunks = chunks
        self._recipe = recipe
        self._llm = llm
        self._judging = judging
        self._related = related
        self._questions = questions
        self._material = material
        self._progress = progress
        self._stop = stop
        self._urgent = urgent
        self._tried = [0] * len(kinds)
        self._ready: set[int] = set()
        self._accepted: dict[int, _Candidate] = {}
        self._rejected: dict[str, Counter[str]] = defaultdict(Counter)

    async def rows(self) -> tuple[Sample, ...]:
        """Rows of all slots that could be filled within the budget, in order.

        Raises:
            ModelError: A model did not answer.
            Stopped: Somebody said stop.
        """
        quotas = dict.fromkeys(range(len(self._kinds)), self._recipe.attempts)
        while quotas:
            # longest first: they decide when the last one is ready
            begun = sorted(quotas, key=lambda slot: (-self._kinds[slot].calls, slot))
            found = dict(zip(begun, await self._all([self._fill(slot, quotas[slot]) for slot in begun]), strict=True))
            for slot in sorted(found):
                self._accept(slot, found[slot])
            quotas = self._shared_out()
        rows = [
            row_of(one.draft, self._kinds[slot], one.chunks, self._documents, generator=self._llm.identity.name)
            for slot, one in sorted(self._accepted.items())
        ]
        if self._recipe.respond and len(rows) == len(self._kinds):
            rows = await self._all([respond(row, self._documents, self._llm) for row in rows])
        return tuple(rows)

    def report(self, wanted: Mapping[str, int], *, documents: int) -> Report:
        """What it took so far."""
        made = Counter(self._kinds[slot].name for slot in self._accepted)
        return Report(
            wanted=wanted,
            made={name: made[name] for name in wanted},
            rejected={name: dict(counts) for name, counts in self._rejected.items()},
            candidates=sum(self._tried),
            chunks=len(self._chunks),
            documents=documents,
        )

    def _accept(self, slot: int, candidate: _Candidate | None) -> None:
        if candidate is None:
            return
        if self._questions.add(asked(candidate.draft), candidate.vector):
            self._accepted[slot] = candidate
        else:
            self._ready.discard(slot)
            self._rejected[self._kinds[slot].name][quality.DUPLICATE] += 1

    def _shared_out(self) -> dict[int, int]:
        """What is left of the budget of all, for the slots that have no row yet."""
        waiting = [slot for slot in range(len(self._kinds)) if slot not in self._accepted]
        left = self._recipe.attempts * len(self._kinds) - sum(self._tried)
        quotas = {
            slot: left // len(waiting) + (place < left % len(waiting)) for place, slot in enumerate(waiting) if left > 0
        }
        return {slot: quota for slot, quota in quotas.items() if quota}

    async def _fill(self, slot: int, quota: int) -> _Candidate | None:
        """The first candidate that passes; None if none of `quota` does."""
        kind = self._kinds[slot]
        for _ in range(quota):
            attempt, self._tried[slot] = self._tried[slot], self._tried[slot] + 1
            found = await self._candidate(kind, slot, attempt)
            if isinstance(found, _Candidate):
                self._ready.add(slot)
                self._progress(len(self._ready), len(self._kinds))
                return found
            self._rejected[kind.name][found] += 1
        return None

    async def _candidate(self, kind: QuestionType, slot: int, attempt: int) -> _Candidate | str:
        """A candidate that passed, or why it did not."""
        at, focus = self._material.pick(slot, attempt)
        self._urgent(kind.calls + _JUDGED)
        first = QuestionTask(
            llm=self._llm,
            chunks=(self._chunks[at],),
            focus=focus,
            language=self._recipe.language,
            attempt=attempt,
        )
        try:
            task = await self._with_others(first, kind, at) if kind.chunks > 1 else first
            draft = await kind.write(task)
            if not draft.question.strip() or not draft.answer.strip():
                return quality.EMPTY
            judging = self._judge(draft, kind, task.chunks, at)
            (why, vector) = await _both(judging, self._questions.vector(asked(draft)))
        except StructureError:
            return quality.MALFORMED
        return why or _Candidate(draft=draft, chunks=task.chunks, vector=vector)

    async def _with_others(self, first: QuestionTask, kind: QuestionType, at: int) -> QuestionTask:
        """The task with as many related passages as its type needs; its simple question is written meanwhile."""
        if kind.evolves:
            seed, partners = await _both(simple.write(first), self._related.partners(at))
        else:
            seed, partners = None, await self._related.partners(at)
        turn = first.attempt % min(_NEIGHBOURS, len(partners) - kind.chunks + 2)
        others = partners[turn : turn + kind.chunks - 1]
        return replace(first, chunks=(*first.chunks, *(self._chunks[other] for other in others)), seed=seed)

    async def _judge(self, draft: QuestionDraft, kind: QuestionType, chunks: Sequence[Chunk], at: int) -> str:
        contexts = [chunk.text for chunk in chunks]
        if not kind.answerable:
            nearest = await self._related.nearest(draft.question, _SEARCHED)
            contexts = [self._chunks[place].text for place in dict.fromkeys([at, *nearest])]
        return await self._judging.judge(draft, kind, contexts)

    async def _all(self, work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Results of all the work. If one fails, nothing further is asked, and what is under way is waited for."""

        async def watched(piece: Coroutine[Any, Any, T]) -> T:
            try:
                return await piece
            except Exception:
                self._stop.set()
                raise

        results = await asyncio.gather(*map(watched, work), return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            # who was only stopped by it says nothing of why
            raise next((error for error in failed if not isinstance(error, Stopped)), failed[0])
        return [result for result in results if not isinstance(result, BaseException)]


async def _both(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Both results. None is cancelled because of the other: what is under way is paid for, and its answer stored."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second
