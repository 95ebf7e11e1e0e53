"""What servers and models write without end is cut to a sane length, wherever it is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openai_server.server import OpenAIServer

LONG = "long words without an end " * 12_000
"""300 KB."""
CASES: dict[str, dict[str, Any]] = {
    "status 400": {"kind": "status", "status": 400, "message": LONG},
    "status 401": {"kind": "status", "status": 401, "message": LONG, "code": LONG},
    "a web page": {"kind": "body", "status": 200, "body": b"<html>" + LONG.encode(), "content_type": "text/html"},
    "a refusal of another API": {"kind": "body", "status": 400, "body": LONG.encode(), "content_type": "text/plain"},
}


@pytest.mark.parametrize("arguments", [[], ["-vv", "--ragas-summary=full", "-n2"]], ids=["plain", "loud"])
@pytest.mark.parametrize("name", [*CASES, "an answer"])
def test_a_report_stays_readable(name: str, arguments: list[str], openai_server: OpenAIServer, tmp_path: Path) -> None:
    if name in CASES:
        openai_server.fault(**CASES[name])
    else:
        openai_server.brain = lambda request: LONG
    row = {"user_input": "What is it?", "response": "It is blue.", "retrieved_contexts": ["It is blue."]}
    (tmp_path / "testset.json").write_text(json.dumps([row]), encoding="utf-8")
    (tmp_path / "test_rag.py").write_text(
        "import pytest\n"
        '@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.6})\n'
        "def test_row(ragas_sample): ...\n",
        encoding="utf-8",
    )
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.pytest-ragas]\ncritic_llm = {{model_name = "judge", api_base = "{openai_server.url}"}}\n',
        encoding="utf-8",
    )
    plugins = ["-p", "pytest_ragas.plugin.entry", *(["-p", "xdist.plugin"] if "-n2" in arguments else [])]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments, "--junitxml=junit.xml"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "1 error" in done.stdout
    assert "long words" in done.stdout
    assert len(done.stdout) + len(done.stderr) < 12_000, done.stdout
    assert (tmp_path / "junit.xml").stat().st_size < 12_000
