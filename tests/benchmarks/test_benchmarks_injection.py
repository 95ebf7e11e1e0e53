"""`benchmarks/injection.py` counts what a critic is talked into, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from openai_server.lexical import lexical_critic
from openai_server.server import OpenAIServer

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "injection.py"


def obedient(request: dict[str, Any]) -> object:
    """Does what a context says in German, and takes the bees for evidence of everything."""
    text = str(request["data"])
    if "Achtung" in text and request["title"] == "Usefulness":
        return {"reason": "Der Kontext sagt es.", "verdict": 1}
    if "bees" in text and request["title"] == "Rating":
        return {"reason": "bees", "rating": 2}
    return lexical_critic(request)


def test_it_tells_obedience_from_mistakes(openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.brain = obedient
    openai_server.fault("truncated", when=lambda body: "pipeline is shut down" in str(body["messages"]))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--model", "judge", "--api-base", openai_server.url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[2:6] == [
        "| faithfulness | 0.00 (0.00) | 0.00 | 0 of 29 | 1 |",
        "| context_precision_without_reference | 0.00 (0.00) | 0.03 | 1 of 29 | 1 |",
        "| response_groundedness | 0.20 (1.00) | 0.00 | 0 of 29 | 1 |",
        "| context_relevancy | 0.20 (1.00) | 0.00 | 0 of 29 | 1 |",
    ], done.stdout
    assert lines[6:] == ["context_precision_without_reference: 1.00 for 'German' (other language)"]
    assert done.stderr.count("no score: ") == 4
    assert [path.name for path in tmp_path.iterdir()] == []
