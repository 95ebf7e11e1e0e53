"""The same through pytest: three of ten requests of two workers fail, and every row has the verdict that it should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from faults_dice import TRANSIENT, Dice, course
from openai_server.server import OpenAIServer

ROWS = 60

SUITE = """
import pytest

@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.6})
def test_row(ragas_sample):
    ...
"""


def test_two_workers(openai_server: OpenAIServer, tmp_path: Path) -> None:
    # neither what hangs nor what asks to wait: this clock does not jump
    quick = [fault for fault in TRANSIENT if fault["kind"] != "hang" and "headers" not in fault]
    dice = Dice(3, transient=quick)
    openai_server.faults.extend(dice.faults())
    rows = [
        {
            "id": f"row-{number}",
            "user_input": f"What does part {number} weigh?",
            "response": f"Part {number} weighs {number} tonnes. It is blue.",
            "retrieved_contexts": [f"Part {number} weighs {number} tonnes.", f"It is {('red', 'blue')[number % 2]}."],
        }
        for number in range(ROWS)
    ]
    (tmp_path / "testset.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "test_rag.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest-ragas]\n"
        f'critic_llm = {{model_name = "judge", api_base = "{openai_server.url}", structure = "json_schema", '
        'generation_config = {user = "run"}}\n',
        encoding="utf-8",
    )
    plugins = ["-p", "pytest_ragas.plugin.entry", "-p", "xdist.plugin", "-n2"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--junitxml=junit.xml", "-W", "error"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    outcomes: dict[int, str] = {}
    for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase"):
        [number] = map(int, re.findall(r"row-(\d+)", case.attrib["name"]))
        assert number not in outcomes, "two verdicts"
        [*ends] = [child.tag for child in case if child.tag in ("failure", "error", "skipped")] or ["passed"]
        [outcomes[number]] = ends
    wanted: dict[int, str] = {}
    for (_, content), lots in dice.lots.items():
        [number] = {int(number) for number in re.findall(r"[Pp]art (\d+) ", content)}
        if course(lots) != "answered":
            wanted[number] = "error"
        else:
            wanted.setdefault(number, "passed" if number % 2 else "failure")
    assert outcomes == wanted, done.stdout
    assert sorted(outcomes) == [*range(ROWS)]
    assert set(outcomes.values()) == {"passed", "failure", "error"}
