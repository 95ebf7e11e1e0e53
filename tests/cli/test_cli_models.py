"""`pytest-ragas models`: what is here, get one, remove one; on a terminal and in a log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from local_models.tiny import write_folder, write_gguf

from pytest_ragas.cli.main import main
from pytest_ragas.models.local.cache import MANIFEST, make_once

SCRIPT = Path(sys.executable).with_name("pytest-ragas")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "cache"


def fill(folder: Path) -> dict[str, str]:
    folder.joinpath("model.safetensors").write_bytes(bytes(3_000_000))
    return {"name": "Tiny-Llama", "licence": ""}


def test_list_shows_name_size_licence_and_where(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    entry = make_once("Tiny-Llama-0123456789ab-1-t5", fill)
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "SIZE", "LICENCE", "WHERE"]
    assert lines[1].split() == ["Tiny-Llama", "3", "MB", "not", "known", str(entry.folder)]
    assert lines[2].split(maxsplit=4)[:4] == ["smollm2", "542", "MB", "Apache-2.0"]
    assert "not here: pytest-ragas models pull smollm2 (93 MB to download)" in lines[2]
    assert lines[3].startswith("minilm")
    assert "Apache-2.0" in lines[3]
    assert f"folder: {cache}" in lines
    assert "It is no judge" in lines[-1]


def test_an_empty_folder_is_not_made_by_looking(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    assert main(["models", "list"]) == 0
    assert not cache.exists()


def test_remove(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    make_once("Tiny-Llama-0123456789ab-1-t5", fill)
    other = make_once("other-0123456789ab-1-t5", lambda folder: {"name": "other"})
    assert main(["models", "remove", "tiny-llama"]) == 1
    assert "Unknown model 'tiny-llama'" in capsys.readouterr().err
    assert main(["models", "remove", "Tiny-Llama"]) == 0
    assert capsys.readouterr().out.startswith("removed Tiny-Llama: 3 MB, ")
    assert [path.name for path in cache.iterdir()] == [other.folder.name]
    assert main(["models", "remove", other.folder.name]) == 0
    assert main(["models", "remove", "other"]) == 1


def test_pull_of_a_folder_says_where_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "my-model")
    assert main(["models", "pull", str(folder)]) == 0
    assert capsys.readouterr().out == f"my-model: 0 MB in {folder}, 0 s.\n"


def test_pull_of_what_is_not_there_names_the_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "./no-such-model"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: No model at './no-such-model'")
    assert "Hugging Face hub" in said


class TestWithTheLibraries:
    @pytest.fixture(autouse=True)
    def libraries(self) -> None:
        for library in ("torch", "transformers", "gguf", "accelerate"):
            pytest.importorskip(library, reason=f"the extra [local] is not installed: no {library}")

    def test_pull_says_one_line_in_a_log_and_list_shows_it(self, tmp_path: Path, cache: Path) -> None:
        file = write_gguf(tmp_path / "Tiny.gguf")
        done = subprocess.run([SCRIPT, "models", "pull", file], capture_output=True, text=True, timeout=240)
        assert done.stderr == ""
        assert done.stdout.startswith("Tiny.gguf: ")
        assert done.stdout.count("\n") == 1
        listed = subprocess.run([SCRIPT, "models", "list"], capture_output=True, text=True, timeout=60).stdout
        assert str(cache / "Tiny-") in listed.splitlines()[1]

    @pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
    def test_pull_tells_a_terminal_what_it_does(self, tmp_path: Path) -> None:
        import pty

        file = write_gguf(tmp_path / "Tiny.gguf", seed=2)
        master, slave = pty.openpty()
        process = subprocess.Popen([SCRIPT, "models", "pull", file], stdout=slave, stderr=slave)
        os.close(slave)
        shown = b""
        while True:
            try:
                block = os.read(master, 4096)
            except OSError:  # the other end was closed
                break
            if not block:
                break
            shown += block
        os.close(master)
        assert process.wait(timeout=60) == 0
        lines = shown.decode().splitlines()
        assert lines[0] == "converting Tiny.gguf to safetensors, once"
        assert lines[-1].startswith("Tiny.gguf: ")

    def test_control_c_leaves_nothing_half(self, tmp_path: Path, cache: Path) -> None:
        file = write_gguf(tmp_path / "Tiny.gguf", seed=3)
        command = [SCRIPT, "models", "pull", file]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not list(cache.glob(".Tiny*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert (out, err) == ("", "\ninterrupted: nothing half is left in the folder\n")
        assert [path for path in cache.iterdir() if path.name != ".digests"] == []
        assert list(cache.rglob(MANIFEST)) == []
