"""`RagasWriter`: ragas' knowledge graph of our passages, and what its TestsetGenerator writes from it."""

from __future__ import annotations

import functools
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ragas.errors import GenerationError, PytestRagasError, StructureError, cut
from pytest_ragas.libraries.ragas_door import ragas_modules
from pytest_ragas.protocols import LLM, Embeddings, QuestionDraft
from pytest_ragas.testset.generate.from_ragas.in_thread import in_thread, seeded
from pytest_ragas.testset.generate.from_ragas.synthesizers import synthesizers
from pytest_ragas.testset.generate.from_ragas.talk import EmbeddingSeam, LLMSeam, Talk
from pytest_ragas.values.document import Chunk

T = TypeVar("T")

_HOP = "-hop>\n\n"
"""Ends the mark that ragas puts before each passage of a question over several."""
_PERSONAS = 3
"""Ragas' own number of imagined readers."""
_WHAT = "A testset of ragas' generator"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A candidate, as ragas wrote it."""

    draft: QuestionDraft
    contexts: tuple[str, ...]
    """Its passages, without ragas' marks."""
    notes: Mapping[str, str]
    """What ragas says of it: synthesizer_name, persona_name, query_style, query_length."""


def import_ragas() -> str:
    """Import what is needed of ragas, on the caller's thread; its version.

    Raises:
        MissingExtraError: It is not installed.
        ConfigurationError: It is, but cannot be imported.
    """
    ragas = _library()
    return str(ragas.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Library:
    version: str
    llm: Any
    embeddings: Any
    graph: Any
    transforms: Any
    default_transforms: Any
    tokenizers: Any
    generate: Any
    persona: Any
    run_config: Any


@functools.cache
def _library() -> _Library:
    names = (
        "_version llms.base embeddings.base testset.graph testset.transforms testset.transforms.default tokenizers "
        "testset.synthesizers.generate testset.persona run_config utils testset.synthesizers.multi_hop "
        "testset.synthesizers.single_hop.specific"
    ).split()
    modules = dict(zip(names, ragas_modules(*names, what=_WHAT), strict=True))
    return _Library(
        version=str(modules["_version"].version),
        llm=type("RagasLLM", (LLMSeam, modules["llms.base"].InstructorBaseRagasLLM), {}),
        embeddings=type("RagasEmbeddings", (EmbeddingSeam, modules["embeddings.base"].BaseRagasEmbedding), {}),
        graph=modules["testset.graph"],
        transforms=modules["testset.transforms"],
        default_transforms=modules["testset.transforms.default"],
        tokenizers=modules["tokenizers"],
        generate=modules["testset.synthesizers.generate"],
        persona=modules["testset.persona"],
        run_config=modules["run_config"].RunConfig(max_workers=-1),  # our limits hold, not ragas'
    )


class RagasWriter:
    """Reads the passages once, and writes candidates as often as it is asked. Belongs to the engine's loop."""

    def __init__(self, chunks: Sequence[Chunk], *, llm: LLM, embeddings: Embeddings, language: str, seed: int) -> None:
        """
        Args:
            chunks: What ragas gets as documents that are cut already, so that it never says they are too short.
            llm: The generator LLM.
            embeddings: Of ragas' summaries.
            language: Of questions and answers; empty for ragas' own choice.
            seed: Decides what ragas chooses at random.
        """
        ragas = self._ragas = _library()
        self._talk = Talk()
        self._llm = ragas.llm(self._talk, llm)
        self._embeddings = ragas.embeddings(self._talk, embeddings)
        self._language = language
        self._seed = seed
        self._graph = ragas.graph.KnowledgeGraph(nodes=[_node(ragas, chunk) for chunk in chunks])
        self._personas: list[Any] = []

    async def read(self) -> None:
        """Let ragas extract what it needs of every passage, and imagine readers.

        Raises:
            GenerationError: Ragas fails.
            ModelError: A model did not answer.
        """
        await self._run(self._read)

    async def write(self, wanted: Mapping[str, int], *, turn: int) -> dict[str, list[Written]]:
        """Candidates by question type, as many as ragas makes of so many wanted.

        Args:
            wanted: Question type -> candidates.
            turn: Number of the round, from 0; decides with the seed what is chosen.

        Returns:
            Types that ragas finds no passages for are missing.

        Raises:
            GenerationError: Ragas fails.
            ModelError: A model did not answer.
        """
        return await self._run(lambda: self._write(wanted, turn))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await in_thread(work)
        except Exception as error:
            problem = self._talk.error or error
            if isinstance(problem, StructureError):
                raise GenerationError(
                    f"Ragas' generator needs every answer, and one did not come in its structure: {problem} "
                    'Take a stronger LLM, or leave out generator="ragas": ours goes on with another passage.'
                ) from error
            if isinstance(problem, PytestRagasError):
                raise problem from error
            raise GenerationError(
                f"Ragas' generator failed with {type(problem).__name__}: {cut(str(problem))} Give more documents, "
                'another chunk size, or leave out generator="ragas".'
            ) from error
        finally:
            await self._talk.settle()

    # what follows runs in ragas' thread

    def _read(self) -> None:
        ragas, graph = self._ragas, self._graph
        steps = ragas.default_transforms.default_transforms_for_prechunked(self._llm, self._embeddings)
        for step in steps:
            for part in getattr(step, "transformations", [step]):
                if hasattr(part, "tokenizer"):
                    part.tokenizer = _characters()
            ragas.transforms.apply_transforms(graph, step, ragas.run_config)
        with seeded("personas", self._seed):
            self._personas = ragas.persona.generate_personas_from_kg(graph, self._llm, num_personas=_PERSONAS)

    def _write(self, wanted: Mapping[str, int], turn: int) -> dict[str, list[Written]]:
        ragas = self._ragas
        with seeded("order", self._seed, turn):
            # ragas goes through the passages in order until it has enough
            self._graph.nodes.sort(key=lambda node: node.id.hex)
            random.shuffle(self._graph.nodes)
        found = synthesizers(self._llm, self._graph, tuple(wanted), language=self._language, seed=(self._seed, turn))
        size = sum(wanted[kind] for kind in found)
        if not size:
            return {}
        generator = ragas.generate.TestsetGenerator(
            llm=self._llm,
            embedding_model=self._embeddings,
            knowledge_graph=self._graph,
            persona_list=list(self._personas),
        )
        # of each, ragas makes as many as its share of the size, rounded up
        shares = [(one, (wanted[kind] - 0.5) / size) for kind, one in found.items()]
        with seeded("readers", self._seed, turn):
            testset = generator.generate(size, query_distribution=shares, num_personas=_PERSONAS)
        written: dict[str, list[Written]] = {kind: [] for kind in found}
        for sample in testset.samples:
            # the synthesizer was given the name of its question type, and its class still has its own
            kind = sample.synthesizer_name
            written[kind].append(_written(sample.eval_sample, type(found[kind]).name))
        return written


def _written(sample: Any, synthesizer: str) -> Written:
    said = {name: getattr(sample, name, None) for name in ("persona_name", "query_style", "query_length")}
    return Written(
        draft=QuestionDraft(question=(sample.user_input or "").strip(), answer=(sample.reference or "").strip()),
        contexts=tuple(_unmarked(text) for text in sample.reference_contexts or ()),
        notes={"synthesizer_name": synthesizer, **{name: str(value) for name, value in said.items() if value}},
    )


def _unmarked(text: str) -> str:
    mark, hop, passage = text.partition(_HOP)
    return passage if hop and mark.startswith("<") and mark[1:].isdigit() else text


def _node(ragas: _Library, chunk: Chunk) -> Any:
    # the same passage is the same node in every run: ragas' choices depend on the order of ids
    name = f"{chunk.path} {chunk.start} {chunk.end} {chunk.text}"
    return ragas.graph.Node(
        id=uuid.uuid5(uuid.NAMESPACE_URL, name),
        type=ragas.graph.NodeType.CHUNK,
        properties={"page_content": chunk.text, "document_metadata": {"source": chunk.path}},
    )


@functools.cache
def _characters() -> Any:
    """A tokenizer that takes each character for a token.

    Ragas' own downloads its vocabulary, only to find out that a passage has fewer than 32,000 tokens.
    """

    class Characters(_library().tokenizers.BaseTokenizer):  # type: ignore[misc]
        def encode(self, text: str) -> list[int]:
            return list(map(ord, text))

        def decode(self, tokens: Sequence[int]) -> str:
            return "".join(map(chr, tokens))

    return Characters()
