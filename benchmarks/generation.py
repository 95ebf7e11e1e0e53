"""How long it takes to generate a testset, beside what its own dependent calls take at least; and what Ctrl-C costs.

    python benchmarks/generation.py
    python benchmarks/generation.py --rows 100 --in-flight 16,64,256
    python benchmarks/generation.py --interrupts 20

Three of this project's own pages become `--rows` rows in the distribution of EvalScope's RAGAS page, against a server
in a process of its own that speaks the OpenAI protocol, writes and judges by the words alone, and takes `--latency`
seconds for every answer.

The floor is what no client can beat: calls x latency / calls in flight in whole rounds, or the longest chain of calls
that need each other's answers, whichever is more. The chain of a multi_context row whose first candidate is kept is
five: a question beside the vectors of the passages, its evolution, the critic's check beside the two passages alone,
statements, verdicts. Rejected candidates make it longer: how long it really is, a run on a virtual clock tells, on
which every answer takes one tick and nothing else takes time.

"wall" is from the first line of `make()` to the files on disk, "process" the whole `pytest-ragas generate`.

`--interrupts N` sends N times Ctrl-C at random moments of a generation, runs it again until it is whole, and counts
requests that were sent twice and files that are not whole.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from openai_server.author import author  # noqa: E402
from openai_server.lexical import bag_of_words  # noqa: E402

from pytest_ragas.values.model import Answer, ModelIdentity  # noqa: E402

DOCS = ("gates.md", "budgets.md", "repeats.md")
COMMAND = [sys.executable, "-c", "import sys; from pytest_ragas.cli.main import main; sys.exit(main())"]


def serve(latency: float, pipe: Connection) -> None:
    """Until told to stop; answers "requests" with the content of each request so far, and forgets them."""
    from openai_server.server import OpenAIServer

    with OpenAIServer(brain=author, latency=latency) as server:
        pipe.send(server.url)
        while (wanted := pipe.recv()) != "stop":
            if wanted == "count":
                pipe.send(len(server.requests))
                continue
            pipe.send([json.dumps(request.body, sort_keys=True) for request in server.requests])
            server.requests.clear()


class Server:
    """The server's process."""

    def __init__(self, latency: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=serve, args=(latency, other), daemon=True)
        self._process.start()
        self.url: str = self._pipe.recv()

    def requests(self) -> list[str]:
        """What came in since the last call."""
        self._pipe.send("requests")
        received: list[str] = self._pipe.recv()
        return received

    def count(self) -> int:
        """How many that are so far."""
        self._pipe.send("count")
        number: int = self._pipe.recv()
        return number

    def close(self) -> None:
        self._pipe.send("stop")
        self._process.join(10)


def project(folder: Path, url: str, in_flight: int) -> Path:
    """A folder with documents and settings."""
    (folder / "docs").mkdir(parents=True)
    for name in DOCS:
        shutil.copy(ROOT / "docs" / name, folder / "docs" / name)
    (folder / "pyproject.toml").write_text(
        f"""
[tool.pytest-ragas]
concurrency = {in_flight}
[tool.pytest-ragas.generator_llm]
model_name = "author"
api_base = "{url}"
structure = "json_schema"
[tool.pytest-ragas.embeddings]
model_name = "vectors"
api_base = "{url}"
""",
        encoding="utf-8",
    )
    return folder


def generated_here(folder: Path, rows: int) -> tuple[float, Any]:
    """Seconds of `make()` in this process, and its report."""
    from pytest_ragas.metrics.builtin import registry
    from pytest_ragas.session.generation import generation_models
    from pytest_ragas.session.session import Session
    from pytest_ragas.session.testset_file import Author, make
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.testset.generate.builtin import question_types
    from pytest_ragas.testset.generate.recipe import Recipe

    session = Session(load_settings(rootdir=folder, environ={}), registry())
    try:
        author = Author(session=session, models=generation_models(session), types=question_types(), root=folder)
        start = time.perf_counter()
        made = make(author, folder / "generated.json", ["docs"], Recipe(test_size=rows, attempts=20))
        return time.perf_counter() - start, made.report
    finally:
        session.finish()
        session.close()


class VirtualClock(asyncio.SelectorEventLoop):
    """An event loop on which only sleeping takes time, and none of ours."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0]._when)
        super()._run_once()


class OneTick:
    """LLM and embeddings of the server's brain, without a server: an answer takes one tick of the clock."""

    identity = ModelIdentity(provider="scripted", name="author")

    async def ask(self, messages: Any, schema: Any) -> Answer:
        await asyncio.sleep(1)
        return Answer(value=author({"title": schema["title"], "data": json.loads(messages[1].content)}))

    async def embed(self, texts: Any) -> list[list[float]]:
        await asyncio.sleep(1)
        return [bag_of_words(text) for text in texts]

    async def aclose(self) -> None:
        pass


