"""`WordingCritic`: what can be told of a candidate by its wording alone, where no critic LLM judges.

It makes no call. What it finds wrong has the same names as in `quality`: a question that speaks of "the text", one
whose words the passages do not hold, a reference whose sentences they do not carry, and, of a question over several
passages, a reference that one of them carries alone. What takes more than words to tell (an inference, a question
without an answer, a language) it does not judge: `check` says so before any call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pytest_ragas.errors import ConfigurationError, NothingToJudgeError
from pytest_ragas.protocols import Metric, QuestionDraft, QuestionType
from pytest_ragas.testset.generate import quality
from pytest_ragas.testset.generate.row import asked
from pytest_ragas.values.model import ModelIdentity
from pytest_ragas.values.sample import Sample

_CARRIED = 0.5
"""Support from which on a passage carries a sentence; that of the embedded metrics."""
_ABOUT = 0.5
"""Share of a question's words that one of its passages must hold."""
_POINTING = re.compile(
    r"\b(?:the|this|that|these|those|given|above|following|provided)\s+"
    r"(?:texts?|passages?|contexts?|documents?|paragraphs?|sentences?|sections?|tables?|excerpts?|focus)\b"
    r"|\baccording to\b",
    re.IGNORECASE,
)
"""English words by which a question points at what its reader does not see."""


class WordingCritic:
    """Judges candidates by the embedded metrics."""

    def __init__(self, identity: ModelIdentity, *, faithfulness: Metric, relevancy: Metric) -> None:
        """
        Args:
            identity: Of the embedded critic.
            faithfulness: How far contexts carry each sentence of a response, as its evidence.
            relevancy: How much of a question's wording the best context holds.
        """
        self.identity = identity
        self._faithfulness = faithfulness
        self._relevancy = relevancy

    def check(self, kinds: Iterable[QuestionType], language: str) -> None:
        """Find out before any call whether it can judge these question types.

        Raises:
            ConfigurationError: It cannot; says which, and what to do.
        """
        beyond = [kind.name for kind in kinds if kind.requirement or not kind.answerable]
        what = ", ".join(beyond) if beyond else f"language={language!r}" if language else ""
        if what:
            raise ConfigurationError(
                f"The embedded critic compares words, and cannot judge {what} of a generated testset. Name an LLM in "
                "[tool.pytest-ragas.critic_llm], or leave it out: simple and multi_context it can judge."
            )

    async def judge(self, draft: QuestionDraft, contexts: Sequence[str]) -> str:
        """Why a candidate is rejected; empty if it is not.

        Args:
            draft: What the generator LLM wrote.
            contexts: Its passages.
        """
        question = asked(draft)
        if _POINTING.search(question):
            return quality.NOT_SELF_CONTAINED
        try:
            about = await self._relevancy.score(Sample(user_input=question, retrieved_contexts=tuple(contexts)))
            if about.value < _ABOUT:
                return quality.UNANSWERED
            if not await self._carried(draft.answer, contexts):
                return quality.UNSUPPORTED
            if len(contexts) > 1:
                for context in contexts:
                    if await self._carried(draft.answer, [context]):
                        return quality.ONE_IS_ENOUGH
        except NothingToJudgeError:  # question or reference without a word that says anything
            return quality.UNSUPPORTED
        return ""

    async def _carried(self, answer: str, contexts: Sequence[str]) -> bool:
        """Whether the contexts carry every sentence of an answer."""
        sample = Sample(user_input="-", response=answer, retrieved_contexts=tuple(contexts))
        score = await self._faithfulness.score(sample)
        return all(finding.value >= _CARRIED for finding in score.evidence)
