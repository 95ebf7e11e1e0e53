"""Folders with weights: whole or not, a causal LM or not, and which model it is."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_models.tiny import safetensors, write_folder

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.models.local.fingerprint import file_digest, folder_digest
from pytest_ragas.models.local.weights import find_weights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "my-model")


def refused(folder: Path, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        find_weights(str(folder), **options)
    return str(caught.value)


def test_a_folder_is_taken_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = find_weights(str(folder))
    assert (weights.folder, weights.name, weights.note) == (folder, "my-model", "")
    assert weights.fingerprint == folder_digest(folder)
    monkeypatch.chdir(folder.parent)
    assert find_weights("./my-model") == find_weights("my-model") == weights
    monkeypatch.chdir(folder)
    assert find_weights(".") == weights


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root may read everything: for a moment we are somebody else."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


class TestFingerprint:
    def test_the_same_files_elsewhere_are_the_same_model(self, folder: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copies" / "my-model"
        shutil.copytree(folder, copy)
        assert find_weights(str(copy)).fingerprint == find_weights(str(folder)).fingerprint

    @pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
    def test_one_byte_makes_another_model(self, folder: Path, name: str) -> None:
        before = folder_digest(folder)
        contents = folder.joinpath(name).read_bytes()
        folder.joinpath(name).write_bytes(contents[:-1] + b" ")
        assert folder_digest(folder) != before

    def test_what_decides_nothing_changes_nothing(self, folder: Path) -> None:
        before = folder_digest(folder)
        folder.joinpath("README.md").write_text("# A model")
        folder.joinpath("training_args.bin").write_bytes(b"x")
        folder.joinpath(".cache").mkdir()
        assert folder_digest(folder) == before

    def test_a_large_file_is_read_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from pytest_ragas.models.local import fingerprint

        file = tmp_path / "large.gguf"
        file.write_bytes(bytes(16_000_000))
        read: list[Path] = []
        sha256_of = fingerprint.sha256_of
        monkeypatch.setattr(fingerprint, "sha256_of", lambda path: (read.append(path), sha256_of(path))[1])
        first = file_digest(file)
        assert file_digest(file) == first
        assert len(read) == 1
        file.write_bytes(bytes(15_999_999) + b"1")
        assert file_digest(file) != first
        assert len(read) == 2

    def test_what_the_hub_named_by_its_sha256_is_not_read(self, tmp_path: Path) -> None:
        blob = tmp_path / "blobs" / ("ab" * 32)
        blob.parent.mkdir()
        blob.write_bytes(b"anything")
        link = tmp_path / "model.safetensors"
        link.symlink_to(blob)
        assert file_digest(link) == "ab" * 32


class TestDamage:
    @pytest.mark.parametrize("size", [0, 5, 8, 60, -1])
    def test_weights_that_are_cut_off(self, folder: Path, size: int) -> None:
        file = folder / "model.safetensors"
        os.truncate(file, size if size >= 0 else file.stat().st_size - 1)
        assert "model.safetensors is" in refused(folder)
        assert "Download" in refused(folder)

    def test_a_size_that_differs_is_said_in_bytes(self, folder: Path) -> None:
        file = folder / "model.safetensors"
        size = file.stat().st_size
        os.truncate(file, size - 7)
        assert f"it has {size - 7:,} bytes, and its header speaks of {size:,}" in refused(folder)

    def test_a_git_lfs_pointer(self, folder: Path) -> None:
        folder.joinpath("model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
        assert "is a Git LFS pointer, not the file itself: run git lfs pull" in refused(folder)

    def test_a_configuration_that_is_no_json(self, folder: Path) -> None:
        folder.joinpath("config.json").write_text('{"architectures": ["Llama')
        assert "config.json is damaged: " in refused(folder)

    def test_a_part_that_is_missing_or_cut_off(self, folder: Path) -> None:
        folder.joinpath("model.safetensors").unlink()
        names = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
        index = {"weight_map": {f"layer.{number}": name for number, name in enumerate(names)}}
        folder.joinpath("model.safetensors.index.json").write_text(json.dumps(index))
        for name in names[:2]:
            folder.joinpath(name).write_bytes(safetensors({"a": 3}))
        assert f"lacks 1 of the 3 files that model.safetensors.index.json names: {names[2]}" in refused(folder)
        folder.joinpath(names[2]).write_bytes(safetensors({"a": 3})[:-1])
        assert f"{names[2]} is damaged" in refused(folder)
        folder.joinpath(names[2]).write_bytes(safetensors({"a": 3}))
        assert find_weights(str(folder)).folder == folder

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no modes of files")
    @pytest.mark.parametrize("name", [".", "config.json", "model.safetensors"])
    def test_what_may_not_be_read(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # not in tmp_path, whose parents belong to this user alone
        with tempfile.TemporaryDirectory() as parent:
            os.chmod(parent, 0o755)
            monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", parent)
            folder = write_folder(Path(parent, "my-model"))
            folder.joinpath(name).chmod(0)
            with nobody():
                said = refused(folder)
            folder.joinpath(name).chmod(0o755)
        assert "Permission denied. Give the user who runs the tests the right to read it" in said
        assert str(folder) in said

    def test_a_link_into_nothing(self, folder: Path) -> None:
        folder.joinpath("model.safetensors").unlink()
        folder.joinpath("model.safetensors").symlink_to(folder / "gone")
        assert "No such file or directory" in refused(folder)


class TestMissing:
    def test_no_weights(self, folder: Path) -> None:
        folder.joinpath("model.safetensors").unlink()
        assert "has a config.json but no weights" in refused(folder)
        folder.joinpath("adapter_model.safetensors").write_bytes(b"")
        assert "is only what fine-tuning added: merge it" in refused(folder)

    def test_no_tokenizer(self, folder: Path) -> None:
        folder.joinpath("tokenizer.json").unlink()
        assert "has weights but no tokenizer" in refused(folder)

    def test_no_model_at_all(self, tmp_path: Path) -> None:
        assert "is no model: it has no config.json" in refused(tmp_path)

    @pytest.mark.parametrize("name", ["./no/such", "/no/such", "~/no/such", "models/no/such", "no-such.gguf"])
    def test_a_path_where_nothing_is_names_the_three_ways(self, name: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            find_weights(name)
        message = str(caught.value)
        assert f"No model at {name!r}: nothing is there (looked from {Path.cwd()})" in message
        for way in ("the path of a folder", ".gguf", "pytest-ragas models pull smollm2", "Hugging Face hub", "HF_HOME"):
            assert way in message

    def test_a_file_that_is_no_gguf(self, folder: Path) -> None:
        assert "is a file, but no .gguf file" in refused(folder / "model.safetensors")

    def test_an_unknown_hub(self) -> None:
        with pytest.raises(UnknownNameError, match=r"Unknown hub 'modelscop'.*'modelscope'"):
            find_weights("smollm2", hub="modelscop")


class TestKind:
    @pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "Qwen3ForCausalLM", "GPT2LMHeadModel"])
    def test_causal_lms(self, tmp_path: Path, architecture: str) -> None:
        assert find_weights(str(write_folder(tmp_path / "m", architectures=[architecture]))).name == "m"

    def test_an_encoder(self, tmp_path: Path) -> None:
        folder = write_folder(tmp_path / "m", architectures=["BertForSequenceClassification"], model_type="bert")
        assert "is no causal LM (BertForSequenceClassification). A critic LLM has to be a causal LM: Qwen" in refused(
            folder
        )

    def test_an_embedding_model_is_sent_to_where_it_belongs(self, tmp_path: Path) -> None:
        folder = write_folder(tmp_path / "m", architectures=["BertModel"], model_type="bert")
        folder.joinpath("modules.json").write_text("[]")
        assert "is no causal LM (BertModel). It is an embedding model: it belongs into embeddings" in refused(folder)

    def test_what_answers_in_two_steps(self, tmp_path: Path) -> None:
        pytest.importorskip("transformers", reason="the extra [local] is not installed")
        t5 = write_folder(tmp_path / "t5", architectures=["T5ForConditionalGeneration"], model_type="t5")
        assert "is no causal LM (T5ForConditionalGeneration)" in refused(t5)
        gemma = write_folder(tmp_path / "g", architectures=["Gemma3ForConditionalGeneration"], model_type="gemma3")
        assert find_weights(str(gemma)).name == "g"

    def test_code_of_the_models_own_is_not_run_unless_told(self, tmp_path: Path) -> None:
        pytest.importorskip("transformers", reason="the extra [local] is not installed")
        own = {
            "architectures": ["OwnModel"],
            "model_type": "own",
            "auto_map": {"AutoModelForCausalLM": "modeling_own.OwnModel"},
        }
        folder = write_folder(tmp_path / "m", **own)
        assert "comes with code of its own, which is not run unless you say trust_remote_code = true" in refused(folder)
        assert find_weights(str(folder), trust_remote_code=True).name == "m"
        native = write_folder(tmp_path / "n", auto_map={"AutoModelForCausalLM": "modeling_llama.Llama"})
        assert find_weights(str(native)).name == "n", "transformers has a model of this type itself"

    def test_nothing_heavy_is_imported_for_an_ordinary_folder(self, folder: Path) -> None:
        import subprocess

        program = (
            "import sys; from pytest_ragas.models.local.weights import find_weights; find_weights(sys.argv[1]); "
            "print(sorted({'torch', 'transformers', 'gguf', 'numpy', 'huggingface_hub'} & set(sys.modules)))"
        )
        command = [sys.executable, "-c", program, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("[]\n", "")
