"""`Session`: the models, metrics and engine of one process of a run."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, MutableSequence, Sequence
from concurrent.futures import Future
from typing import Any

from pytest_ragas.baselines.digests import digest
from pytest_ragas.errors import PytestRagasError
from pytest_ragas.judgements.judgements import JudgementCounts, Judgements
from pytest_ragas.judgements.opening import open_judgements, without_keys
from pytest_ragas.judgements.stored_embeddings import StoredEmbeddings
from pytest_ragas.judgements.stored_llm import StoredLLM
from pytest_ragas.judgements.stored_metric import StoredMetric
from pytest_ragas.metrics.registry import BuiltMetric, Registry
from pytest_ragas.models.adapt import as_embeddings, as_llm
from pytest_ragas.models.build import build_embeddings, build_llm
from pytest_ragas.models.in_language import InLanguage
from pytest_ragas.protocols import LLM, Critic, Embeddings, LikelihoodCritic, Metric, MetricContext, MetricSpec
from pytest_ragas.reports.progress import Standing
from pytest_ragas.scoring.budget import Budget, Limits, Purse
from pytest_ragas.scoring.calls import GuardedEmbeddings, GuardedLLM, Meter, current_repeat
from pytest_ragas.scoring.engine import Engine
from pytest_ragas.scoring.likelihoods import GuardedLikelihood
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.shares import static_share
from pytest_ragas.session.evaluator import Evaluator
from pytest_ragas.settings.prices import cost_of, price_of
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.model import EmbeddedCritic, ModelIdentity, Usage
from pytest_ragas.values.recorded import MetricIdentity
from pytest_ragas.values.run import ModelUse, SampleResult

DEFAULT_METRICS = ("faithfulness", "answer_relevancy")
"""What a marked test is scored with where neither it nor the configuration names a metric."""

CONFIGURED = object()
"""Stands for the critic LLM of the settings. None does not: a fixture that lacks its `return` gives None."""


class Session:
    """The models, metrics and engine of one process, built when first needed and closed once."""

    def __init__(
        self, settings: Settings, registry: Registry, *, age: float = 0.0, worker: tuple[int, int] = (0, 1)
    ) -> None:
        """
        Args:
            settings: What the run is configured to do.
            registry: The metrics that there are.
            age: Seconds since the run began.
            worker: Which of the run's processes this is, from 0, and how many there are.
        """
        self.settings = settings
        self._worker = worker
        self.registry = registry
        self.engine = Engine(concurrency=settings.concurrency)
        self.limiter = Limiter(settings.concurrency)
        self.budget = Budget(Limits(calls=settings.max_calls, tokens=settings.max_tokens, usd=settings.max_usd))
        if settings.max_seconds is not None:
            over, why = time.monotonic() - age + settings.max_seconds, time_is_up(settings.max_seconds)
            self.limiter.close_at(over, why)
            self.budget.close_at(over, why)
        self._order = itertools.count()
        self._handed_over = 0
        self._counting = threading.Lock()  # answers of a target arrive in its own thread
        self._unscored: set[Future[SampleResult]] = set()
        self._critic: Critic | None = None
        self._generator: Critic | None = None
        self._embeddings: Embeddings | None = None
        self._meters: dict[tuple[str, ModelIdentity], Meter] = {}
        self._embedded: dict[ModelIdentity, None] = {}
        self._metrics: dict[MetricIdentity, None] = {}
        # keyed by identity of the object: a fixture's value may not be hashable. The object is kept
        # beside its guard so that its id is not given to another one.
        self._guarded: dict[tuple[str, int], tuple[object, Any]] = {}
        self._asked: dict[tuple[str, ModelIdentity], LLM | LikelihoodCritic | Embeddings] = {}
        # by id: a model in two roles is one server, and is let go of once
        self._limiters: dict[int, Limiter] = {}
        self._judgements: Judgements | PytestRagasError | None = None
        self._opened = False

    # ---- judgements -----------------------------------------------------------------------------

    def judgements(self) -> Judgements | None:
        """What was judged before, opened once; None where nothing is stored (`--ragas-cache=off`).

        Raises:
            JudgementStoreError: It must be replayed from, and cannot be read; the same error every time.
        """
        if not self._opened:
            try:
                self._judgements = open_judgements(self.settings)
            except PytestRagasError as error:
                self._judgements = error
            self._opened = True
        if isinstance(self._judgements, PytestRagasError):
            raise self._judgements.with_traceback(None)
        return self._judgements

    def judged(self) -> JudgementCounts:
        """How much of what this process judged was stored before, and how much was new."""
        return self._judgements.counts if isinstance(self._judgements, Judgements) else JudgementCounts()

    def finish(self) -> tuple[str, ...]:
        """Everything has been judged: write what is not written yet.

        Returns:
            What could not be stored, and the mend; for the user to see once.
        """
        if not isinstance(self._judgements, Judgements):
            return ()
        self._judgements.finish()
        return self._judgements.notes

    def _callable(self, settings: ModelSettings) -> ModelSettings:
        """Settings of a model as far as this run needs them: one that only replays needs no key."""
        return without_keys(settings) if self.settings.cache == "replay" else settings

    def make_metric(self, spec: MetricSpec, context: MetricContext) -> Metric:
        """A metric that asks for nothing that is stored."""
        asks = any(isinstance(model, (StoredLLM, StoredEmbeddings)) for model in (context.critic, context.embeddings))
        asks = asks or (isinstance(context.critic, LikelihoodCritic) and is_stored(context.critic))
        if (spec.uses and asks) or (not spec.uses and spec.depends_on is not None):
            judgements = self.judgements()
            if judgements is not None:
                return StoredMetric(spec, context, judgements, repeat=current_repeat.get)
        return spec.factory(context)

    # ---- models ---------------------------------------------------------------------------------

    def critic(self) -> Critic:
        """The critic LLM of the settings, built once."""
        if self._critic is None:
            self._critic = build_llm(self._callable(self.settings.critic_llm))
        return self._critic

    def generator(self) -> Critic:
        """The generator LLM of the settings, built once; the critic LLM where none is configured."""
        if self.settings.generator_llm is None:
            return self.critic()
        if self._generator is None:
            self._generator = build_llm(self._callable(self.settings.generator_llm))
        return self._generator

    def embeddings(self) -> Embeddings | None:
        """The embeddings of the settings, built once; None where none are configured."""
        if self._embeddings is None and self.settings.embeddings is not None:
            self._embeddings = build_embeddings(self._callable(self.settings.embeddings))
        return self._embeddings

    def evaluator(self, critic: object = CONFIGURED, embeddings: object = None) -> Evaluator:
        """An evaluator that judges with these models.

        Args:
            critic: What the `ragas_critic_llm` fixture gave; `CONFIGURED` for the one of the settings.
            embeddings: What the `ragas_embeddings` fixture gave; None for the ones of the settings.
        """
        return Evaluator(
            self,
            self._guard_llm(self.critic() if critic is CONFIGURED else critic),
            self._guard_embeddings(self.embeddings() if embeddings is None else embeddings),
        )

    def generating(self, generator: object = CONFIGURED) -> Critic:
        """The generator LLM as testsets are written with it: limited, retried, metered, paid for and stored.

        It belongs to the engine's loop. The same object whenever it is asked for.

        Args:
            generator: What the `ragas_generator_llm` fixture gave; `CONFIGURED` for the one of the settings.
        """
        value = self.generator() if generator is CONFIGURED else generator
        settings = self.settings.generator_llm or self.settings.critic_llm
        return self._guard_llm(value, role="generator LLM", settings=settings, fixture="ragas_generator_llm")

    def _guard_llm(
        self,
        value: object,
        *,
        role: str = "critic LLM",
        settings: ModelSettings | None = None,
        fixture: str = "ragas_critic_llm",
    ) -> Critic:
        settings = settings or self.settings.critic_llm

        def build() -> Critic:
            llm = as_llm(value, settings, fixture=fixture)
            if isinstance(llm, EmbeddedCritic):
                return llm
            if isinstance(llm, LikelihoodCritic):
                return GuardedLikelihood(llm, limiter=self._limiter(llm, settings), meter=self._meter(role, llm))
            if role == "critic LLM" and self.settings.reason_language:
                llm = InLanguage(llm, self.settings.reason_language)
            asked = GuardedLLM(
                llm,
                limiter=self._limiter(llm, settings),
                retry=Retry.for_timeout(settings.timeout),
                meter=self._meter(role, llm),
                role=role,
                purse=self._purse(llm.identity),
            )
            judgements = self.judgements() if is_stored(llm) else None
            return StoredLLM(asked, judgements, repeat=current_repeat.get, role=role) if judgements else asked

        guarded: Critic = self._once(role, value, build)
        return guarded

    def _guard_embeddings(self, value: object) -> Embeddings | None:
        if value is None:
            return None

        settings = self.settings.embeddings or ModelSettings()

        def build() -> Embeddings:
            model = as_embeddings(value, self.settings.embeddings)
            asked = GuardedEmbeddings(
                model,
                limiter=self._limiter(model, settings),
                retry=Retry.for_timeout(settings.timeout),
                meter=self._meter("embeddings", model),
                purse=self._purse(model.identity),
            )
            judgements = self.judgements() if is_stored(model) else None
            return StoredEmbeddings(asked, judgements) if judgements else asked

        guarded: Embeddings = self._once("embeddings", value, build)
        return guarded

    def _once(self, role: str, value: object, build: Callable[[], Any]) -> Any:
        key = (role, id(value))
        if key not in self._guarded:
            self._guarded[key] = (value, build())
        return self._guarded[key][1]

    def _limiter(self, model: LLM | LikelihoodCritic | Embeddings, settings: ModelSettings) -> Limiter:
        if id(model) not in self._limiters:
            number, workers = self._worker
            most = settings.concurrency and static_share(settings.concurrency, workers, number)
            self._limiters[id(model)] = self.limiter.child(most)
            self.engine.on_close(model.aclose)
        return self._limiters[id(model)]

    def _meter(self, role: str, model: LLM | LikelihoodCritic | Embeddings) -> Meter:
        self._asked[role, model.identity] = model
        return self._meters.setdefault((role, model.identity), Meter())

    def _purse(self, identity: ModelIdentity) -> Purse | None:
        price = price_of(identity, self.settings)
        counts = self.budget.limits.any or self.settings.max_seconds is not None
        return self.budget.purse(identity, price) if counts else None

    def note_embedded(self, identity: ModelIdentity) -> None:
        """A metric of the embedded critic was built: it makes no calls that a meter could count."""
        self._embedded.setdefault(identity)

    def note_metric(self, built: BuiltMetric, options: Mapping[str, Any]) -> None:
        """A metric was built: runs are compared only where it is computed in the same way."""
        identity = MetricIdentity(
            metric=built.name,
            backend=built.spec.backend,
            version=built.spec.version,
            options=digest(dict(options)) if options else "",
        )
        self._metrics.setdefault(identity)

    def metrics(self) -> tuple[MetricIdentity, ...]:
        """How this process computes the metrics that it has built, each once."""
        return tuple(self._metrics)

    def models(self) -> tuple[ModelUse, ...]:
        """The models that judged in this process, and what they cost so far; not those that nobody asked.

        One whose stored judgements were used has judged too, and cost nothing.
        """
        consulted = {
            (role, guarded.identity)
            for (role, _), (_, guarded) in self._guarded.items()
            if isinstance(guarded, (StoredLLM, StoredEmbeddings, GuardedLikelihood)) and guarded.consulted
        }
        used = [
            ModelUse(role=role, identity=identity, usage=meter.usage, notes=_notes(self._asked[role, identity]))
            for (role, identity), meter in self._meters.items()
            if meter.usage.calls or (role, identity) in consulted
        ]
        measured = [ModelUse(role="critic LLM", identity=identity) for identity in self._embedded]
        return (*measured, *used)

    def standing(self) -> Standing:
        """How far scoring is; may be asked from any thread, at any time."""
        meters = tuple(self._meters.items())
        usage = sum((meter.usage for _, meter in meters), Usage())
        return Standing(
            scored=self._handed_over - len(self._unscored),
            total=self._handed_over,
            in_flight=sum(meter.in_flight for _, meter in meters),
            calls=usage.calls,
            tokens=usage.prompt_tokens + usage.completion_tokens,
            usd=sum(cost_of(meter.usage, self.settings.prices.get(model.name)) for (_, model), meter in meters),
        )

    def wanted(
        self,
        *,
        metrics: Sequence[str] | None = None,
        thresholds: Mapping[str, float | None] | None = None,
        defaults: bool = True,
        where: str = "",
    ) -> tuple[tuple[str, ...], tuple[Threshold, ...]]:
        """What `Evaluator.plan` builds, before anything is built: no model is needed to ask.

        Args:
            metrics: The test's own metrics; None for those of the settings.
            thresholds: The test's own thresholds, over those of the settings; None takes one away.
            defaults: Whether the settings' metrics and thresholds apply at all.
            where: Where metrics and thresholds were written, for messages.

        Returns:
            The metrics to score and the thresholds to hold them to, in standard spelling.

        Raises:
            UnknownNameError: A metric does not exist.
        """
        settings, canonical = self.settings, self.registry.canonical
        own = {canonical(metric, where=where): bound for metric, bound in (thresholds or {}).items()}
        names = [canonical(metric, where=where) for metric in (metrics if metrics is not None else ())]
        bounds: dict[str, float | None] = {}
        if defaults:
            configured = {canonical(threshold.metric): threshold.bound for threshold in settings.thresholds}
            if metrics is None:
                names = [canonical(metric) for metric in settings.metrics]
                bounds.update(configured)
            else:
                bounds.update({name: bound for name, bound in configured.items() if name in names})
        bounds.update(own)
        held = {name: bound for name, bound in bounds.items() if bound is not None}
        wanted = tuple(dict.fromkeys([*names, *held]))
        if not wanted and defaults:
            wanted = tuple(canonical(metric) for metric in DEFAULT_METRICS)
        return wanted, tuple(Threshold(metric=name, bound=bound) for name, bound in held.items())

    # ---- work -----------------------------------------------------------------------------------

    def submit(
        self,
        work: Callable[[], Coroutine[Any, Any, SampleResult]],
        *,
        order: int | None = None,
        records: MutableSequence[logging.LogRecord] | None = None,
    ) -> Future[SampleResult]:
        """Run a coroutine on the engine.

        Args:
            work: Makes the coroutine.
            order: Place in line, smallest first; `AT_ONCE` for what somebody waits for right now; None for behind
                everything that was submitted so.
            records: Takes what the coroutine logs.
        """
        future = self.engine.submit(work, order=next(self._order) if order is None else order, records=records)
        with self._counting:
            self._handed_over += 1
        self._unscored.add(future)
        future.add_done_callback(self._unscored.discard)
        return future

    def at_hand(self, result: SampleResult) -> Future[SampleResult]:
        """The future of a result that need not be waited for: no thread, no event loop."""
        with self._counting:
            self._handed_over += 1
        future: Future[SampleResult] = Future()
        future.set_result(result)
        return future

    def close(self) -> None:
        """Cancel what is under way and let go of every connection. Never raises, may be called twice."""
        self.engine.close()
        if isinstance(self._judgements, Judgements):
            self._judgements.close()


def _notes(model: LLM | LikelihoodCritic | Embeddings) -> tuple[str, ...]:
    """What a client of ours found out about its server."""
    notes = getattr(model, "notes", ())
    return notes if isinstance(notes, tuple) and all(isinstance(note, str) for note in notes) else ()


def time_is_up(seconds: float) -> str:
    """Why nothing is asked any more."""
    return f"the time of the run is up: after {seconds:g} s (--ragas-max-seconds) no further call is made"


def is_stored(model: LLM | LikelihoodCritic | Embeddings) -> bool:
    """Whether what a model answers may be stored.

    Not that of a script: a test that changes what its critic says must see the change. A fake of somebody's own says
    so by an attribute, `stored = False`.
    """
    return model.identity.provider != "scripted" and getattr(model, "stored", True) is not False
