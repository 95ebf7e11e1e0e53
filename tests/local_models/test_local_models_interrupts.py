"""Ctrl-C while a local LLM is loaded, reads prompts, or writes answers: the run ends at its next step, and cleanly.

`benchmarks/local_interrupts.py` has the seconds; here the steps are counted that the model makes after the signal.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")

SUITE = """
import pytest

@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.5})
def test_row(ragas_sample):
    pass
"""

CONFTEST = """
import pathlib

from pytest_ragas.models.local import llm
from pytest_ragas.models.local.batch import Batch

HERE = pathlib.Path(__file__).parent

def noted(function, what):
    def call(*given, **more):
        with (HERE / what).open("a") as stream:
            stream.write(".")
        return function(*given, **more)
    return call

llm.load_causal_lm = noted(llm.load_causal_lm, "loading")
Batch._read = noted(Batch._read, "reading")
Batch.step = noted(Batch.step, "writing")
"""

TROUBLE = (
    "Traceback",
    "INTERNALERROR",
    "Fatal Python error",
    "was destroyed",
    "loop is closed",
    "never retrieved",
    "terminate called",
    "Segmentation",
    "ResourceWarning",
)
FEW = 12
"""Steps that a model of this size makes in a second, at most, with four answers under way on one core."""


@pytest.fixture
def project(tmp_path: Path, smollm2: str) -> Path:
    """Four rows, judged by the real weights."""
    write_project(tmp_path)
    return tmp_path


def write_project(folder: Path) -> None:
    """Four rows whose answers are long."""
    rows = [
        {
            "id": f"row{number}",
            "user_input": f"What weighs part {number}?",
            "response": f"Part {number} weighs {number} tonnes. It is made of steel. It was cast in Oslo.",
            "retrieved_contexts": [f"Part {number} weighs {number} tonnes, and is made of steel."],
        }
        for number in range(1, 5)
    ]
    (folder / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "test_rag.py").write_text(SUITE, encoding="utf-8")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.pytest-ragas.critic_llm]\nmodel_name_or_path = "smollm2"\ndevice = "cpu"\nthreads = 1\n',
        encoding="utf-8",
    )


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
    environ.pop("PYTEST_XDIST_WORKER_COUNT", None)
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-v", "-p", "pytest_ragas.plugin.entry", *arguments],
        cwd=project,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def times(project: Path, what: str) -> int:
    """How often the model has done something."""
    return (project / what).stat().st_size if (project / what).exists() else 0


@pytest.mark.parametrize(("what", "often"), [("loading", 1), ("reading", 2), ("writing", 6)])
def test_it_ends_at_the_next_step_and_leaves_nothing_half(project: Path, what: str, often: int) -> None:
    process = start(project)
    try:
        deadline = time.monotonic() + 240
        while times(project, what) < often:
            assert time.monotonic() < deadline, "it never happened"
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
        before = times(project, "reading") + times(project, "writing")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    except BaseException:
        process.kill()
        raise
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    for word in TROUBLE:
        assert word not in output, output
    if what != "loading":  # which begins with the first row, before the others were handed over
        assert output.count("no verdict: ") == 4, output
    assert times(project, "reading") + times(project, "writing") - before <= FEW, output
    for store in (project / ".pytest-ragas").glob("*.sqlite3"):
        with sqlite3.connect(store) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        opened.close()
    again = start(project, "--ragas-cache=replay")
    output, _ = again.communicate(timeout=60)
    assert again.returncode == pytest.ExitCode.TESTS_FAILED, output
    assert "4 errors" in output
    assert times(project, "loading") <= 1, "what is stored is looked up without the model"
