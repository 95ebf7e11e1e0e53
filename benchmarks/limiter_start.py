"""How the limiter does against servers that refuse, and where it should start: python benchmarks/limiter_start.py

A server answers in 0.2 s and takes `capacity` calls at once, or `rate` calls a second; what is more gets a 429.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "scoring"))

from scoring_clock import run_virtually

from pytest_ragas.errors import ModelError, TransientModelError
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.retry import Retry

LATENCY = 0.2


class Server:
    def __init__(self, *, capacity: float, rate: float = float("inf"), says_when: bool = False) -> None:
        self.capacity, self.rate, self.says_when = capacity, rate, says_when
        self.in_flight = self.refused = self.requests = 0
        self.tokens = min(rate, 1e9)
        self.last = 0.0

    async def answer(self) -> int:
        self.requests += 1
        now = asyncio.get_running_loop().time()
        self.tokens = min(self.rate, self.tokens + (now - self.last) * self.rate) if self.rate < 1e9 else 1e9
        self.last = now
        if self.in_flight >= self.capacity or self.tokens < 1:
            self.refused += 1
            raise TransientModelError("429", status=429, retry_after=1.0 if self.says_when else None)
        self.tokens -= 1
        self.in_flight += 1
        try:
            await asyncio.sleep(LATENCY)
        finally:
            self.in_flight -= 1
        return 1


async def simulate(server: Server, *, limit: int, start: int, chains: int, chain: int) -> tuple[float, int]:
    limiter, retry, lost = Limiter(limit, start=start), Retry(seed=1), 0

    async def one() -> None:
        nonlocal lost
        try:
            for _ in range(chain):
                await retry.call(server.answer, limiter=limiter, model="model")
        except ModelError:
            lost += 1

    await asyncio.gather(*(one() for _ in range(chains)))
    return asyncio.get_running_loop().time(), lost


def main() -> None:
    print(f"{'server':<34} {'limit':>5} {'start':>5} {'seconds':>8} {'requests':>9} {'refused':>8} {'lost':>5}")
    servers = (
        ("takes everything", dict(capacity=1e9)),
        ("takes 8 at once", dict(capacity=8)),
        ("takes 2 at once", dict(capacity=2)),
        ("takes 1 at once", dict(capacity=1)),
        ("takes 20/s, Retry-After 1 s", dict(capacity=1e9, rate=20, says_when=True)),
        ("takes 20/s, says not when", dict(capacity=1e9, rate=20)),
        ("takes 5/s, Retry-After 1 s", dict(capacity=1e9, rate=5, says_when=True)),
        ("takes 5/s, says not when", dict(capacity=1e9, rate=5)),
        ("takes 1/s, Retry-After 1 s", dict(capacity=1e9, rate=1, says_when=True)),
        ("takes 1/s, says not when", dict(capacity=1e9, rate=1)),
    )
    for what, options in servers:
        for limit in (16, 64):
            for start in (4, limit // 2, limit):
                server = Server(**options)
                seconds, lost = run_virtually(simulate(server, limit=limit, start=start, chains=80, chain=3))
                print(
                    f"{what:<34} {limit:>5} {start:>5} {seconds:>8.1f}"
                    f" {server.requests:>9} {server.refused:>8} {lost:>5}"
                )


if __name__ == "__main__":
    main()
