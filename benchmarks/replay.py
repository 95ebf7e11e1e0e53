"""What a replayed suite costs: gated tests answered from stored judgements beside as many plain parametrized tests.

    python benchmarks/replay.py [--tests 2000] [--rounds 5] [--metrics faithfulness answer_relevancy]

Records once against the scripted OpenAI server of our tests (with `-n 4`), stops the server, and then runs both suites
in turn with `-n 0`. Prints the best wall time of each, their ratio (the target is 1.5), the calls of each step, and
what of the heavy libraries was imported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

HEAVY = ("aiohttp", "ragas", "openai", "langchain_core", "jsonschema", "numpy", "torch", "sentence_transformers")
TARGET = 1.5

CONFIG = """
[tool.pytest.ini_options]
[tool.pytest-ragas.critic_llm]
model_name = "judge"
api_base = "{url}"
api_key = "none"
[tool.pytest-ragas.embeddings]
model_name = "embedder"
api_base = "{url}"
api_key = "none"
"""

GATED = """
import pytest

@pytest.mark.ragas(testset="testset.json", thresholds={thresholds})
def test_row(ragas_sample):
    pass
"""

PLAIN = """
import json, pathlib, pytest
ROWS = json.loads(pathlib.Path(__file__).with_name("testset.json").read_text())

@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_row(row):
    pass
"""

CONFTEST = """
import sys

def pytest_unconfigure():
    print("IMPORTED", *sorted({heavy} & set(sys.modules)))
"""


def rows(number: int) -> list[dict[str, object]]:
    return [
        {
            "id": f"row{row}",
            "user_input": f"What do the parts of series {row} weigh?",
            "response": " ".join(f"Part {row}-{part} of the works weighs {row * part} tonnes." for part in (1, 2, 3)),
            "retrieved_contexts": [
                f"Part {row}-{part} of the works weighs {row * part} tonnes, says the report. " * 4
                for part in (1, 2, 3)
            ],
        }
        for row in range(1, number + 1)
    ]


@dataclass
class Cost:
    """The best of several runs."""

    wall: float = float("inf")
    cpu: float = float("inf")
    output: str = ""

    def better(self, other: Cost) -> Cost:
        return Cost(min(self.wall, other.wall), min(self.cpu, other.cpu), other.output)


def run(folder: Path, suite: str, *arguments: str, xdist: bool = False) -> Cost:
    """One pytest run; only our plugin and, where wanted, xdist are loaded."""
    plugins = ["-p", "pytest_ragas.plugin.entry", *(["-p", "xdist"] if xdist else [])]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "-p", "no:cacheprovider", suite, *arguments]
    # bytecode is kept, as users have it, but not beside the sources
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # pytest tidies up after earlier runs at its end: not after those of everybody on this machine
    environment["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before, begin = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    wall, after = time.perf_counter() - begin, os.times()
    if done.returncode:
        raise SystemExit(done.stdout[-3_000:] + done.stderr[-1_000:])
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu, done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--metrics", nargs="+", default=["faithfulness"])
    parser.add_argument("--workers", type=int, default=4, help="of the recording run; 0 for none")
    options = parser.parse_args()

    from openai_server.server import OpenAIServer

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "testset.json").write_text(json.dumps(rows(options.tests)))
        (folder / "test_plain.py").write_text(PLAIN)
        (folder / "test_gated.py").write_text(GATED.format(thresholds=dict.fromkeys(options.metrics, 0.1)))
        (folder / "conftest.py").write_text(CONFTEST.format(heavy=set(HEAVY)))
        with OpenAIServer() as server:
            (folder / "pyproject.toml").write_text(CONFIG.format(url=server.url))
            parallel = [f"-n{options.workers}"] if options.workers else []
            cassette = "--ragas-cassette=judgements.jsonl"
            cost = run(folder, "test_gated.py", cassette, *parallel, xdist=bool(parallel))
            what = f"{options.tests} tests x {len(options.metrics)} metrics"
            print(f"recorded {what}: {len(server.requests)} calls, {cost.wall:.2f} s")
            server.requests.clear()
            run(folder, "test_gated.py")
            print(f"again with -n 0: {len(server.requests)} calls")
            server.requests.clear()
            (folder / "test_gated.py").write_text(GATED.format(thresholds=dict.fromkeys(options.metrics, 0.05)))
            run(folder, "test_gated.py")
            print(f"with another threshold: {len(server.requests)} calls")
        size = (folder / ".pytest-ragas" / "judgements.sqlite3").stat().st_size
        print(f"store {size / 1e6:.1f} MB, cassette {(folder / 'judgements.jsonl').stat().st_size / 1e6:.1f} MB")

        suites = {
            "plain": ("test_plain.py",),
            "gated, read-write": ("test_gated.py",),
            "gated, replay": ("test_gated.py", "--ragas-cache=replay"),
            "gated, replay of the cassette": ("test_gated.py", "--ragas-cache=replay", cassette),
        }
        best = dict.fromkeys(suites, Cost())
        for _ in range(options.rounds):
            for suite, arguments in suites.items():
                best[suite] = best[suite].better(run(folder, *arguments))
                assert f"{options.tests} passed" in best[suite].output
        imported = {
            line.removeprefix("IMPORTED").strip() for cost in best.values() for line in cost.output.splitlines()[-1:]
        }
        print(f"heavy modules that a replay imported: {' '.join(imported).strip() or 'none'}")
        plain = best["plain"]
        for suite, cost in best.items():
            wall, cpu = cost.wall / plain.wall, cost.cpu / plain.cpu
            late = "" if wall <= TARGET else f"  > {TARGET}"
            print(f"{suite:<30} {cost.wall:6.2f} s {wall:5.2f} x  {cost.cpu:6.2f} CPU-s {cpu:5.2f} x{late}")


if __name__ == "__main__":
    main()
