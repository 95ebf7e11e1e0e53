"""`Judging`: a candidate before whoever judges it in this generation, an LLM or the wording alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pytest_ragas.protocols import LLM, Metric, QuestionDraft, QuestionType
from pytest_ragas.testset.generate import quality
from pytest_ragas.testset.generate.wording import WordingCritic


class Judging:
    """Judges in one language."""

    def __init__(
        self,
        critic: LLM | WordingCritic,
        *,
        faithfulness: Callable[[LLM], Metric],
        language: str = "",
        urgent: Callable[[int], object] = lambda calls: None,
    ) -> None:
        """
        Args:
            critic: Who judges.
            faithfulness: Builds our own metric for a critic LLM.
            language: Of questions and answers; empty for that of the documents.
            urgent: Told before calls how many are still to come, one after the other.
        """
        self._critic = critic
        self._language = language
        self._urgent = urgent
        self._faithfulness = None if isinstance(critic, WordingCritic) else faithfulness(critic)

    def check(self, kinds: Iterable[QuestionType]) -> None:
        """Find out before any call whether these question types can be judged.

        Raises:
            ConfigurationError: One cannot.
        """
        if isinstance(self._critic, WordingCritic):
            self._critic.check(kinds, self._language)

    async def judge(self, draft: QuestionDraft, kind: QuestionType, contexts: Sequence[str]) -> str:
        """Why a candidate is rejected; empty if it is not.

        Args:
            draft: What was written.
            kind: What it shall be.
            contexts: Its passages; of a question that shall have no answer, the passages nearest to it.

        Raises:
            StructureError: The critic's verdict is none.
            ModelError: It gave none.
        """
        if isinstance(self._critic, WordingCritic):
            return await self._critic.judge(draft, contexts)
        assert self._faithfulness is not None
        return await quality.judge(
            draft,
            kind,
            contexts,
            critic=self._critic,
            language=self._language,
            faithfulness=self._faithfulness,
            urgent=self._urgent,
        )
