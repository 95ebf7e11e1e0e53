"""The seams: what the stages ask of a model, an embedding model and a metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pytest_ragas.values.model import Answer, EmbeddedCritic, Message, ModelIdentity
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

JSONSchema = Mapping[str, Any]


@runtime_checkable
class LLM(Protocol):
    """A critic or generator LLM: messages and a JSON schema in, a validated object and usage out."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is; part of every score's identity."""

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Answer once, in the structure of `schema`.

        Args:
            messages: The conversation so far, at least one user message.
            schema: JSON Schema (draft 2020-12) of an object; its `title` names the structure.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused; another try would not help.
            StructureError: An answer, but not in the structure.
        """

    async def aclose(self) -> None:
        """Let go of connections and threads. Called once, on the loop that `ask` ran on."""


@runtime_checkable
class Embeddings(Protocol):
    """An embedding model: texts in, one vector each out."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is; part of every score's identity."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Vectors of the texts, in order, all of one length; they need not be normalised.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused; another try would not help.
        """

    async def aclose(self) -> None:
        """Let go of connections and threads. Called once, on the loop that `embed` ran on."""


class Metric(Protocol):
    """A configured metric. Scoring returns; it keeps nothing."""

    @property
    def name(self) -> str:
        """Its name as users write it."""

    async def score(self, sample: Sample) -> Score:
        """Measure one sample that has every field of the metric's spec.

        Raises:
            PytestRagasError: There is no score, and why; the caller makes it a `ScoreFailure`.
        """


Backend = Literal["native", "embedded", "ragas", "free"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricContext:
    """What a metric's factory may use."""

    critic: LLM | EmbeddedCritic
    embeddings: Embeddings | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """`[tool.pytest-ragas.metric_options.<metric>]`, e.g. weights of answer_correctness."""
    name: str = ""
    """The name as the user asked for it; the metric's scores carry it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSpec:
    """What is known of a metric before it is built: nothing heavy is imported to read it."""

    name: str
    """snake_case, the field's standard name: "faithfulness"."""
    backend: Backend
    """native: our prompts and an LLM. embedded: a measure of the wording. free: needs no model.
    ragas: ragas' own class through our seam."""
    needs: frozenset[str]
    """Fields of the sample that must be there."""
    uses: frozenset[Literal["llm", "embeddings"]]
    """Models that must be configured."""
    factory: Callable[[MetricContext], Metric]
    """Builds it; imports what it needs inside."""
    version: str
    """Changes whenever the same answers may get another score; part of the score's identity."""
    summary: str
    """One line for `--help`, docs and errors."""
    higher_is_better: bool = True
    options: frozenset[str] = frozenset()
    """Names that `MetricContext.options` may hold."""
    depends_on: frozenset[str] | None = None
    """The fields of the sample that decide the score, beside models, options and version; any of its metadata by its
    name, or all of it as "metadata". Then the score itself is stored, and found without building the metric. None: it
    is computed every time; what its models answer is stored all the same."""
    uses_with: Callable[[Mapping[str, Any]], frozenset[Literal["llm", "embeddings"]]] | None = None
    """The models that must be configured under these options, where that depends on them; None: always `uses`."""
