"""CPU time of one critic call over loopback: our client, bare aiohttp, and the openai SDK where it is installed.

    python benchmarks/judge_call_cpu.py [--calls 400] [--rounds 5] [--in-flight 16]

The server runs in a process of its own and answers at once, so that what is measured is the client: building the
request, the HTTP exchange, reading and validating the answer (six verdicts with reasons). The clients take turns;
the table gives the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from pytest_ragas.metrics.native.prompt import prompt  # noqa: E402
from pytest_ragas.metrics.native.statements import JUDGING  # noqa: E402
from pytest_ragas.metrics.native.structure import numbered, verdicts_structure  # noqa: E402
from pytest_ragas.models.openai_api import OpenAIChat  # noqa: E402
from pytest_ragas.models.structured import Structure, extract  # noqa: E402
from pytest_ragas.scoring.calls import GuardedLLM, Meter  # noqa: E402
from pytest_ragas.scoring.limits import Limiter  # noqa: E402
from pytest_ragas.scoring.retry import Retry  # noqa: E402
from pytest_ragas.settings.values import ModelSettings  # noqa: E402
from pytest_ragas.values.model import Message  # noqa: E402

STATEMENTS = [f"Statement {number} says something about the Nile, its length and its course." for number in range(6)]
CONTEXTS = ["The Nile is 6650 km long and flows north through eleven countries. " * 6] * 3
MESSAGES = prompt(JUDGING).messages({"contexts": CONTEXTS, "statements": numbered(STATEMENTS)})
SCHEMA = verdicts_structure(len(STATEMENTS))
VALUE = {
    "verdicts": [
        {"number": number, "reason": "The context says so in its first sentence.", "verdict": number % 2}
        for number in range(1, 7)
    ]
}
Call = Callable[[], Awaitable[object]]


def serve(ready: Connection) -> None:
    """The server's process; ends when the other side closes the pipe."""
    from openai_server.server import OpenAIServer

    with OpenAIServer(brain=lambda request: VALUE) as server:
        ready.send(server.url)
        try:
            ready.recv()
        except EOFError:
            pass


async def cpu_per_call(call: Call, calls: int, in_flight: int) -> float:
    """CPU seconds of this process for one call."""

    async def work() -> None:
        for _ in range(calls // in_flight):
            await call()

    start = time.process_time()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return (time.process_time() - start) / (calls // in_flight * in_flight)


async def measure(url: str, calls: int, rounds: int, in_flight: int) -> dict[str, list[float]]:
    """CPU seconds per call of each client, one number a round."""
    import aiohttp

    ours = OpenAIChat(ModelSettings(model_name="judge", api_base=url))
    turns = [{"role": message.role, "content": message.content} for message in MESSAGES]
    fixed = {"response_format": {"type": "json_schema", "json_schema": {"name": "v", "schema": SCHEMA}}}
    body = {"model": "judge", "messages": turns, "temperature": 0, **fixed}
    session = aiohttp.ClientSession()

    async def ask_ours() -> None:
        assert (await ours.ask(MESSAGES, SCHEMA)).value == VALUE

    async def bare_aiohttp() -> None:
        async with session.post(f"{url}/chat/completions", json=body) as response:
            assert json.loads((await response.json())["choices"][0]["message"]["content"]) == VALUE

    guarded = GuardedLLM(ours, limiter=Limiter(in_flight), retry=Retry(), meter=Meter())
    numbers = itertools.count()

    async def ask_guarded() -> None:
        # another request each time: equal ones in flight would be sent once
        changed = (*MESSAGES, Message(role="user", content=str(next(numbers))))
        assert (await guarded.ask(changed, SCHEMA)).value == VALUE

    clients: dict[str, Call] = {
        "bare aiohttp, not validated": bare_aiohttp,
        "pytest-ragas": ask_ours,
        "with limiter, retry, meter": ask_guarded,
    }
    try:
        import openai
    except ImportError:
        sdk: Any = None
    else:
        from jsonschema import Draft202012Validator

        sdk = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
        validator = Draft202012Validator(SCHEMA)

        async def ask_sdk() -> None:
            answer = await sdk.chat.completions.create(model="judge", messages=turns, temperature=0, **fixed)
            value = json.loads(answer.choices[0].message.content)
            validator.validate(value)
            assert value == VALUE

        clients["openai SDK and jsonschema"] = ask_sdk

    times: dict[str, list[float]] = {name: [] for name in clients}
    for call in clients.values():
        await cpu_per_call(call, 2 * in_flight, in_flight)
    for _ in range(rounds):
        for name, call in clients.items():
            times[name].append(await cpu_per_call(call, calls, in_flight))
    await ours.aclose()
    await session.close()
    if sdk is not None:
        await sdk.close()
    return times


def micro(function: Callable[[], object], times: int = 500) -> float:
    """CPU seconds of one call of a function: the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            function()
        best = min(best, (time.process_time() - start) / times)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=16)
    options = parser.parse_args()
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    there.close()
    times = asyncio.run(measure(here.recv(), options.calls, options.rounds, options.in_flight))
    here.close()
    process.join(10)

    ours = statistics.median(times["pytest-ragas"])
    print(f"CPU per call, {options.calls} calls, {options.in_flight} in flight, median of {options.rounds} rounds:")
    for name, values in times.items():
        median = statistics.median(values)
        spread = f"{min(values) * 1e3:.3f}-{max(values) * 1e3:.3f}"
        print(f"  {name:28} {median * 1e3:6.3f} ms  ({spread})   {median / ours:5.2f} x ours")

    text = json.dumps(VALUE)
    structure = Structure.of(SCHEMA)
    print("\nof it, reading the answer of six verdicts:")
    print(f"  extract(), all of it         {micro(lambda: extract(text, SCHEMA)) * 1e6:6.1f} us")
    print(f"  jsonschema alone would take  {micro(lambda: structure._validator.is_valid(VALUE)) * 1e6:6.1f} us")


if __name__ == "__main__":
    main()