def chain(folder: Path, rows: int) -> int:
    """Calls that need each other's answers, at most, in this very generation."""
    from pytest_ragas.metrics.native.faithfulness import Faithfulness
    from pytest_ragas.testset.documents.read import read_documents
    from pytest_ragas.testset.generate.generate import generate
    from pytest_ragas.testset.generate.recipe import Recipe

    loop, model = VirtualClock(), OneTick()
    try:
        loop.run_until_complete(
            generate(
                read_documents(["docs"], root=folder),
                Recipe(test_size=rows, attempts=20),
                llm=model,
                embeddings=model,
                faithfulness=lambda critic: Faithfulness(name="faithfulness", llm=critic),
            )
        )
        return round(loop.now)
    finally:
        loop.close()


def speed(rows: int, latency: float, in_flight: list[int], repeat: int) -> None:
    print(f"{rows} rows, {latency * 1000:.0f} ms an answer\n")
    print("in flight   calls  rejected  chain    floor     wall  wall/floor  process")
    server = Server(latency)
    try:
        with tempfile.TemporaryDirectory() as folder:
            generated_here(project(Path(folder, "warm"), server.url, 8), 2)  # imports
            server.requests()
            longest = chain(Path(folder, "warm"), rows)
            for limit in in_flight:
                walls, processes = [], []
                for turn in range(repeat):
                    here = project(Path(folder, f"{limit}-{turn}"), server.url, limit)
                    seconds, report = generated_here(here, rows)
                    walls.append(seconds)
                    calls = len(server.requests())
                    there = project(Path(folder, f"{limit}-{turn}-cli"), server.url, limit)
                    start = time.perf_counter()
                    subprocess.run(
                        [*COMMAND, "generate", "docs", "--test-size", str(rows), "--attempts", "20"],
                        cwd=there, check=True, capture_output=True, env=environment(),
                    )  # fmt: skip
                    processes.append(time.perf_counter() - start)
                    server.requests()
                floor = latency * max(longest, math.ceil(calls / limit))
                rejected = sum(sum(reasons.values()) for reasons in report.rejected.values())
                wall = min(walls)
                times = f"{floor:>7.2f}s {wall:>7.2f}s {wall / floor:>11.2f} {min(processes):>7.2f}s"
                print(f"{limit:>9} {calls:>7} {rejected:>9} {longest:>6} {times}")
    finally:
        server.close()


def interrupts(times: int, rows: int, latency: float) -> None:
    """Ctrl-C at random moments, each of another generation, which is then run to its end."""
    moments = random.Random(6)
    twice = half = answered = 0
    server = Server(latency)
    command = [*COMMAND, "generate", "docs", "--test-size", str(rows), "--attempts", "20"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(times):
                here = project(Path(folder, str(turn)), server.url, 16)
                process = subprocess.Popen(command, cwd=here, env=environment(), stderr=subprocess.PIPE)
                after = moments.randint(1, 6 * rows)
                while server.count() < after and process.poll() is None:
                    time.sleep(0.002)
                process.send_signal(signal.SIGINT)
                process.communicate()
                half += process.returncode == 130 and any("testset" in file.name for file in here.iterdir())
                interrupted = server.requests()
                subprocess.run([*command, *(["--update"] if process.returncode == 0 else [])],
                               cwd=here, env=environment(), check=True, capture_output=True)  # fmt: skip
                sent = Counter([*interrupted, *server.requests()])
                twice += sum(count - 1 for count in sent.values())
                answered += len(interrupted)
                half += len(json.loads((here / "testset.json").read_text(encoding="utf-8"))) != rows
                print(f"{turn + 1:>3}: stopped after {len(interrupted)} requests, {len(sent)} in all")
    finally:
        server.close()
    print(f"{times} interruptions after {answered} requests: {twice} requests sent twice, {half} files not whole")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--in-flight", default="16,64", metavar="N,N")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--interrupts", type=int, default=0, metavar="N")
    given = parser.parse_args()
    if given.interrupts:
        interrupts(given.interrupts, given.rows, given.latency)
    else:
        speed(given.rows, given.latency, [int(part) for part in given.in_flight.split(",")], given.repeat)


if __name__ == "__main__":
    main()
