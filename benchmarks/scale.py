"""What the plugin itself costs at scale: time and memory per sample, with a critic that answers at once.

    python benchmarks/scale.py
    python benchmarks/scale.py --samples 2500,5000,10000 --workers 2
    python benchmarks/scale.py --critic scripted --samples 1000 --profile out.prof

A testset file of N rows becomes N tests, each scored with four metrics (faithfulness, answer relevancy, context
precision and recall: eight calls a sample with three contexts). Beside it, N empty parametrized tests without our
plugin. Time is that of whole processes; memory is the peak of the largest process (under -n: of one worker or of the
controller). "per sample" is what is left of ours after the empty tests, divided by N.

"judged" is a first run: nothing is stored, every call is made, and every answer and score is stored; each repeat begins
without a store. "replayed" is the same run again: every score is found, and no call is made.

The critic is an object with our `LLM` protocol that returns ready answers; `--critic scripted` takes our own
`ScriptedCritic`, which also remembers every request, validates every answer, and counts towards time and memory; what a
script says is never stored, so that there is nothing to replay.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORE = ".pytest-ragas"
"""Where a run keeps its judgements."""
METRICS = ("faithfulness", "answer_relevancy", "context_precision", "context_recall")

EMPTY = """
import json, pathlib, pytest

ROWS = json.loads(pathlib.Path(__file__).with_name("testset.json").read_text())

@pytest.mark.parametrize("row", [row["id"] for row in ROWS])
def test_row(row):
    pass
"""

OURS = f"""
import pytest

@pytest.mark.ragas(testset="testset.json", metrics={list(METRICS)}, thresholds={{"faithfulness": 0.5}})
def test_row(ragas_sample):
    pass
"""

CONFTEST = """
import json, pathlib, pytest
from pytest_ragas.values.model import Answer, ModelIdentity, Usage

def verdicts(count):
    return [{"number": number, "reason": "so it says", "verdict": 1} for number in range(1, count + 1)]

ANSWERS = {
    "Statements": {"statements": ["The works weigh a tonne.", "They are blue.", "They are old."]},
    "Verdicts": lambda messages, schema: {"verdicts": verdicts(schema["properties"]["verdicts"]["minItems"])},
    "Questions": {"questions": [{"question": f"What is it, {word}?", "noncommittal": 0} for word in ("a", "b", "c")]},
    "Usefulness": {"reason": "it says so", "verdict": 1},
}

class Instant:
    identity = ModelIdentity(provider="benchmark", name="instant")

    async def ask(self, messages, schema):
        value = ANSWERS[schema["title"]]
        value = value(messages, schema) if callable(value) else value
        return Answer(value=value, usage=Usage(calls=1, prompt_tokens=500, completion_tokens=50))

    async def embed(self, texts):
        return [[1.0, 0.5, 0.25]] * len(texts)

    async def aclose(self):
        pass

@pytest.fixture(scope="session")
def ragas_critic_llm():
    if CRITIC == "instant":
        return Instant()
    from pytest_ragas import ScriptedCritic
    return ScriptedCritic(ANSWERS)

@pytest.fixture(scope="session")
def ragas_embeddings():
    return Instant()
"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run."""

    seconds: float
    cpu: float
    megabytes: float
    """Peak of the largest process."""
    output: str


def write_suites(folder: Path, samples: int, critic: str) -> None:
    """A testset of recorded answers, and both suites."""
    rows = []
    for number in range(samples):
        facts = [
            f"part {number}-{part} weighs {number + part} tonnes and is older than the works" for part in (1, 2, 3)
        ]
        rows.append(
            {
                "id": f"row{number}",
                "user_input": f"What do the parts of series {number} weigh?",
                "response": ". ".join(facts),
                "retrieved_contexts": [f"The yearly report says: {fact}. " * 4 for fact in facts],
                "reference": facts[0],
                "tags": [f"part {number % 5}"],
            }
        )
    (folder / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "test_empty.py").write_text(EMPTY, encoding="utf-8")
    (folder / "test_ours.py").write_text(OURS, encoding="utf-8")
    (folder / "conftest.py").write_text(f"CRITIC = {critic!r}\n{CONFTEST}", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")


def run(folder: Path, samples: int, *arguments: str) -> Measured:
    """pytest in a process of its own.

    Raises:
        SystemExit: Not every test passed; what it printed is shown.
    """
    # pytest tidies up after earlier runs at its end: not after those of everybody on this machine
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DEBUG_TEMPROOT": str(folder)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environ, stdout=out, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # else it is said to be running still
        seconds = time.perf_counter() - began
        out.seek(0)
        output = out.read()
    if not re.search(rf"\b{samples} passed", output):
        raise SystemExit(f"{' '.join(arguments)} went wrong:\n{output[-3000:]}")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Measured(seconds=seconds, cpu=used.ru_utime + used.ru_stime, megabytes=used.ru_maxrss / unit, output=output)


def best(folder: Path, samples: int, repeat: int, *arguments: str, cold: bool) -> Measured:
    """The fastest of some runs; cold ones begin without what an earlier one has stored."""
    found: list[Measured] = []
    for _ in range(repeat):
        if cold:
            shutil.rmtree(folder / STORE, ignore_errors=True)
        found.append(run(folder, samples, *arguments))
    return min(found, key=lambda measured: measured.cpu)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", default="2500,5000,10000")
    parser.add_argument("--critic", choices=["instant", "scripted"], default="instant")
    parser.add_argument("--workers", type=int, default=0, help="of pytest-xdist; 0: none")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--profile", type=Path, help="write a cProfile of the last run of ours there, and stop")
    parser.add_argument("--pytest", default="", help="more arguments for both suites")
    options = parser.parse_args()
    more = options.pytest.split() + (["-n", str(options.workers)] if options.workers else [])
    print(f"{'samples':>8} {'':14} {'wall':>8} {'CPU':>8} {'memory':>9} {'lines':>6}   per sample beyond empty tests")
    for samples in map(int, options.samples.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_suites(folder, samples, options.critic)
            ours_is = ["-m", "pytest", "-q", "test_ours.py", *more]
            if options.profile:
                run(folder, samples, "-m", "cProfile", "-o", str(options.profile.absolute()), *ours_is)
                continue
            empty = best(
                folder,
                samples,
                options.repeat,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:ragas",
                "test_empty.py",
                "-c",
                os.devnull,
                "--rootdir=.",
                "--noconftest",
                *more,
                cold=True,
            )
            shown = {"empty tests": empty, "ours, judged": best(folder, samples, options.repeat, *ours_is, cold=True)}
            if options.critic != "scripted":
                shown["ours, replayed"] = best(folder, samples, options.repeat, *ours_is, cold=False)
        for label, found in shown.items():
            lines = found.output.partition("ragas summary")[2].count("\n")
            rest = ""
            if found is not empty:
                rest = (
                    f"   {(found.cpu - empty.cpu) / samples * 1e3:.2f} ms CPU, "
                    f"{(found.seconds - empty.seconds) / samples * 1e3:.2f} ms wall, "
                    f"{found.megabytes - empty.megabytes:.0f} MB in all"
                )
            print(
                f"{samples:8,} {label:14} {found.seconds:6.2f} s {found.cpu:6.2f} s {found.megabytes:6.0f} MB "
                f"{lines:6}{rest}",
                flush=True,
            )


if __name__ == "__main__":
    main()
