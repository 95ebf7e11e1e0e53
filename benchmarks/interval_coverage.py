"""How often does an interval hold the true mean? python benchmarks/interval_coverage.py [simulations]

Compares `gates.aggregate.mean_interval` with Student's t (clipped) and the percentile bootstrap, on scores as RAGs
get them.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Callable, Sequence

from pytest_ragas.gates.aggregate import mean_interval
from pytest_ragas.statistics.beta import beta_quantile

Draw = Callable[[random.Random], float]
Interval = Callable[[Sequence[float], random.Random], "tuple[float, float]"]


def piled(r: random.Random) -> float:
    where = r.random()
    return 1.0 if where < 0.6 else 0.0 if where < 0.7 else r.random()


def stepped(r: random.Random) -> float:
    statements = r.randint(2, 5)
    return sum(r.random() < 0.85 for _ in range(statements)) / statements


DISTRIBUTIONS: dict[str, tuple[Draw, float]] = {
    "0 or 1, half": (lambda r: float(r.random() < 0.5), 0.5),
    "0 or 1, 90 %": (lambda r: float(r.random() < 0.9), 0.9),
    "0 or 1, 98 %": (lambda r: float(r.random() < 0.98), 0.98),
    "piled at 0 and 1": (piled, 0.75),
    "k of 2 to 5": (stepped, 0.85),
    "Beta(8, 2)": (lambda r: r.betavariate(8, 2), 0.8),
    "Beta(50, 10)": (lambda r: r.betavariate(50, 10), 50 / 60),
    "Beta(0.5, 0.1)": (lambda r: r.betavariate(0.5, 0.1), 0.5 / 0.6),
    "uniform": (lambda r: r.random(), 0.5),
}


def ours(values: Sequence[float], _: random.Random) -> tuple[float, float]:
    interval = mean_interval(values)
    assert interval is not None
    return interval


def students_t(values: Sequence[float], _: random.Random) -> tuple[float, float]:
    n, mean = len(values), statistics.fmean(values)
    # t² / (t² + df) is Beta(1/2, df/2)
    x = beta_quantile(0.5, (n - 1) / 2, 0.95)
    t = math.sqrt((n - 1) * x / (1 - x))
    half = t * statistics.stdev(values) / math.sqrt(n)
    return max(0.0, mean - half), min(1.0, mean + half)


def bootstrap(values: Sequence[float], r: random.Random) -> tuple[float, float]:
    means = sorted(statistics.fmean(r.choices(values, k=len(values))) for _ in range(200))
    return means[4], means[194]


METHODS: dict[str, Interval] = {"ours": ours, "t": students_t, "bootstrap": bootstrap}


def main(simulations: int = 1_000) -> None:
    coverages: dict[str, list[float]] = {name: [] for name in METHODS}
    print(f"{'n':>5} {'scores':<18}" + "".join(f" {name + ': holds':>16} {'width':>6}" for name in METHODS))
    for n in (2, 3, 5, 10, 20, 50, 200, 1_000):
        for name, (draw, truth) in DISTRIBUTIONS.items():
            r = random.Random(n)
            rounds = max(100, min(simulations, 40_000 // n))
            samples = [[draw(r) for _ in range(n)] for _ in range(rounds)]
            line = f"{n:>5} {name:<18}"
            for method, interval in METHODS.items():
                tried = samples if method != "bootstrap" else samples[: max(50, 4_000 // n)]
                found = [interval(sample, r) for sample in tried]
                holds = statistics.fmean(low - 1e-12 <= truth <= high + 1e-12 for low, high in found)
                coverages[method].append(holds)
                line += f" {holds:>16.3f} {statistics.fmean(high - low for low, high in found):>6.3f}"
            print(line)
    for method, holds_all in coverages.items():
        print(f"{method}: {min(holds_all):.2f} to {max(holds_all):.2f}, median {statistics.median(holds_all):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
