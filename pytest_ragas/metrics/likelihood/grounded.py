"""faithfulness, response_groundedness and context_recall on likelihoods: how far the contexts explain a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_ragas.errors import cut
from pytest_ragas.metrics.embedded.sentences import sentences
from pytest_ragas.metrics.likelihood.share import calibrated_yes, explained, least_explained
from pytest_ragas.metrics.native.inputs import contexts_of, nothing_in, text_of
from pytest_ragas.metrics.options import choice
from pytest_ragas.metrics.requirements import require_likelihood
from pytest_ragas.protocols import LikelihoodCritic, MetricContext
from pytest_ragas.values.likelihood import Likelihood
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

MEASURES = ("explained", "yes_no")

_WORDS_SHOWN = 3
_WORD_SHOWN = 40
_SURPRISING = 3.0
"""Nats: one in twenty. What a model expects with a better chance than that is not worth a mention."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounded:
    """Mean over the sentences of a text of the share of their surprisal that the retrieved contexts explain."""

    name: str
    critic: LikelihoodCritic
    text: Literal["response", "reference"]
    """Whose sentences: of the response for faithfulness, of the reference for context_recall."""
    measure: str = "explained"
    """One of `MEASURES`."""

    @classmethod
    def of_response(cls, context: MetricContext) -> Grounded:
        """Does the response keep to the contexts?"""
        return cls._of(context, "response")

    @classmethod
    def of_reference(cls, context: MetricContext) -> Grounded:
        """Do the contexts hold what the right answer says?"""
        return cls._of(context, "reference")

    @classmethod
    def _of(cls, context: MetricContext, text: Literal["response", "reference"]) -> Grounded:
        measure = choice(context.options, "measure", MEASURES, metric=context.name, default="explained")
        return cls(name=context.name, critic=require_likelihood(context), text=text, measure=measure)

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: The text or the contexts are empty.
            ModelError: The model did not read them; they may be longer than what it can read.
        """
        contexts = [context.strip() for context in contexts_of(sample, self.name) if context.strip()]
        statements = sentences(text_of(sample, self.text, self.name))
        if not statements:  # nothing but list markers and citation marks
            raise nothing_in(sample, self.text, self.name)
        read = await self.critic.likelihoods(
            statements,
            context="\n\n".join(contexts),
            question=sample.user_input.strip(),
            yes_no=self.measure == "yes_no",
        )
        evidence = tuple(self._finding(likelihood) for likelihood in read)
        value = sum(finding.value for finding in evidence) / len(evidence)
        return Score(metric=self.name, value=value, reason=self._reason(evidence), evidence=evidence)

    def _finding(self, likelihood: Likelihood) -> Finding:
        if self.measure == "yes_no":
            value = calibrated_yes(likelihood)
            reason = f"log-odds of yes {likelihood.yes:.1f} with the contexts, {likelihood.yes_alone:.1f} without"
            return Finding(kind="sentence", text=likelihood.statement, value=value, reason=reason, part=self.text)
        value = explained(likelihood)
        alone, given = -sum(likelihood.alone), -sum(likelihood.given)
        reason = f"surprisal {alone:.1f} nats, {given:.1f} once the contexts were read"
        surprising = least_explained(likelihood, most=_WORDS_SHOWN, above=_SURPRISING)
        if surprising:
            words = ", ".join(f"{cut(word.text, _WORD_SHOWN)!r} {word.given:.1f}" for word in surprising)
            reason += f"; least expected: {words}"
        return Finding(kind="sentence", text=likelihood.statement, value=value, reason=reason, part=self.text)

    def _reason(self, evidence: tuple[Finding, ...]) -> str:
        well = sum(not finding.bad for finding in evidence)
        count = f"{well} of {len(evidence)} sentence{'' if len(evidence) == 1 else 's'}"
        if self.measure == "yes_no":
            return f"the model leans to yes more with the contexts than without them for {count} of the {self.text}"
        return f"the contexts explain at least half of what surprises in {count} of the {self.text}"
