"""`StoredMetric`: a metric that computes a score only where none is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from pytest_ragas.errors import InvalidScoreError, JudgementStoreError, MissingJudgementError, StructureError
from pytest_ragas.judgements import key as keys
from pytest_ragas.judgements.asking import ASKING, Asking
from pytest_ragas.judgements.judgement import FORMAT_VERSION, Judgement
from pytest_ragas.judgements.judgements import Judgements
from pytest_ragas.judgements.stored_embeddings import StoredEmbeddings
from pytest_ragas.judgements.stored_llm import StoredLLM
from pytest_ragas.protocols import LikelihoodCritic, Metric, MetricContext, MetricSpec
from pytest_ragas.values.model import ModelIdentity
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

# made once: json.dumps would make an encoder for each sample
_TEXT_OF = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr).encode


class StoredMetric:
    """Satisfies `Metric`. Its metric is not built, nor what it imports imported, before a score must be computed.

    The score is stored if the spec says what it depends on (`MetricSpec.depends_on`), and if every model that it
    uses is one whose answers are stored. For any other metric, this only notes who asks.
    """

    def __init__(
        self, spec: MetricSpec, context: MetricContext, judgements: Judgements, *, repeat: Callable[[], int]
    ) -> None:
        """
        Args:
            spec: What is known of the metric.
            context: What it is built with; its models are a `StoredLLM` and `StoredEmbeddings` where their answers
                are stored. A likelihood critic's are not: they are many numbers, and the score is what is stored.
            judgements: Where scores are found and kept.
            repeat: Which repetition of the same judgement this is.
        """
        self.name = context.name
        self._spec = spec
        self._context = context
        self._judgements = judgements
        self._repeat = repeat
        self._metric: Metric | None = None
        uses = spec.uses_with(context.options) if spec.uses_with else spec.uses
        self._critic = context.critic if uses & {"llm", "likelihood"} else None
        self._embeddings = context.embeddings if "embeddings" in uses else None
        stored = (
            spec.depends_on is not None
            and isinstance(self._critic, (StoredLLM, LikelihoodCritic, type(None)))
            and isinstance(self._embeddings, (StoredEmbeddings, type(None)))
        )
        self._fields: tuple[str, ...] | None = tuple(sorted(spec.depends_on or ())) if stored else None
        self._reads = stored and isinstance(self._critic, LikelihoodCritic)
        self._head: tuple[object, bytes] = ((), b"")
        if self._fields is None or spec.backend in ("native", "likelihood"):
            # nothing is gained by waiting: the one is always computed, the other imports nothing, and both say
            # at once what is wrong with an option
            self._metric = spec.factory(context)

    def stored(self, sample: Sample) -> Score | None:
        """The stored score, if it is at hand: nothing is waited for, imported or asked.

        Raises:
            JudgementStoreError: In `replay`: what is stored cannot be read.
        """
        if self._fields is None or not self._judgements.at_once:
            return None
        return self._score_of(self._judgements.find("score", self._key(sample)))

    async def score(self, sample: Sample) -> Score:
        """The stored score; else the metric's, which is stored.

        Raises:
            PytestRagasError: There is no score, and why; that is never stored.
        """
        key = ""
        if self._fields is not None:
            key = self._key(sample)
            found = self._score_of(await self._judgements.afind("score", key))
            if found is not None:
                return found
        asker = Asking(metric=self.name, sample=sample.id)
        token = ASKING.set(asker)
        try:
            if self._reads and self._judgements.replays:
                # of what it reads, nothing but the score is stored
                what = f"{self.name} of this row by {self._critic.identity if self._critic else ''}"
                raise self._judgements.missing("score", what, request=self._request(sample), role="critic LLM")
            if self._metric is None:
                self._metric = self._spec.factory(self._context)
            score = await self._metric.score(sample)
        except MissingJudgementError as error:
            request = self._request(sample) if key else None
            raise self._judgements.explained(error, metric=self.name, sample=sample.id, score=request) from error
        except StructureError:
            if not asker.unanswered:
                # the critic answered in the structure, but not what the metric can use (a verdict for a statement
                # that nobody asked about): the next run must ask again, and not fail for ever
                self._judgements.forget(asker.answers)
            raise
        finally:
            ASKING.reset(token)
        if key and isinstance(score, Score):
            self._judgements.keep(
                Judgement(
                    kind="score",
                    key=key,
                    metric=self.name,
                    sample=sample.id,
                    request=self._request(sample),
                    content=score.to_json(),
                    answers=tuple(asker.answers),
                )
            )
        return score

    def _key(self, sample: Sample) -> str:
        """Of everything that decides the score: of the metric once, of each sample anew."""
        models = self._models()
        if self._head[0] != models:
            self._head = (models, keys.digest([FORMAT_VERSION, "score", self._made_with(models)]).encode("ascii"))
        assert self._fields is not None
        content = [keys.sample_content(sample, self._fields), self._repeat()]
        return hashlib.sha256(self._head[1] + _TEXT_OF(content).encode("ascii")).hexdigest()[:32]

    def _request(self, sample: Sample) -> dict[str, Any]:
        assert self._fields is not None
        values = keys.sample_content(sample, self._fields)
        return {
            **self._made_with(self._models()),
            "repeat": self._repeat(),
            "sample": {name: keys.short(value) for name, value in zip(self._fields, values, strict=True)},
        }

    def _models(self) -> tuple[ModelIdentity | None, ModelIdentity | None]:
        return (
            self._critic.identity if self._critic is not None else None,
            self._embeddings.identity if self._embeddings is not None else None,
        )

    def _made_with(self, models: tuple[ModelIdentity | None, ModelIdentity | None]) -> dict[str, Any]:
        critic, embeddings = models
        return keys.score_request(self._spec, options=self._context.options, critic=critic, embeddings=embeddings)

    def _score_of(self, content: Any) -> Score | None:
        """A stored score under the name that is asked for now."""
        if content is None:
            return None
        for model in (self._critic, self._embeddings):
            if model is not None and hasattr(model, "consulted"):
                model.consulted = True
        try:
            better = bool(content["higher_is_better"]) and self._spec.higher_is_better
            return Score.from_json({**content, "metric": self.name, "higher_is_better": better})
        except (AttributeError, KeyError, TypeError, ValueError, InvalidScoreError) as error:
            raise JudgementStoreError(
                f"A stored score of {self.name} is none ({error}). Somebody has edited it; record it anew."
            ) from None
