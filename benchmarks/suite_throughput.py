"""How long a suite of RAG tests takes: ours beside ragas.evaluate, deepeval's assert_test, and what is possible at all.

    python benchmarks/suite_throughput.py --environments ~/.cache/ragas-benchmarks
    python benchmarks/suite_throughput.py --tests 40 --in-flight 16 --peers none --repeat 5

Every runner scores the same rows with faithfulness and answer relevancy against the same server, which speaks the
OpenAI protocol in a process of its own and takes 200 ms for every answer, chat or embeddings. Times are those of
whole processes, from the start of the interpreter to its end.

The floor is what no client can beat: calls x latency / calls in flight, or the longest chain of calls that need each
other's answers, whichever is more. Calls go in whole rounds: 160 of them with 64 in flight take three. Each runner's
floor counts the calls that it made itself, and for deepeval and blocking, which do not have that many in flight,
those that the others were allowed. "plain pytest" is as many empty tests, without our plugin.

"before" is the time to the first call, "after" the time from the last answer to the end of the process.

Runners take turns; the best of `--repeat` runs is shown, and of runners that take long (deepeval, ragas, blocking) the
only one.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from environments import InstallFailed, environment
from throughput_server import ROOT, ServerProcess, ServerStats
from throughput_suites import DEEPEVAL_SUITE, PLAIN, RAGAS_SCRIPT, write_ours, write_rows

LATENCY = 0.2
OURS = "ours, deferred"
PLAIN_START = "plain pytest, empty tests"
DEEPEVAL = "deepeval assert_test"
PEERS = {"ragas": [f"{ROOT}[ragas,langchain]"], "deepeval": ["deepeval"]}


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One way to score the rows."""

    name: str
    command: Sequence[str]
    prepare: Callable[[Path, str, int], None]
    """Writes what it needs into a folder that holds the rows; given the server's URL and the calls in flight."""
    chain: int = 0
    """Calls that need each other's answers, one after the other."""
    once: bool = False
    """Whether it takes too long to be repeated."""
    any_concurrency: bool = False
    """Whether the calls in flight are not ours to say: it runs once for all of them."""
    reasons: bool = True


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run."""

    wall: float
    cpu: float
    server: ServerStats
    before: float
    """Seconds from the start of the process to the first call."""
    after: float
    """Seconds from the last answer to the end of the process."""

    def floor(self, runner: Runner, in_flight: int) -> float:
        """Seconds that its calls take at least."""
        rounds = math.ceil(self.server.calls / in_flight)
        return LATENCY * max(rounds, runner.chain if rounds else 0)


def runners(pythons: dict[str, Path]) -> list[Runner]:
    """What is compared, as far as it is installed."""

    def ours(folder: Path, url: str, in_flight: int) -> None:
        write_ours(folder, url=url, concurrency=in_flight)

    def write(name: str, text: str) -> Callable[[Path, str, int], None]:
        def prepare(folder: Path, url: str, in_flight: int) -> None:
            (folder / name).write_text(text, encoding="utf-8")

        return prepare

    pytest = [str(pythons["ours"]), "-m", "pytest", "-q"]
    found = [
        Runner(name=PLAIN_START, command=[*pytest, "-p", "no:ragas"], prepare=write("test_plain.py", PLAIN)),
        Runner(name=OURS, command=pytest, prepare=ours, chain=2),
        Runner(name="ours, deferred, -n 2", command=[*pytest, "-n2"], prepare=ours, chain=2),
        Runner(
            name="ours, blocking",
            command=[*pytest, "--ragas-scoring=blocking"],
            prepare=ours,
            chain=2,
            once=True,
            any_concurrency=True,
        ),
    ]
    if "ragas" in pythons:
        script = write("evaluate_rows.py", RAGAS_SCRIPT)
        found.append(
            Runner(
                name="ragas.evaluate",
                command=[str(pythons["ragas"]), "evaluate_rows.py"],
                prepare=script,
                chain=3,
                once=True,
            )
        )
    if "deepeval" in pythons:
        suite = write("test_deepeval.py", DEEPEVAL_SUITE)
        command = [str(pythons["deepeval"]), "-m", "pytest", "-q"]
        deepeval = Runner(name=DEEPEVAL, command=command, prepare=suite, chain=3, once=True, any_concurrency=True)
        found += [deepeval, replace(deepeval, name=f"{DEEPEVAL}, no reasons", chain=2, reasons=False)]
    return found


def run(runner: Runner, server: ServerProcess, tests: int, in_flight: int) -> Measured:
    """Run it once, in a folder of its own.

    Raises:
        SystemExit: Not every test passed; what it printed is shown.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder, tests)
        runner.prepare(folder, server.url, in_flight)
        environ = {
            **os.environ,
            "HOME": name,
            # pytest tidies up after earlier runs at its end: not after those of everybody on this machine
            "PYTEST_DEBUG_TEMPROOT": name,
            "CRITIC_URL": server.url,
            "CONCURRENCY": str(in_flight),
            "REASONS": "yes" if runner.reasons else "no",
            "RAGAS_DO_NOT_TRACK": "true",
            "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
        }
        # as installed packages have it: compiled once, and not on every start
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        server.reset()
        used, began, began_at = _cpu(), time.perf_counter(), time.time()
        result = subprocess.run(runner.command, cwd=folder, env=environ, capture_output=True, text=True)
        wall, cpu = time.perf_counter() - began, _cpu() - used
    if not re.search(rf"\b{tests} passed", result.stdout):
        raise SystemExit(f"{runner.name} went wrong:\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    stats = server.stats()
    return Measured(
        wall=wall,
        cpu=cpu,
        server=stats,
        before=stats.first - began_at,
        after=began_at + wall - stats.last - LATENCY,
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare_client(server: ServerProcess, calls: int, in_flight: int) -> tuple[float, ServerStats]:
    """Seconds that a client without any work of its own takes for as many calls: what the server is good for."""
    import aiohttp

    turns = [{"role": "user", "content": "Hello?"}]

    async def main() -> float:
        connector = aiohttp.TCPConnector(limit=in_flight)
        async with aiohttp.ClientSession(connector=connector) as session:
            left = iter(range(calls))

            async def lane() -> None:
                for _ in left:
                    async with session.post(
                        f"{server.url}/chat/completions", json={"model": "any", "messages": turns}
                    ) as response:
                        await response.read()

            began = time.perf_counter()
            await asyncio.gather(*(lane() for _ in range(in_flight)))
            return time.perf_counter() - began

    server.reset()
    return asyncio.run(main()), server.stats()


def compare(all_runners: Sequence[Runner], server: ServerProcess, tests: int, in_flight: int, repeat: int) -> None:
    """Measure at one size, and print the table."""
    best: dict[str, Measured] = {}
    for turn in range(repeat):
        for runner in all_runners:
            key = f"{runner.name}/{tests}"
            if runner.any_concurrency and key in KEPT:
                best[runner.name] = KEPT[key]
            elif not (turn and runner.once):
                measured = run(runner, server, tests, in_flight)
                if runner.name not in best or measured.wall < best[runner.name].wall:
                    best[runner.name] = measured
                if runner.any_concurrency:
                    KEPT[key] = measured
    show(all_runners, best, in_flight, f"{tests} tests x 2 metrics")
    judge(all_runners, best, server, in_flight)


def show(all_runners: Sequence[Runner], best: dict[str, Measured], in_flight: int, title: str) -> None:
    """The table of one size."""
    start, ours = best[PLAIN_START].wall, best[OURS].wall
    print(f"\n{title}, {LATENCY * 1e3:.0f} ms an answer, {in_flight} calls in flight")
    print(
        f"  {'':34} {'calls':>6} {'peak':>5} {'floor':>8} {'wall':>9} {'CPU':>8} {'before':>8} {'after':>8}"
        "  wall/(floor+start)  wall/ours"
    )
    for runner in all_runners:
        found = best[runner.name]
        floor = found.floor(runner, in_flight)
        rest = ""
        if found.server.calls:
            rest = f" {found.before:6.2f} s {found.after:6.2f} s"
            rest += f"{found.wall / (floor + start):20.2f} {found.wall / ours:10.1f}"
        print(
            f"  {runner.name:34} {found.server.calls:6,} {found.server.peak:5} {floor:6.2f} s {found.wall:7.2f} s "
            f"{found.cpu:6.2f} s{rest}",
            flush=True,
        )


def judge(all_runners: Sequence[Runner], best: dict[str, Measured], server: ServerProcess, in_flight: int) -> None:
    """What is wanted, and whether it was the server that could not do more."""
    start, ours = best[PLAIN_START].wall, best[OURS]
    wall, stats = bare_client(server, ours.server.calls, in_flight)
    print(
        f"  the server: a bare client's {stats.calls:,} calls take {wall:.2f} s; "
        f"it was busy for {ours.server.cpu / ours.wall:.0%} of our run"
    )
    runner = next(runner for runner in all_runners if runner.name == OURS)
    over = ours.wall / (ours.floor(runner, in_flight) + start)
    print(f"  ours / (floor + plain start): {over:.2f}, wanted at most 1.15: {'met' if over <= 1.15 else 'MISSED'}")
    if DEEPEVAL in best:
        faster = best[DEEPEVAL].wall / ours.wall
        print(f"  deepeval / ours: {faster:.1f}, wanted at least 7: {'met' if faster >= 7 else 'MISSED'}")


KEPT: dict[str, Measured] = {}
"""What does not depend on the calls in flight, by runner and number of tests."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, help="folder for virtual environments; else a temporary one")
    parser.add_argument("--peers", default="ragas,deepeval", help="which others to compare with; none for none")
    parser.add_argument("--only", default="", help="compare only runners whose name holds this text")
    parser.add_argument("--tests", default="40,200")
    parser.add_argument("--in-flight", default="16,64")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ServerProcess(LATENCY) as server:
        folder = options.environments or Path(temporary)
        pythons = {"ours": environment(folder, "ours", ["--editable", str(ROOT), "pytest-xdist"])}
        for peer in options.peers.split(","):
            if peer in PEERS:
                try:
                    pythons[peer] = environment(folder, peer, PEERS[peer])
                except InstallFailed as error:
                    print(f"{peer} is left out, it cannot be installed: {error}")
        found = [
            runner for runner in runners(pythons) if options.only in runner.name or runner.name in (OURS, PLAIN_START)
        ]
        for runner in found:  # byte code is written, disk caches are filled
            run(runner, server, 2, 16)
        for tests in map(int, options.tests.split(",")):
            for in_flight in map(int, options.in_flight.split(",")):
                compare(found, server, tests, in_flight, options.repeat)


if __name__ == "__main__":
    main()
