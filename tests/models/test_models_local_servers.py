"""`transformers serve`, the real server with the real SmolLM2, on loopback: what docs/local-servers.md says of it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ragas.errors import StructureError
from pytest_ragas.models.openai_api import OpenAIChat
from pytest_ragas.models.openai_memory import forget
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Message

SCHEMA = {
    "title": "Capital",
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}

QUESTION = [
    Message(role="system", content='You answer in JSON. Example: {"answer": "Rome"}'),
    Message(role="user", content="What is the capital of France?"),
]


def serve_command() -> str | None:
    """The `transformers` command of this environment if it can serve, else the one of the PATH."""
    own = Path(sys.executable).with_name("transformers")
    if importlib.util.find_spec("fastapi") and importlib.util.find_spec("uvicorn") and own.exists():
        return str(own)
    other = shutil.which("transformers")
    return other if other and Path(other).resolve() != own.resolve() else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSettings]:
    """Settings of a critic LLM behind `transformers serve`."""
    for name in ("torch", "transformers", "gguf", "accelerate"):
        pytest.importorskip(name, reason=f"the extra [local] is not installed: no {name}")
    command = serve_command()
    if command is None:
        pytest.skip("no server: pip install 'transformers[serving]'")
    from pytest_ragas.models.local.weights import find_weights

    folder = str(find_weights("smollm2").folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = tmp_path_factory.mktemp("serve") / "log"
    with open(log, "wb") as stream:
        process = subprocess.Popen(
            [command, "serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            env=environment,
            stdout=stream,
            stderr=stream,
        )
    forget()
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield ModelSettings(
            model_name=folder,
            api_base=f"http://127.0.0.1:{port}/v1",
            generation_config={"max_tokens": 60},
            timeout=300.0,
        )
    finally:
        process.terminate()
        process.wait(30)
        forget()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"no server in 300 s: {log.read_text(errors='replace')}")


def test_the_server_takes_no_schema_so_it_is_said_in_words(server: ModelSettings) -> None:
    async def ask() -> list[StructureError]:
        critic = OpenAIChat(server)
        errors = []
        for _ in range(2):
            with pytest.raises(StructureError) as caught:
                await critic.ask(QUESTION, SCHEMA)
            errors.append(caught.value)
        await critic.aclose()
        return errors

    first, second = asyncio.run(ask())
    # a model of this size writes prose, or the schema itself; what it wrote is kept for the report
    assert first.raw
    assert second.raw
    assert first.usage is not None
    assert first.usage.calls > 1  # every form was tried
    assert second.usage is not None
    assert second.usage.calls == 1  # and is remembered
    assert second.usage.prompt_tokens > 0


def test_a_suite_on_that_server_gives_errors_and_no_scores(server: ModelSettings, pytester: pytest.Pytester) -> None:
    row = {"id": "a", "user_input": "Capital?", "response": "It is Paris.", "retrieved_contexts": ["Paris."]}
    pytester.path.joinpath("testset.jsonl").write_text(json.dumps(row), encoding="utf-8")
    pytester.makepyprojecttoml(
        f"""
        [tool.pytest-ragas.critic_llm]
        model_name = "{server.model_name}"
        api_base = "{server.api_base}"
        structure = "text"
        generation_config = {{ max_tokens = 16 }}
        """
    )
    pytester.makepyfile(
        test_rag="""
        import pytest

        @pytest.mark.ragas(testset="testset.jsonl", metrics=["faithfulness"], thresholds={"faithfulness": 0.5})
        def test_rag(ragas_sample):
            pass
        """
    )
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*faithfulness could not be scored*"])
