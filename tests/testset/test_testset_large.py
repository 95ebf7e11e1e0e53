"""A large testset: streamed, in memory and time that grow with the file and no faster.

20 MB by default; `RAGAS_LARGE_MB=200` for the size that the documentation speaks of, and to see the seconds.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import pytest

MEGABYTES = int(os.environ.get("RAGAS_LARGE_MB", "20"))

LOAD = """
import json, sys
from pytest_ragas.testset.load import load_testset

def peak():  # kB; ru_maxrss would be that of the process that started us
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

before = peak()
testset = load_testset(sys.argv[1])
print(json.dumps([len(testset), len({sample.id for sample in testset}), peak() - before, "jsonschema" in sys.modules]))
"""


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(5000)]

    def text(length: int) -> str:
        return " ".join(rng.choices(words, k=length))

    path = tmp_path_factory.mktemp("large") / "large.jsonl"
    rows = 0
    with path.open("w", encoding="utf-8") as stream:
        while stream.tell() < MEGABYTES * 1_000_000:
            rows += 1
            row = {
                "question": f"{rows} {text(12)}",
                "answer": text(40),
                "contexts": [text(60) for _ in range(4)],
                "ground_truth": text(30),
                "evolution_type": "simple",
            }
            stream.write(json.dumps(row) + "\n")
    return path, rows


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_jsonl_is_loaded_in_about_its_own_size(
    large_file: tuple[Path, int], pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    path, rows = large_file
    started = time.perf_counter()
    result = pytester.run(sys.executable, "-c", LOAD, path)
    seconds = time.perf_counter() - started
    assert result.ret == 0
    loaded, distinct, peak, jsonschema = json.loads(result.outlines[-1])
    megabytes = peak * 1024 / 1e6
    if "RAGAS_LARGE_MB" in os.environ:
        with capsys.disabled():
            print(f"\n{MEGABYTES} MB, {rows} rows: {seconds:.1f} s with start-up, {megabytes:.0f} MB at the peak")
    assert loaded == distinct == rows
    # the text itself, the objects around it, and slack for the allocator; reading it whole would take 3 times its size
    assert megabytes < 1.8 * MEGABYTES + 20
    assert not jsonschema
