"""What libraries of others would do unasked: count uses, trace calls, run code that comes with the weights."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.build import build_embeddings
from pytest_ragas.settings.values import ModelSettings

TELEMETRY = """
from pytest_ragas.models.build import {function}
from pytest_ragas.settings.values import ModelSettings
{function}(ModelSettings(model_name_or_path={name!r}{more}))
import huggingface_hub.constants
print(huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY)
"""


@pytest.mark.parametrize(
    ("function", "name", "more"),
    [("build_embeddings", "minilm", ""), ("build_llm", "smollm2", ', options={"kind": "likelihood"}')],
)
@pytest.mark.parametrize(("given", "off"), [({}, "True"), ({"HF_HUB_DISABLE_TELEMETRY": "0"}, "False")])
def test_the_hub_counts_no_use_unless_somebody_wants_it(
    function: str, name: str, more: str, given: dict[str, str], off: str
) -> None:
    pytest.importorskip("huggingface_hub", reason="needs the extra [local]")
    clean = {key: value for key, value in os.environ.items() if key not in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")}
    program = TELEMETRY.format(function=function, name=name, more=more)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == f"{off}\n", done.stderr


def test_an_api_model_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY", raising=False)
    build_embeddings(ModelSettings(model_name="embedder", api_base="http://127.0.0.1:9/v1"))
    assert "HF_HUB_DISABLE_TELEMETRY" not in os.environ


def model_with_code(folder: Path, kind: str) -> Path:
    """A folder of weights whose code leaves a file behind when it runs."""
    folder.mkdir()
    (folder / "evil.py").write_text(
        f"import pathlib\npathlib.Path({str(folder / 'it_ran')!r}).touch()\n", encoding="utf-8"
    )
    files = {
        "config.json": {
            "model_type": "evil",
            "architectures": ["EvilModel"],
            "auto_map": {
                kind: "evil.EvilModel",
                "AutoConfig": "evil.EvilConfig",
                "AutoTokenizer": "evil.EvilTokenizer",
            },
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "evil.EvilPooling"},
        ],
        "tokenizer_config.json": {"auto_map": {"AutoTokenizer": "evil.EvilTokenizer"}},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize("trusted", [False, True])
def test_code_that_comes_with_embeddings_runs_only_where_somebody_says_so(trusted: bool, tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="needs the extra [local]")
    folder = model_with_code(tmp_path / "model", "AutoModel")

    async def embed() -> None:
        options = {"trust_remote_code": True} if trusted else {}
        embeddings = build_embeddings(ModelSettings(model_name_or_path=str(folder), options=options))
        try:
            await embeddings.embed(["text"])
        finally:
            await embeddings.aclose()

    with pytest.raises(ConfigurationError, match="Cannot load the embedding model"):
        asyncio.run(embed())
    assert (folder / "it_ran").exists() is trusted  # then it fails for other reasons: there is no model in it


def test_code_that_comes_with_an_llm_is_not_run(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="needs the extra [local]")
    from pytest_ragas.models.local.load import load_causal_lm

    folder = model_with_code(tmp_path / "model", "AutoModelForCausalLM")
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigurationError) as caught:
        load_causal_lm(ModelSettings(model_name_or_path=str(folder)))
    assert "trust_remote_code" in str(caught.value)
    assert not (folder / "it_ran").exists()
