"""`Evaluator`: scores samples with one critic and one embedding model."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_ragas.gates.aggregate import mean_interval
from pytest_ragas.metrics.registry import BuiltMetric
from pytest_ragas.protocols import Critic, Embeddings
from pytest_ragas.scoring.repeats import RepeatedMetric, Repeats
from pytest_ragas.session.judging import check_sample, judge, stored_result
from pytest_ragas.session.plan import Plan, Ticket
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample

if TYPE_CHECKING:
    from pytest_ragas.session.session import Session


class Evaluator:
    """Scores samples with one critic and one embedding model."""

    def __init__(self, session: Session, critic: Critic, embeddings: Embeddings | None) -> None:
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
                self._session.note_embedded(EmbeddedCritic().identity)
            self._session.note_metric(self._built[name], self._options(name))
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
