"""What the scoring engine itself costs, with a critic that answers at once: python benchmarks/engine_overhead.py

N samples x 4 metrics x 1 call through Engine, Limiter, GuardedLLM, Retry, Meter and score_sample, all handed over at
once as recorded answers are. Must be linear in N; prints time for each sample and each call, and peak memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ragas.protocols import JSONSchema, MetricSpec
from pytest_ragas.scoring.calls import GuardedLLM
from pytest_ragas.scoring.engine import Engine
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.meter import Meter
from pytest_ragas.scoring.retry import Retry
from pytest_ragas.scoring.score import score_sample
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

METRICS = ("faithfulness", "answer_relevancy", "context_precision", "context_recall")
SIZES = (2_500, 5_000, 10_000)
SCHEMA = {"title": "Verdict", "type": "object", "properties": {"value": {"type": "number"}}}


class InstantLLM:
    identity = ModelIdentity(provider="benchmark", name="instant")

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        return Answer(value={"value": 1.0}, usage=Usage(calls=1, prompt_tokens=100, completion_tokens=10))

    async def aclose(self) -> None:
        pass


@dataclass
class AskOnce:
    name: str
    llm: GuardedLLM

    async def score(self, sample: Sample) -> Score:
        answer = await self.llm.ask([Message(role="user", content=f"{self.name} {sample.id}")], SCHEMA)
        return Score(metric=self.name, value=answer.value["value"])


@dataclass
class Built:
    name: str
    metric: AskOnce
    spec: MetricSpec


def built(name: str, llm: GuardedLLM) -> Built:
    metric = AskOnce(name, llm)
    spec = MetricSpec(
        name=name,
        backend="native",
        needs=frozenset(),
        uses=frozenset({"llm"}),
        factory=lambda context: metric,
        version="1",
        summary="asks once",
    )
    return Built(name, metric, spec)


def one(count: int) -> None:
    engine, meter = Engine(concurrency=16), Meter()
    llm = GuardedLLM(InstantLLM(), limiter=Limiter(16).child(), retry=Retry(), meter=meter)
    metrics = [built(name, llm) for name in METRICS]
    samples = [Sample(id=str(number), user_input="?", response="!") for number in range(count)]
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    futures = [
        engine.submit(lambda sample=sample: score_sample(sample, metrics), order=number)
        for number, sample in enumerate(samples)
    ]
    handed_over = time.perf_counter() - start
    scored = sum(len(engine.wait(future)[0]) for future in futures)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert scored == meter.usage.calls == count * len(METRICS)
    engine.close()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory = (after.ru_maxrss - before.ru_maxrss) / 1024
    calls = count * len(METRICS)
    print(
        f"{count:>8} {seconds:>8.2f} {handed_over:>12.2f} {1e3 * seconds / count:>11.3f} {1e6 * cpu / calls:>9.1f}"
        f" {memory:>12.1f}"
    )


def main() -> None:
    print(f"{'samples':>8} {'wall s':>8} {'handed over':>12} {'ms/sample':>11} {'µs/call':>9} {'MB on top':>12}")
    for count in SIZES:  # a process each: peak memory never falls
        print(
            subprocess.run([sys.executable, __file__, str(count)], check=True, capture_output=True, text=True).stdout,
            end="",
        )


if __name__ == "__main__":
    one(int(sys.argv[1])) if len(sys.argv) > 1 else main()
