"""`generate`: documents and a recipe to rows, written by a generator LLM and judged by a critic LLM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_ragas.errors import ConfigurationError, GenerationError
from pytest_ragas.protocols import LLM, Embeddings, Metric, QuestionType
from pytest_ragas.testset.documents.chunks import split
from pytest_ragas.testset.generate.allocate import allocate
from pytest_ragas.testset.generate.builtin import question_types
from pytest_ragas.testset.generate.duplicates import questions_of
from pytest_ragas.testset.generate.from_ragas.rounds import Rounds, as_ragas_has_them
from pytest_ragas.testset.generate.judging import Judging
from pytest_ragas.testset.generate.material import Material
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.testset.generate.related import Related
from pytest_ragas.testset.generate.report import Report
from pytest_ragas.testset.generate.slots import Slots
from pytest_ragas.testset.generate.stopping import StoppableEmbeddings, StoppableLLM
from pytest_ragas.testset.generate.types import QuestionTypes
from pytest_ragas.testset.generate.wording import WordingCritic
from pytest_ragas.values.document import Chunk, Document
from pytest_ragas.values.sample import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Generated:
    """A testset as it came."""

    rows: tuple[Sample, ...]
    """Of the wanted types, in their order; exactly as many as wanted."""
    report: Report


async def generate(
    documents: Sequence[Document],
    recipe: Recipe,
    *,
    llm: LLM,
    critic: LLM | WordingCritic | None = None,
    embeddings: Embeddings | None = None,
    faithfulness: Callable[[LLM], Metric],
    types: QuestionTypes | None = None,
    wanted: Mapping[str, int] | None = None,
    kept: Sequence[Sample] = (),
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
    urgent: Callable[[int], object] = lambda calls: None,
) -> Generated:
    """Write a testset.

    Args:
        documents: What it is about; at least one.
        recipe: What it shall be like.
        llm: The generator LLM, guarded and stored: whatever it answers is asked for once.
        critic: The critic LLM; None for the generator LLM; or the wording alone, which makes no call.
        embeddings: Find related passages and duplicates; None: by wording.
        faithfulness: Builds our own metric for a critic.
        types: Every question type that the recipe may name; None for the built-in ones.
        wanted: Rows by question type, in place of those of the recipe.
        kept: Rows that the testset has already: no question of theirs is asked again.
        progress: Told, on this loop, how many rows are judged well, and of how many.
        stop: Once set, no further call is made; those under way are waited for.
        urgent: Told, in the context of a row's calls and before them, how many are still to come one after the other.
            Where calls wait for each other, those of whom most are to come decide when the last row is ready.

    Returns:
        Exactly the wanted rows.

    Raises:
        UnknownNameError: The recipe names a question type that does not exist.
        ConfigurationError: Ragas cannot write, or the wording alone cannot judge, a question type of the recipe; or
            ragas has no embeddings.
        MissingExtraError: The recipe asks for ragas, which is not installed.
        GenerationError: Rows could not be made within the budget of candidates; how many, and why.
        Stopped: `stop` was set.
        ModelError: A model did not answer.
        BudgetError: A call has no room in the budget of the run.
    """
    types = question_types() if types is None else types
    types.check(recipe.distribution)
    counts = allocate(recipe.distribution, recipe.test_size) if wanted is None else dict(wanted)
    kinds = {name: types.get(name) for name, count in counts.items() if count}
    stop = threading.Event() if stop is None else stop
    chunks = tuple(chunk for document in documents for chunk in split(document, size=recipe.chunk_size))
    _check_chunks(chunks, kinds)
    writing = StoppableLLM(llm, stop)
    critic_llm = writing if critic is None or isinstance(critic, WordingCritic) else StoppableLLM(critic, stop)
    judging = Judging(
        critic if isinstance(critic, WordingCritic) else critic_llm,
        faithfulness=faithfulness,
        language=recipe.language,
        urgent=urgent,
    )
    judging.check(as_ragas_has_them(kinds) if recipe.generator == "ragas" else kinds.values())
    comparing = None if embeddings is None else StoppableEmbeddings(embeddings, stop)
    by_path = {document.path: document for document in documents}
    questions = await questions_of([row.user_input for row in kept], comparing)
    progress = progress or (lambda made, of: None)
    work: Slots | Rounds
    if recipe.generator == "ragas":
        work = Rounds(
            kinds,
            {name: counts[name] for name in kinds},
            documents=by_path,
            chunks=chunks,
            recipe=recipe,
            llm=writing,
            embeddings=_needed(comparing),
            judging=judging,
            questions=questions,
            progress=progress,
            stop=stop,
        )
    else:
        work = Slots(
            [kind for name, kind in kinds.items() for _ in range(counts[name])],
            documents=by_path,
            chunks=chunks,
            recipe=recipe,
            llm=writing,
            judging=judging,
            related=Related(chunks, comparing),
            questions=questions,
            material=Material(chunks, seed=recipe.seed, asked=[place for row in kept for place in _places(row)]),
            progress=progress,
            stop=stop,
            urgent=urgent,
        )
    rows = await work.rows()
    report = work.report(counts, documents=len(documents))
    if report.missing:
        raise GenerationError(
            f"{report.failure()}\nThe budget was {recipe.attempts} candidates for each row. Give more documents, "
            "another distribution, or more attempts; what was judged well is stored, and costs nothing again."
        )
    return Generated(rows=rows, report=report)


def _needed(embeddings: StoppableEmbeddings | None) -> StoppableEmbeddings:
    if embeddings is None:
        raise ConfigurationError(
            'generator="ragas" compares its summaries of the passages by embeddings, and none are configured. Name '
            'some in [tool.pytest-ragas.embeddings], for example model_name_or_path = "minilm".'
        )
    return embeddings


def _check_chunks(chunks: Sequence[Chunk], kinds: Mapping[str, QuestionType]) -> None:
    if not chunks:
        raise GenerationError("The documents hold no passage that a question could be asked about.")
    for name, kind in kinds.items():
        if len(chunks) < kind.chunks:
            raise GenerationError(
                f"No row of {name} can be made: such a question is written from {kind.chunks} passages, and the "
                f"documents give {len(chunks)}. Give more documents, a smaller chunk size, or leave {name} out."
            )


def _places(row: Sample) -> list[tuple[str, int, int]]:
    sources = row.metadata.get("sources")
    if not isinstance(sources, Sequence):
        return []
    return [
        (source["path"], source["start"], source["end"])
        for source in sources
        if isinstance(source, Mapping) and {"path", "start", "end"} <= source.keys()
    ]
