"""Testsets generated: the models of a session, put to work on documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.local.known import KNOWN
from pytest_ragas.protocols import LLM, Embeddings, Metric
from pytest_ragas.scoring.engine import AT_ONCE
from pytest_ragas.scoring.limits import current_order
from pytest_ragas.session.session import CONFIGURED, Session
from pytest_ragas.testset.generate.from_ragas.writer import import_ragas
from pytest_ragas.testset.generate.generate import Generated, generate
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.testset.generate.types import QuestionTypes
from pytest_ragas.testset.generate.wording import WordingCritic
from pytest_ragas.values.document import Document
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.sample import Sample

T = TypeVar("T")

_TOLD = 0.1
"""Seconds between two reports of progress; and Ctrl-C does not interrupt a longer wait on Windows."""
_LAST_ANSWERS = 10.0
"""Seconds after Ctrl-C that calls under way are waited for, so that their answers are stored. A second one ends it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationModels:
    """Who writes and who judges; all of them limited, retried, metered, paid for and stored."""

    generator: LLM
    critic: LLM | WordingCritic
    """The critic LLM of the suite. Where that is none that can be asked: the wording, if the embedded critic was asked
    for or the generator LLM is known to be no judge, else the generator LLM."""
    embeddings: Embeddings | None


def generation_models(
    session: Session, *, generator: object = CONFIGURED, critic: object = CONFIGURED, embeddings: object = None
) -> GenerationModels:
    """The models that a testset is generated with.

    Args:
        session: Of this process.
        generator: What the `ragas_generator_llm` fixture gave; `CONFIGURED` for the one of the settings.
        critic: What the `ragas_critic_llm` fixture gave; `CONFIGURED` for the one of the settings.
        embeddings: What the `ragas_embeddings` fixture gave; None for the ones of the settings.

    Raises:
        ConfigurationError: There is no LLM that could write; says both ways out.
    """
    writing = session.generating(generator)
    if not isinstance(writing, LLM):
        raise ConfigurationError(
            f"No generator LLM: {str(writing.identity)!r} answers no prompt, and cannot write a testset. Either name "
            "an LLM in [tool.pytest-ragas.generator_llm] (model_name and api_base, or model_name_or_path of a local "
            "one), or put the testset file there yourself: generated elsewhere with pytest-ragas generate and "
            "committed, or written by hand."
        )
    judging = session.evaluator(critic, embeddings)
    judge: LLM | WordingCritic = judging.critic if isinstance(judging.critic, LLM) else writing
    if isinstance(judging.critic, EmbeddedCritic):
        asked_for = critic is not CONFIGURED or "critic_llm" in session.settings.origin
        if asked_for or (writing.identity.provider == "transformers" and writing.identity.name in KNOWN):
            judge = _by_wording(session, judging.critic)
    return GenerationModels(generator=writing, critic=judge, embeddings=judging.embeddings)


def _by_wording(session: Session, critic: EmbeddedCritic) -> WordingCritic:
    def metric(name: str) -> Metric:
        return session.registry.build(f"embedded:{name}", critic=critic).metric

    return WordingCritic(critic.identity, faithfulness=metric("faithfulness"), relevancy=metric("context_relevancy"))


def generate_rows(
    session: Session,
    documents: Sequence[Document],
    recipe: Recipe,
    *,
    models: GenerationModels,
    types: QuestionTypes,
    wanted: Mapping[str, int] | None = None,
    kept: Sequence[Sample] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Generate rows on the engine, and wait for them.

    Ctrl-C stops it: no further call is made, those under way are waited for (10 s at most) and stored, so that a rerun
    asks for none of them again.

    Args:
        session: Of this process.
        documents: What the testset is about.
        recipe: What it shall be like.
        models: Who writes and judges.
        types: Every question type.
        wanted: Rows by question type, in place of those of the recipe.
        kept: Rows that the testset has already.
        progress: Told, on the caller's thread, how many rows are judged well, and of how many; often.

    Raises:
        PytestRagasError: As `generate` does.
    """
    if recipe.generator == "ragas":
        import_ragas()  # takes seconds, and belongs to this thread
    stop = threading.Event()
    standing = (0, 0)

    def note(ready: int, of: int) -> None:
        nonlocal standing
        standing = (ready, of)

    def faithfulness(critic: LLM) -> Metric:
        return session.registry.build("native:faithfulness", critic=critic, make=session.make_metric).metric

    async def work() -> Generated:
        return await generate(
            documents,
            recipe,
            llm=models.generator,
            critic=models.critic,
            embeddings=models.embeddings,
            faithfulness=faithfulness,
            types=types,
            wanted=wanted,
            kept=kept,
            progress=note,
            stop=stop,
            urgent=lambda calls: current_order.set(AT_ONCE - calls),
        )

    future = session.engine.submit(work, order=AT_ONCE)
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    try:
        while not done.wait(_TOLD):
            if progress is not None and standing[1]:
                progress(*standing)
        return future.result()
    except KeyboardInterrupt:
        stop.set()
        _wait_at_most(future, _LAST_ANSWERS)
        raise


def _wait_at_most(future: Future[T], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not future.done() and time.monotonic() < deadline:
        time.sleep(0.02)
    future.cancel()
