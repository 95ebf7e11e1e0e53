"""`Session`: puts the stages together for one process of a run.

Nothing here knows pytest: the plugin and the console script both drive a `Session`.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Hashable, Mapping, MutableSequence, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from pytest_ragas.errors import PytestRagasError
from pytest_ragas.gates.aggregate import mean_interval
from pytest_ragas.gates.decide import decide_sample
from pytest_ragas.judgements.judgements import JudgementCounts, Judgements
from pytest_ragas.judgements.opening import open_judgements, without_keys
from pytest_ragas.judgements.stored_embeddings import StoredEmbeddings
from pytest_ragas.judgements.stored_llm import StoredLLM
from pytest_ragas.judgements.stored_metric import StoredMetric
from pytest_ragas.metrics.registry import BuiltMetric, Registry
from pytest_ragas.metrics.requirements import check_fields
from pytest_ragas.models.adapt import as_embeddings, as_llm
from pytest_ragas.models.build import build_embeddings, build_llm
from pytest_ragas.protocols import LLM, Embeddings, Metric, MetricContext, MetricSpec
from pytest_ragas.reports.progress import Standing
from pytest_ragas.scoring.budget import Budget, Limits, Purse
from pytest_ragas.scoring.calls import GuardedEmbeddings, GuardedLLM, Meter, current_repeat
from pytest_ragas.scoring.engine import AT_ONCE, Engine
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.repeats import RepeatedMetric, Repeats
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.settings.prices import cost_of, price_of
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.gate import Breach, Threshold
from pytest_ragas.values.model import EmbeddedCritic, ModelIdentity, Usage
from pytest_ragas.values.run import ModelUse, SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score, ScoreFailure

DEFAULT_METRICS = ("faithfulness", "answer_relevancy")
"""What a marked test is scored with where neither it nor the configuration names a metric."""

CONFIGURED = object()
"""Stands for the critic LLM of the settings. None does not: a fixture that lacks its `return` gives None."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What one test is scored with, and what it is held to."""

    metrics: tuple[BuiltMetric, ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """One sample that was handed over for scoring."""

    sample: Sample
    nodeid: str
    future: Future[SampleResult]
    engine: Engine
    records: Sequence[logging.LogRecord] = ()
    """What scoring it logged, where the engine's log handler is installed."""
    error: BaseException | None = None
    """Why no answer came that could be scored; None for one that was handed over."""

    def done(self) -> bool:
        """Whether every score, or the reason why there is none, is there."""
        return self.future.done()

    def result(self) -> SampleResult:
        """Wait for the scores. Ctrl-C gets through."""
        return self.engine.wait(self.future)

    async def aresult(self) -> SampleResult:
        """Wait for the scores without blocking the caller's event loop."""
        return await self.engine.await_result(self.future)

    def cancel(self) -> None:
        """Give up: what is in flight is cancelled."""
        self.future.cancel()


class Session:
    """The models, metrics and engine of one process, built when first needed and closed once."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.engine = Engine(concurrency=settings.concurrency)
        self.limiter = Limiter(settings.concurrency)
        self.budget = Budget(Limits(calls=settings.max_calls, tokens=settings.max_tokens, usd=settings.max_usd))
        self._order = itertools.count()
        self._handed_over = 0
        self._counting = threading.Lock()  # answers of a target arrive in its own thread
        self._unscored: set[Future[SampleResult]] = set()
        self._critic: LLM | EmbeddedCritic | None = None
        self._embeddings: Embeddings | None = None
        self._meters: dict[tuple[str, ModelIdentity], Meter] = {}
        self._embedded: dict[ModelIdentity, None] = {}
        # keyed by identity of the object: a fixture's value may not be hashable. The object is kept
        # beside its guard so that its id is not given to another one.
        self._guarded: dict[tuple[str, int], tuple[object, Any]] = {}
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
        if (spec.uses and asks) or (not spec.uses and spec.depends_on is not None):
            judgements = self.judgements()
            if judgements is not None:
                return StoredMetric(spec, context, judgements, repeat=current_repeat.get)
        return spec.factory(context)

    # ---- models ---------------------------------------------------------------------------------

    def critic(self) -> LLM | EmbeddedCritic:
        """The critic LLM of the settings, built once."""
        if self._critic is None:
            self._critic = build_llm(self._callable(self.settings.critic_llm))
        return self._critic

    def generator(self) -> LLM | EmbeddedCritic:
        """The generator LLM of the settings; the critic LLM where none is configured."""
        if self.settings.generator_llm is None:
            return self.critic()
        return build_llm(self._callable(self.settings.generator_llm))

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

    def _guard_llm(self, value: object) -> LLM | EmbeddedCritic:
        def build() -> LLM | EmbeddedCritic:
            llm = as_llm(value, self.settings.critic_llm)
            if isinstance(llm, EmbeddedCritic):
                return llm
            self.engine.on_close(llm.aclose)
            asked = GuardedLLM(
                llm,
                limiter=self.limiter.child(),
                retry=Retry.for_timeout(self.settings.critic_llm.timeout),
                meter=self._meter("critic LLM", llm.identity),
                purse=self._purse(llm.identity),
            )
            judgements = self.judgements() if is_stored(llm) else None
            return StoredLLM(asked, judgements, repeat=current_repeat.get) if judgements else asked

        guarded: LLM | EmbeddedCritic = self._once("critic LLM", value, build)
        return guarded

    def _guard_embeddings(self, value: object) -> Embeddings | None:
        if value is None:
            return None

        def build() -> Embeddings:
            model = as_embeddings(value, self.settings.embeddings)
            self.engine.on_close(model.aclose)
            asked = GuardedEmbeddings(
                model,
                limiter=self.limiter.child(),
                retry=Retry.for_timeout((self.settings.embeddings or ModelSettings()).timeout),
                meter=self._meter("embeddings", model.identity),
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

    def _meter(self, role: str, identity: ModelIdentity) -> Meter:
        return self._meters.setdefault((role, identity), Meter())

    def _purse(self, identity: ModelIdentity) -> Purse | None:
        price = price_of(identity, self.settings)
        return self.budget.purse(identity, price) if self.budget.limits.any else None

    def note_embedded(self, identity: ModelIdentity) -> None:
        """A metric of the embedded critic was built: it makes no calls that a meter could count."""
        self._embedded.setdefault(identity)

    def models(self) -> tuple[ModelUse, ...]:
        """The models that judged in this process, and what they cost so far; not those that nobody asked.

        One whose stored judgements were used has judged too, and cost nothing.
        """
        consulted = {
            (role, guarded.identity)
            for (role, _), (_, guarded) in self._guarded.items()
            if isinstance(guarded, (StoredLLM, StoredEmbeddings)) and guarded.consulted
        }
        used = [
            ModelUse(role=role, identity=identity, usage=meter.usage)
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


class Evaluator:
    """Scores samples with one critic and one embedding model. What the `ragas` fixture gives."""

    def __init__(self, session: Session, critic: LLM | EmbeddedCritic, embeddings: Embeddings | None) -> None:
        self._session = session
        self.critic = critic
        self.embeddings = embeddings
        self._built: dict[str, BuiltMetric] = {}
        self._plans: dict[Hashable, Plan] = {}

    def __repr__(self) -> str:
        embeddings = self.embeddings.identity if self.embeddings else None
        return f"Evaluator(critic={str(self.critic.identity)!r}, embeddings={str(embeddings)!r})"

    def plan(
        self,
        *,
        metrics: Sequence[str] | None = None,
        thresholds: Mapping[str, float | None] | None = None,
        defaults: bool = True,
        repeats: int | None = None,
    ) -> Plan:
        """Which metrics and thresholds a test is held to.

        Args:
            metrics: The test's own metrics; None for those of the settings.
            thresholds: The test's own thresholds, over those of the settings; None takes one away.
            defaults: Whether the settings' metrics and thresholds apply at all.
            repeats: How often an answer is judged; None for what the settings say.

        Raises:
            ConfigurationError: A metric does not exist, or needs a model that is not configured.
        """
        # once for ten thousand rows of a testset
        asked = (
            None if metrics is None else tuple(metrics),
            tuple((thresholds or {}).items()),
            defaults,
            repeats,
        )
        if asked not in self._plans:
            self._plans[asked] = self._plan(metrics, thresholds, defaults, repeats)
        return self._plans[asked]

    def _plan(
        self,
        metrics: Sequence[str] | None,
        thresholds: Mapping[str, float | None] | None,
        defaults: bool,
        repeats: int | None,
    ) -> Plan:
        names, held = self._session.wanted(metrics=metrics, thresholds=thresholds, defaults=defaults)
        settings = self._session.settings
        times = settings.repeats if repeats is None else repeats
        how = Repeats(times=times, by=settings.repeats_by, confidence=settings.repeats_confidence)
        bounds = {threshold.metric: threshold for threshold in held}
        built = tuple(_repeated(self._metric(name), how, bounds.get(name)) for name in names)
        return Plan(metrics=built, thresholds=held)

    def canonical(self, name: str) -> str:
        """A metric's name in standard spelling, as scores carry it.

        Raises:
            UnknownNameError: There is no such metric.
        """
        return self._session.registry.canonical(name)

    def _metric(self, name: str) -> BuiltMetric:
        if name not in self._built:
            settings = self._session.settings
            self._built[name] = self._session.registry.build(
                name,
                critic=self.critic,
                embeddings=self.embeddings,
                backend=settings.metric_backend,
                options=self._options(name),
                make=self._session.make_metric,
            )
            if self._built[name].spec.backend == "embedded":
                self._session.note_embedded(self.critic.identity)
        return self._built[name]

    def _options(self, name: str) -> Mapping[str, Any]:
        """What the settings say of a metric, in whichever spelling they name it."""
        options = self._session.settings.metric_options
        return next((options[given] for given in options if self.canonical(given) == name), {})

    def submit(self, sample: Sample, plan: Plan, *, nodeid: str = "", order: int | None = None) -> Ticket:
        """Hand a sample over; its scores come in the background.

        Args:
            sample: With every field that the metrics need.
            plan: What it is scored with.
            nodeid: The test that asks.
            order: Place in line, smallest first; `AT_ONCE` for what somebody waits for right now; None for behind
                everything that was submitted so.

        Raises:
            MissingFieldError: The sample lacks a field that a metric of the plan needs. No call was made.
        """
        check_sample(sample, plan)

        async def work() -> SampleResult:
            return await judge(sample, plan, nodeid=nodeid)

        stored = stored_result(sample, plan, nodeid=nodeid)
        records: list[logging.LogRecord] = []
        if stored is None:
            future = self._session.submit(work, order=order, records=records)
        else:
            future = self._session.at_hand(stored)
        return Ticket(sample=sample, nodeid=nodeid, future=future, engine=self._session.engine, records=records)

    def score(self, sample: Sample, metrics: Sequence[str] | str) -> dict[str, Score]:
        """Score a sample now, without asserting anything; the metrics run concurrently.

        Args:
            sample: With every field that the metrics need.
            metrics: Names of metrics, or one name.

        Returns:
            The scores by the names that were asked for.

        Raises:
            PytestRagasError: A metric could not be computed; the message says which and why.
        """
        names = [metrics] if isinstance(metrics, str) else list(metrics)
        plan = self.plan(metrics=names, defaults=False)
        return self._scores(names, self.submit(sample, plan, order=AT_ONCE).result())

    async def ascore(self, sample: Sample, metrics: Sequence[str] | str) -> dict[str, Score]:
        """`score()` for async tests: the test's own event loop goes on meanwhile."""
        names = [metrics] if isinstance(metrics, str) else list(metrics)
        plan = self.plan(metrics=names, defaults=False)
        return self._scores(names, await self.submit(sample, plan, order=AT_ONCE).aresult())

    def _scores(self, names: Sequence[str], result: SampleResult) -> dict[str, Score]:
        if result.failures:
            raise UnscoredError(result.failures)
        found = {score.metric: score for score in result.scores}
        return {name: found[self._session.registry.canonical(name)] for name in names}


class UnscoredError(PytestRagasError):
    """A sample could not be scored: an error of the run, not a verdict on the answer."""

    def __init__(self, failures: Sequence[ScoreFailure]) -> None:
        super().__init__("; ".join(f"{failure.metric}: {failure.error}" for failure in failures))
        self.failures = tuple(failures)


def check_sample(sample: Sample, plan: Plan) -> None:
    """Find out, before any call is made, whether a sample has what the plan's metrics need.

    Raises:
        MissingFieldError: It does not; the message names row, metric and field.
    """
    for built in plan.metrics:
        check_fields(sample, built.spec)


async def judge(sample: Sample, plan: Plan, *, nodeid: str = "") -> SampleResult:
    """Score one sample with every metric of a plan, concurrently, and hold it to the thresholds."""
    start = time.perf_counter()
    scores, failures = await score_sample(sample, plan.metrics)
    return _result(sample, plan, scores, failures, nodeid=nodeid, start=start)


def stored_result(sample: Sample, plan: Plan, *, nodeid: str = "") -> SampleResult | None:
    """What `judge` would give, if every score of the plan is stored and at hand; else None."""
    start = time.perf_counter()
    scores = []
    for built in plan.metrics:
        metric = built.metric
        score = metric.stored(sample) if isinstance(metric, (StoredMetric, RepeatedMetric)) else None
        if score is None:
            return None
        scores.append(score)
    return _result(sample, plan, scores, (), nodeid=nodeid, start=start)


def _repeated(built: BuiltMetric, repeats: Repeats, threshold: Threshold | None) -> BuiltMetric:
    """The metric as it judges several times; as it is where that would give the same every time."""
    asks = built.spec.backend in ("native", "ragas") and "llm" in built.spec.uses
    if repeats.times == 1 or not asks:
        return built
    metric = RepeatedMetric(
        metric=built.metric,
        repeats=repeats,
        threshold=threshold,
        interval=_interval,
        higher_is_better=built.spec.higher_is_better,
    )
    return replace(built, metric=metric)


def _interval(values: Sequence[float], confidence: float) -> tuple[float, float] | None:
    return mean_interval(values, confidence=confidence)


def is_stored(model: LLM | Embeddings) -> bool:
    """Whether what a model answers may be stored.

    Not that of a script: a test that changes what its critic says must see the change. A fake of somebody's own says
    so by an attribute, `stored = False`.
    """
    return model.identity.provider != "scripted" and getattr(model, "stored", True) is not False


def _result(
    sample: Sample,
    plan: Plan,
    scores: Sequence[Score],
    failures: Sequence[ScoreFailure],
    *,
    nodeid: str,
    start: float,
) -> SampleResult:
    outcome, _ = decide_sample(scores, failures, plan.thresholds)
    return SampleResult(
        sample=sample,
        scores=tuple(scores),
        failures=tuple(failures),
        thresholds=plan.thresholds,
        outcome=outcome,
        nodeid=nodeid,
        seconds=time.perf_counter() - start,
    )


def breaches(result: SampleResult) -> tuple[Breach, ...]:
    """The thresholds that a result broke."""
    return decide_sample(result.scores, result.failures, result.thresholds)[1]
