"""`GuardedLikelihood`: a likelihood critic as the metrics see it, with limiter and meter around each reading."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.errors import ModelError
from pytest_ragas.protocols import LikelihoodCritic
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.values.likelihood import Likelihood
from pytest_ragas.values.model import ModelIdentity


class GuardedLikelihood:
    """Satisfies `LikelihoodCritic`. Readings get their slot in the order of scoring, and are counted.

    Nothing is retried and nothing has a price: the model runs on this machine.
    """

    def __init__(self, critic: LikelihoodCritic, *, limiter: Limiter, meter: Meter) -> None:
        """
        Args:
            critic: The model itself.
            limiter: Gives each reading its slot; one `child()` for each model.
            meter: Counts the readings.
        """
        self._critic = critic
        self._limiter = limiter
        self._meter = meter
        self.consulted = False
        """Whether a stored score of its was used."""

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._critic.identity

    async def likelihoods(
        self, statements: Sequence[str], *, context: str, question: str = "", yes_no: bool = False
    ) -> Sequence[Likelihood]:
        """The model's own.

        Raises:
            ModelError: Whatever the model raised, or it read another number of statements than it was given.
        """
        async with self._limiter.slot():
            with self._meter.request():
                read = await self._critic.likelihoods(statements, context=context, question=question, yes_no=yes_no)
        if len(read) != len(statements):
            raise ModelError(f"{self.identity} gave {len(read)} likelihoods for {len(statements)} statements.")
        return read

    async def aclose(self) -> None:
        """Let go of the model."""
        await self._critic.aclose()
