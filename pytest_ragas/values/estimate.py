"""`Estimate`: what a run would ask and cost, as far as it can be known before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.sample import Sample

Basis = Literal["recorded", "row", "assumed"]
"""Where the answer of a test comes from. recorded: the testset has it, and nothing can replace it. row: the testset has
one, but the test may bring another. assumed: nobody knows it before the RAG has answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One test that a run would score."""

    sample: Sample
    """With an assumed answer where none is known."""
    basis: Basis
    metrics: tuple[str, ...] | None = None
    """Its own; None: those of the settings."""
    thresholds: tuple[tuple[str, float | None], ...] = ()
    repeats: int | None = None
    critic: str = ""
    """Where the suite brings a critic LLM of its own; empty for the one of the settings."""
    embeddings: str = ""
    """The same of the embeddings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EstimateLine:
    """What one metric would ask of one model."""

    metric: str
    role: str
    identity: ModelIdentity
    usage: Usage
    usd: float | None
    """US dollars; None where no price is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What a run would ask."""

    lines: tuple[EstimateLine, ...]
    tests: int
    """Tests that would be scored."""
    basis: tuple[tuple[Basis, int], ...]
    """How many of them have their answer from where."""
    scores: int
    """Scores that ask a model, repeats counted each."""
    stored: int
    """Those among them for which nothing is asked: they are stored, or the same as another one of the run."""
    replays: bool
    """Whether the run asks for nothing at all (`--ragas-cache=replay`)."""
    repeated: bool
    """Whether rows are judged several times, or fewer times where their verdict is decided before."""
    problems: tuple[str, ...]
    """What could not be estimated, and why."""
