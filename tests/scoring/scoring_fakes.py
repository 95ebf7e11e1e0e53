"""Metrics and critics that the scoring tests steer step by step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.protocols import LLM, MetricSpec
from pytest_ragas.scoring.calls import GuardedLLM
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.values.model import Message
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

SCHEMA = {"title": "Verdict", "type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}


@dataclass
class FunctionMetric:
    """A metric that is a function of the sample."""

    name: str
    function: Callable[[Sample], Awaitable[Any]]

    async def score(self, sample: Sample) -> Any:
        return await self.function(sample)


@dataclass
class Built:
    """What the registry builds."""

    name: str
    function: Callable[[Sample], Awaitable[Any]]
    uses: frozenset[Any] = frozenset({"llm"})
    higher_is_better: bool = True
    metric: FunctionMetric = field(init=False)
    spec: MetricSpec = field(init=False)

    def __post_init__(self) -> None:
        self.metric = FunctionMetric(self.name, self.function)
        self.spec = MetricSpec(
            name=self.name,
            backend="native",
            needs=frozenset(),
            uses=self.uses,
            factory=lambda context: self.metric,
            version="1",
            summary="a function",
            higher_is_better=self.higher_is_better,
        )


def asking(name: str, llm: LLM, *, steps: int = 1) -> Built:
    """A metric that asks `steps` questions one after the other; its score is the last answer's value."""

    async def score(sample: Sample) -> Score:
        value = 0.0
        for step in range(steps):
            message = Message(role="user", content=f"{name} {sample.id} {step}")
            value = (await llm.ask([message], SCHEMA)).value["value"]
        return Score(metric=name, value=value)

    return Built(name, score)


def guarded(critic: LLM, *, limit: int = 8, retry: Retry | None = None, meter: Meter | None = None) -> GuardedLLM:
    return GuardedLLM(
        critic,
        limiter=Limiter(limit),
        retry=retry or Retry(seed=1, base=0.1),
        meter=meter or Meter(),
    )


def sample(number: int) -> Sample:
    return Sample(id=f"row-{number}", user_input="?", response="!", source=f"testset.json row {number}")


def asked(critic: ScriptedCritic) -> list[str]:
    """What the critic was asked, in order: the last message of each request."""
    return [request.messages[-1].content for request in critic.requests]
