"""The seams: what the stages ask of a model, an embedding model and a metric."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pytest_ragas.values.document import Chunk
from pytest_ragas.values.likelihood import Likelihood
from pytest_ragas.values.model import Answer, EmbeddedCritic, Message, ModelIdentity, Usage
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

        Return `values.model.Vectors` where it is known what they cost; a plain list is one request of no tokens.

        Raises:
            TransientModelError: No answer, but worth another try.
            RejectedRequestError: Refused; another try would not help.
        """

    async def aclose(self) -> None:
        """Let go of connections and threads. Called once, on the loop that `embed` ran on."""


@runtime_checkable
class LikelihoodCritic(Protocol):
    """A causal language model that is not asked anything, but reads: texts in, log-probabilities out.

    It answers no prompt. Metrics see it and take their `likelihood` backend.
    """

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is; part of every score's identity."""

    async def likelihoods(
        self, statements: Sequence[str], *, context: str, question: str = "", yes_no: bool = False
    ) -> Sequence[Likelihood]:
        """How likely each statement is, without and with the context; each on its own, in order.

        Args:
            statements: Texts that are not blank.
            context: What the statements may follow from.
            question: What they are said in answer to; stands before each of them in either case.
            yes_no: Whether to ask, too, if the context supports each statement (`Likelihood.yes`).

        Raises:
            ModelError: It does not fit into what the model can read, or the model gave no numbers.
            ConfigurationError: The model cannot be loaded.
        """

    async def aclose(self) -> None:
        """Let go of the model and its thread. Called once, on the loop that `likelihoods` ran on."""


Critic = LLM | EmbeddedCritic | LikelihoodCritic
"""Who judges: an LLM that answers prompts, or one of the two critics that answer none."""


async def _may_always(so_far: Usage) -> None:
    """Where nobody counts."""


another_request: ContextVar[Callable[[Usage], Awaitable[None]]] = ContextVar(
    "ragas_another_request", default=_may_always
)
"""For a client that sends several requests to answer one call: `await another_request.get()(so_far)` before the second
and each further one, with what the earlier ones have cost. Raises `BudgetError` where it must not be sent."""


def _any_length() -> int | None:
    """Where there is no budget."""
    return None


answer_room: ContextVar[Callable[[], int | None]] = ContextVar("ragas_answer_room", default=_any_length)
"""For a client whose configuration says no `max_tokens`: `answer_room.get()()` before each request is how many tokens
of an answer the budget of the run has room for; None where it does not matter."""


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


Backend = Literal["native", "embedded", "likelihood", "ragas", "free"]

Uses = Literal["llm", "likelihood", "embeddings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricContext:
    """What a metric's factory may use."""

    critic: Critic
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
    """native: our prompts and an LLM. embedded: a measure of the wording. likelihood: what a causal language model
    finds likely. free: needs no model. ragas: ragas' own class through our seam."""
    needs: frozenset[str]
    """Fields of the sample that must be there."""
    uses: frozenset[Uses]
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
    uses_with: Callable[[Mapping[str, Any]], frozenset[Uses]] | None = None
    """The models that must be configured under these options, where that depends on them; None: always `uses`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionTask:
    """What one question of a testset is to be written from."""

    llm: LLM
    """The generator LLM."""
    chunks: tuple[Chunk, ...]
    """As many passages as the question type asks for, related to each other."""
    focus: str
    """A sentence of the first chunk: what the question should be about, so that questions on one chunk differ."""
    language: str = ""
    """The language that question and answer should be in; empty for that of the chunks."""
    attempt: int = 0
    """How many candidates for this row were rejected before; each is written from other chunks or another focus."""
    seed: QuestionDraft | None = None
    """The simple question on the first chunk that this one evolves from, where it is written already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionDraft:
    """A question as the generator LLM wrote it, before the critic LLM has looked at it."""

    question: str
    """The question alone: of a conversation, its last turn."""
    answer: str
    """The right answer."""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier turns of the conversation: (question, answer)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionType:
    """A kind of question that a testset may hold a share of."""

    name: str
    """snake_case; the key of the distribution."""
    write: Callable[[QuestionTask], Awaitable[QuestionDraft]]
    """Writes one candidate. Raises what the generator LLM raises."""
    version: str
    """Changes whenever the same answers of the generator LLM may become another question."""
    summary: str
    """One line for docs and errors."""
    chunks: int = 1
    """From how many related chunks a question is written."""
    requirement: str = ""
    """What the critic LLM must find true of the question, beside what holds for every type; one sentence."""
    answerable: bool = True
    """Whether the documents hold the answer; otherwise the critic LLM must find that they do not."""
    calls: int = 1
    """Requests that `write` makes."""
    evolves: bool = False
    """Whether it evolves from a simple question on its first chunk: that one is then written while related chunks are
    still being looked for, and handed over as the task's `seed`."""
