"""GGUF files are converted once, into what `from_pretrained` loads, and say what is wrong with them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from local_models.tiny import write_folder, write_gguf

from pytest_ragas.errors import ConfigurationError, MissingExtraError
from pytest_ragas.models.local.cache import entries, folder_name, models_dir
from pytest_ragas.models.local.fingerprint import file_digest
from pytest_ragas.models.local.weights import Weights, find_weights

for library in ("torch", "transformers", "gguf", "accelerate"):
    pytest.importorskip(library, reason=f"the extra [local] is not installed: no {library}")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "cache"


def leftovers() -> list[str]:
    return sorted(path.name for path in models_dir().glob(".*") if path.name != ".digests")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "Tiny-Llama.gguf")


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("converted"))


@pytest.fixture
def weights(file: Path, shared_cache: str, monkeypatch: pytest.MonkeyPatch) -> Weights:
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", shared_cache)
    return find_weights(str(file))


class TestOfATinyModel:
    def test_the_logits_are_those_that_transformers_reads_from_gguf(
        self, file: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        from pytest_ragas.models.progress_bars import no_progress_bars

        ids = torch.arange(1, 100)[None]
        with no_progress_bars():
            ours = AutoModelForCausalLM.from_pretrained(weights.folder, local_files_only=True, dtype=torch.float32)
            direct = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        with torch.inference_mode():
            assert torch.equal(ours(ids).logits, direct(ids).logits)
        assert ours.config.tie_word_embeddings
        assert not hasattr(ours.config, "quantization_config")

    def test_tokenizer_and_chat_template_come_along(self, weights: Weights) -> None:
        from transformers import AutoTokenizer

        tokenizer: Any = AutoTokenizer.from_pretrained(weights.folder, local_files_only=True)
        assert tokenizer.decode(tokenizer.encode("Grüße, 2 €", add_special_tokens=False)) == "Grüße, 2 €"
        # what the grammar of answers reads a token's bytes by; transformers 4 puts that of SentencePiece before it
        assert json.loads(tokenizer.backend_tokenizer.to_str())["decoder"]["type"] == "ByteLevel"
        assert (
            tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False) == "<|start|>Hi<|end|>"
        )

    def test_the_name_is_the_files_and_the_fingerprint_is_its_contents(
        self, file: Path, weights: Weights, tmp_path: Path, shared_cache: str
    ) -> None:
        assert weights.name == "Tiny-Llama.gguf"
        elsewhere = tmp_path / "Tiny-Llama.gguf"
        elsewhere.write_bytes(file.read_bytes())
        assert find_weights(str(elsewhere)) == weights, "the same file somewhere else: nothing is converted again"
        assert find_weights(str(tmp_path)) == weights, "a folder that holds one GGUF file and no configuration"
        assert [entry.name for entry in entries()] == ["Tiny-Llama"]

    def test_what_is_converted_is_found_without_importing_anything_heavy(self, file: Path, weights: Weights) -> None:
        program = (
            "import sys; from pytest_ragas.models.local.weights import find_weights; find_weights(sys.argv[1]); "
            "print(sorted({'torch', 'transformers', 'gguf', 'numpy', 'huggingface_hub'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("[]\n", "")

    def test_everybody_may_read_what_was_converted(self, weights: Weights) -> None:
        assert {oct(file.stat().st_mode & 0o777) for file in weights.folder.iterdir()} == {"0o644"}


def test_of_processes_that_ask_at_once_one_converts(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", seed=2)
    program = (
        "import sys; from pytest_ragas.models.local import gguf\n"
        "from pytest_ragas.models.local.weights import find_weights\n"
        "convert, done = gguf._convert, []\n"
        "gguf._convert = lambda *given: (done.append(1), convert(*given))\n"
        "print(len(done) or '', find_weights(sys.argv[1]).folder, len(done))"
    )
    command = [sys.executable, "-c", program, str(file)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=240)[0].split() for process in processes]
    assert len({folder for folder, _ in said}) == 1
    assert sorted(count for _, count in said) == ["0", "0", "1"]
    assert leftovers() == []


def test_an_interrupted_conversion_leaves_nothing_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", seed=3)
    program = "import sys; from pytest_ragas.models.local.weights import find_weights; find_weights(sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", program, str(file)], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not leftovers() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)  # the converting process is importing torch
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) != 0
    assert process.stderr is not None
    process.stderr.close()
    assert leftovers() == []
    assert entries() == []
    # as after a kill, which leaves no time to clean up
    killed = (
        models_dir() / f".{folder_name('tiny', file_digest(file), suffix='-t' + version('transformers')[0])}.abcdefgh"
    )
    killed.mkdir()
    killed.joinpath("model.safetensors").write_bytes(b"half")
    assert find_weights(str(file)).folder.is_dir()
    assert leftovers() == []


@pytest.mark.parametrize("keep", [0.98, 0.1])
def test_a_file_that_is_cut_off(tmp_path: Path, keep: float) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", seed=5)
    os.truncate(file, int(file.stat().st_size * keep))
    with pytest.raises(
        ConfigurationError, match=r"tiny.gguf cannot be read as a GGUF model \(.+\)\. It may be cut off"
    ):
        find_weights(str(file))
    assert entries() == []
    assert leftovers() == []


def test_an_architecture_that_transformers_does_not_read(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", architecture="rwkv6")
    with pytest.raises(
        ConfigurationError, match=r"tiny.gguf holds a model that transformers does not read.*llama\.cpp"
    ):
        find_weights(str(file))


def test_no_gguf_at_all(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ConfigurationError, match=r"is no GGUF file: it begins with b'vers'.*Git LFS pointer"):
        find_weights(str(file))


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path) -> None:
    """A real one, of 1 MB, where this user may mount it."""
    file = write_gguf(tmp_path / "tiny.gguf", seed=6)
    small = tmp_path / "cache"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        with pytest.raises(
            ConfigurationError, match=r"as safetensors needs 20 MB in .*, where 1 MB are free.*MODELS_DIR"
        ):
            find_weights(str(file))
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("library", ["gguf", "accelerate"])
def test_without_a_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library}.*pip install 'pytest-ragas\[local\]'"):
        find_weights(str(file))


def test_a_folder_with_several_files_asks_which(tmp_path: Path) -> None:
    for name in ("model-q4.gguf", "model-q8.gguf"):
        tmp_path.joinpath(name).write_bytes(b"GGUF")
    with pytest.raises(ConfigurationError, match=r"several .gguf files \(model-q4.gguf, model-q8.gguf\): name one"):
        find_weights(str(tmp_path))


def test_a_folder_of_safetensors_counts_more_than_a_gguf_file_in_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "both")
    folder.joinpath("model.gguf").write_bytes(b"GGUF")
    assert find_weights(str(folder)).folder == folder
