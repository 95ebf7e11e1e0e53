"""Models of the Hugging Face hub: its cache, a hub on loopback, and what is said where there is none."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from local_models.tiny import write_folder

pytest.importorskip("huggingface_hub", reason="the extra [local] is not installed")

FIND = """
import json, sys
from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.local.hub_options import HubOptions
from pytest_ragas.models.local.weights import find_weights
try:
    weights = find_weights(sys.argv[1], options=HubOptions(**json.loads(sys.argv[2])))
    print(json.dumps({"folder": str(weights.folder), "name": weights.name, "fingerprint": weights.fingerprint}))
except ConfigurationError as error:
    print(json.dumps({"error": str(error)}))
"""


class Hub:
    """As much of the hub's API as its client uses to download a model."""

    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET(body=False)

            def do_GET(self, body: bool = True) -> None:
                hub.asked.append(f"{self.command} {self.path}")
                head, _, name = self.path.partition(f"/resolve/{hub.COMMIT}/")
                if self.path.startswith(f"/api/models/somebody/tiny/tree/{hub.COMMIT}"):
                    tree = [
                        {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                        for name, data in hub.files.items()
                    ]
                    self.answer(200, json.dumps(tree).encode(), {"content-type": "application/json"}, body)
                elif self.path.startswith("/api/models/somebody/tiny"):
                    siblings = [{"rfilename": name, "size": len(data)} for name, data in hub.files.items()]
                    info = {"id": "somebody/tiny", "modelId": "somebody/tiny", "sha": hub.COMMIT, "siblings": siblings}
                    self.answer(200, json.dumps(info).encode(), {"content-type": "application/json"}, body)
                elif head == "/somebody/tiny" and name in hub.files:
                    data = hub.files[name]
                    etag = hashlib.sha256(data).hexdigest()
                    self.answer(200, data, {"etag": f'"{etag}"', "x-repo-commit": hub.COMMIT}, body)
                else:
                    self.answer(404, b"{}", {"x-error-code": "RepoNotFound"}, body)

            def answer(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *given: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = write_folder(tmp_path / "on-the-hub")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    files |= {
        "README.md": b"# tiny",
        "pytorch_model.bin": b"the same weights once more",
        "onnx/model.onnx": b"and again",
    }
    hub = Hub(files)
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`find_weights` in a process of its own: the hub's client reads its variables when it is imported."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    def find(name: str, **options: Any) -> dict[str, str]:
        command = [sys.executable, "-c", FIND, name, json.dumps(options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.stderr == "", "nothing draws and nothing warns"
        found: dict[str, str] = json.loads(done.stdout)
        return found

    return find


def test_downloaded_once_and_then_found_without_asking(
    hub: Hub, find: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    found = find("somebody/tiny")
    assert found.get("name") == "somebody/tiny", found
    folder = Path(found["folder"])
    assert folder.is_relative_to(tmp_path / "hf")
    names = {file.name for file in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json"}, "one form of the weights, and no README"
    asked = len(hub.asked)
    assert find("somebody/tiny") == found
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert find("somebody/tiny") == found
    assert len(hub.asked) == asked


def test_what_was_downloaded_in_part_is_completed(hub: Hub, find: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    folder = Path(find("somebody/tiny")["folder"])
    folder.joinpath("model.safetensors").unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    error = find("somebody/tiny")["error"]
    assert "HF_HUB_OFFLINE=1 forbids to ask for it. What its cache holds is not whole" in error
    assert "has a config.json but no weights" in error
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert find("somebody/tiny")["folder"] == str(folder)


def test_a_model_of_gguf_files_only_says_what_to_do(hub: Hub, find: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    hub.files = {"tiny-q4.gguf": b"GGUF", "tiny-q8.gguf": b"GGUF", "config.json": b"{}"}
    error = find("somebody/tiny")["error"]
    assert (
        "has no weights that transformers loads. Download one of its .gguf files (tiny-q4.gguf, tiny-q8.gguf)" in error
    )


def test_a_model_that_is_not_there(hub: Hub, find: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    error = find("nobody/no-such-model")["error"]
    assert "Cannot get the model 'nobody/no-such-model' of the Hugging Face hub: RepositoryNotFoundError" in error
    for way in ("the path of a folder", "pytest-ragas models pull smollm2", "HF_HOME"):
        assert way in error
    assert len([path for path in hub.asked if "no-such-model" in path]) == 1, "it is asked once, without retries"


@pytest.mark.parametrize(
    ("variables", "options", "why"),
    [
        ({"HF_HUB_OFFLINE": "1"}, {}, "HF_HUB_OFFLINE=1 forbids to ask for it"),
        ({}, {"local_files_only": True}, "local_files_only = true forbids to ask for it"),
        ({}, {}, "Error: "),
    ],
)
def test_offline_names_the_three_ways(
    find: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], options: dict[str, Any], why: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = find("somebody/tiny", **options)["error"]
    assert why in error
    for way in ("the path of a folder", ".gguf", "pytest-ragas models pull smollm2", "HF_HOME"):
        assert way in error


def test_modelscope_is_contacted_by_nobody_who_does_not_name_it() -> None:
    """And where it is named without being installed, the extra is."""
    program = (
        "import sys; sys.modules['modelscope'] = None\n"
        "from pytest_ragas.models.local.weights import find_weights\n"
        "find_weights('qwen/Qwen2.5-0.5B-Instruct', hub='modelscope')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert 'with hub = "modelscope" needs modelscope' in done.stderr
    assert "pip install 'pytest-ragas[modelscope]'" in done.stderr
