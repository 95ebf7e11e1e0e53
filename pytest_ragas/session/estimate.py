"""What a run would ask: its metrics, run against models that ask nobody (`models/dry.py`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_ragas.errors import MissingFieldError, NothingToJudgeError, PytestRagasError, StructureError
from pytest_ragas.judgements.judgements import Judgements
from pytest_ragas.judgements.opening import look_only, without_keys
from pytest_ragas.metrics.registry import BuiltMetric, Registry
from pytest_ragas.models.build import build_embeddings, build_llm
from pytest_ragas.models.dry import DryEmbeddings, DryLikelihood, DryLLM
from pytest_ragas.protocols import LLM, LikelihoodCritic
from pytest_ragas.scoring.budget import BYTES_PER_TOKEN, longest_answer
from pytest_ragas.scoring.calls import current_repeat
from pytest_ragas.scoring.engine import AT_ONCE
from pytest_ragas.session.evaluator import Evaluator
from pytest_ragas.session.session import Session
from pytest_ragas.settings.prices import cost_of, known_price
from pytest_ragas.settings.values import Settings
from pytest_ragas.values.estimate import Basis, Estimate, EstimateLine, Planned
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.sample import Sample

OF_A_FIXTURE = "fixture"
"""Provider of a model that the suite brings: which one it is, is known only when its fixture has run."""

_Place = tuple[str, str, ModelIdentity]


class DrySession(Session):
    """A session whose models ask nobody, and that keeps nothing; what is stored it looks up."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        free = replace(settings, max_calls=None, max_tokens=None, max_usd=None, max_seconds=None)
        super().__init__(free, registry)
        self._look = look_only(settings)
        self._models: dict[tuple[str, str], Any] = {}

    def judgements(self) -> Judgements | None:
        """What was judged before, and what was asked in this estimate: the same is not asked twice."""
        return self._look

    def close(self) -> None:
        """Let go of the store; nothing is written into it."""
        super().close()
        if self._look is not None:
            self._look.abandon()

    def evaluator_of(self, planned: Planned) -> Evaluator:
        """Judges one test, with models that stand for its own.

        Raises:
            ConfigurationError: The settings name a model that there is not.
        """
        return self.evaluator(self._dry_critic(planned.critic), self._dry_embeddings(planned.embeddings))

    def used(self) -> dict[tuple[str, ModelIdentity], Usage]:
        """What each model was asked so far."""
        return {place: meter.usage for place, meter in self._meters.items()}

    def _dry_critic(self, fixture: str) -> Any:
        if ("critic LLM", fixture) not in self._models:
            model: Any = None if fixture else build_llm(without_keys(self.settings.critic_llm))
            if model is None or isinstance(model, LLM):
                identity = _of_fixture(fixture) if model is None else model.identity
                model = DryLLM(identity, bytes_per_token=BYTES_PER_TOKEN, most=longest_answer(identity))
            elif isinstance(model, LikelihoodCritic):
                model = DryLikelihood(model.identity)
            self._models["critic LLM", fixture] = model
        return self._models["critic LLM", fixture]

    def _dry_embeddings(self, fixture: str) -> Any:
        configured = self.settings.embeddings
        if not fixture and configured is None:
            return None
        if ("embeddings", fixture) not in self._models:
            identity = _of_fixture(fixture)
            if not fixture and configured is not None:
                identity = build_embeddings(without_keys(configured)).identity
            self._models["embeddings", fixture] = DryEmbeddings(identity, bytes_per_token=BYTES_PER_TOKEN)
        return self._models["embeddings", fixture]


@dataclass(kw_only=True, slots=True)
class _Sum:
    """The estimate while it is made."""

    usage: dict[_Place, Usage] = field(default_factory=dict)
    basis: Counter[Basis] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    scores: int = 0
    stored: int = 0
    repeated: bool = False


def estimate(settings: Settings, registry: Registry, tests: Sequence[Planned]) -> Estimate:
    """What a run of these tests would ask. Nobody is asked, and nothing is stored.

    Args:
        settings: Of the run.
        registry: The metrics that there are.
        tests: What it would score.
    """
    found = _Sum()
    replays = settings.cache == "replay"
    if not replays:
        session = DrySession(settings, registry)
        try:
            session.engine.wait(session.engine.submit(lambda: _ask_all(session, tests, found), order=AT_ONCE))
        finally:
            session.close()
    return Estimate(
        lines=tuple(
            EstimateLine(
                metric=metric,
                role=role,
                identity=identity,
                usage=usage,
                usd=_usd(identity, usage, settings),
            )
            for (metric, role, identity), usage in found.usage.items()
        ),
        tests=len(tests),
        basis=tuple(found.basis.items()),
        scores=found.scores,
        stored=found.stored,
        replays=replays,
        repeated=found.repeated,
        problems=tuple(f"{problem}: {count}" for problem, count in found.problems.items()),
    )


async def _ask_all(session: DrySession, tests: Iterable[Planned], found: _Sum) -> None:
    for planned in tests:
        try:
            evaluator = session.evaluator_of(planned)
            plan = evaluator.plan(metrics=planned.metrics, thresholds=dict(planned.thresholds), repeats=1)
        except PytestRagasError as error:
            found.problems[f"tests that cannot be scored ({error})"] += 1
            continue
        found.basis[planned.basis] += 1
        times = session.settings.repeats if planned.repeats is None else planned.repeats
        for built in plan.metrics:
            if built.spec.uses & {"llm", "embeddings"}:
                repeats = times if "llm" in built.spec.uses else 1
                found.repeated = found.repeated or repeats > 1
                for repeat in range(repeats):
                    await _ask(session, built, planned.sample, repeat, found)


async def _ask(session: DrySession, built: BuiltMetric, sample: Sample, repeat: int, found: _Sum) -> None:
    """One score, and what was asked for it."""
    before = session.used()
    token = current_repeat.set(repeat)
    problem = ""
    try:
        await built.metric.score(sample)
    except (MissingFieldError, NothingToJudgeError):
        problem = f"scores of {built.name} that cannot be, as the row lacks something"
    except StructureError:
        problem = f"scores of {built.name} that take more calls than are counted, as these depend on the answers"
    except PytestRagasError as error:
        problem = f"scores of {built.name} that nothing is known of ({error})"
    except Exception as error:  # a metric of somebody's own may want more of an answer than its schema says
        problem = f"scores of {built.name} that nothing more is known of ({type(error).__name__}: {error})"
    finally:
        current_repeat.reset(token)
    found.scores += 1
    if problem:
        found.problems[problem] += 1
    asked = False
    for (role, identity), usage in session.used().items():
        old = before.get((role, identity), Usage())
        if usage.calls > old.calls:
            asked = True
            place = built.name, role, identity
            found.usage[place] = found.usage.get(place, Usage()) + (usage - old)
    found.stored += not asked and not problem


def _usd(identity: ModelIdentity, usage: Usage, settings: Settings) -> float | None:
    price = None if identity.provider == OF_A_FIXTURE else known_price(identity, settings)
    return None if price is None else cost_of(usage, price)


def _of_fixture(fixture: str) -> ModelIdentity:
    return ModelIdentity(provider=OF_A_FIXTURE, name=fixture)
