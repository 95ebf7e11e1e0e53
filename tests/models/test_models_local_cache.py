"""Where converted weights lie, and that each is made once, wholly or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.local.cache import (
    MANIFEST,
    check_room,
    entries,
    find,
    folder_name,
    make_once,
    models_dir,
    remove,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def filled(folder: Path) -> Mapping[str, Any]:
    folder.joinpath("model.safetensors").write_bytes(b"12345")
    return {"name": "some-model"}


def test_the_folder_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert models_dir() == tmp_path / "cache"
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", "~/models")
    assert models_dir() == Path.home() / "models"
    monkeypatch.delenv("PYTEST_RAGAS_MODELS_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_dir() == tmp_path / "pytest-ragas" / "models"
    monkeypatch.setattr(sys, "platform", "linux")
    for relative_or_none in ("caches", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", relative_or_none)
        assert models_dir() == Path.home() / ".cache" / "pytest-ragas" / "models"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert models_dir() == Path.home() / "Library" / "Caches" / "pytest-ragas" / "models"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert models_dir() == tmp_path / "pytest-ragas" / "models"


def test_a_name_for_the_folder_is_one_on_every_system() -> None:
    assert folder_name("Qwen 2.5: é/x", "0123456789abcdef", suffix="-t5") == "Qwen-2.5-x-0123456789ab-1-t5"
    assert folder_name("..", "0123456789abcdef") == "model-0123456789ab-1"


def test_made_once_and_found_then() -> None:
    made: list[Path] = []

    def make(folder: Path) -> Mapping[str, Any]:
        made.append(folder)
        return filled(folder)

    entry = make_once("a-1", make)
    assert make_once("a-1", make) == entry == find("a-1") == entries()[0]
    assert len(made) == 1
    assert entry.name == "some-model"
    assert entry.folder.joinpath("model.safetensors").read_bytes() == b"12345"
    assert entry.size() == 5 + entry.folder.joinpath(MANIFEST).stat().st_size
    assert not made[0].exists()


def test_of_threads_that_ask_at_once_one_makes_it() -> None:
    made: list[int] = []

    def make(folder: Path) -> Mapping[str, Any]:
        made.append(1)
        time.sleep(0.2)
        return filled(folder)

    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(make_once("a-1", make).folder)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(made) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no"), ConfigurationError("damaged")])
def test_what_is_made_half_is_never_seen(error: BaseException, cache: Path) -> None:
    def make(folder: Path) -> Mapping[str, Any]:
        filled(folder)
        raise error

    with pytest.raises(type(error)):
        make_once("a-1", make)
    assert list(cache.iterdir()) == []
    assert make_once("a-1", filled).name == "some-model"


def test_leftovers_of_a_kill_are_removed_and_those_of_others_are_not(cache: Path) -> None:
    for name in (".a-1.x7x7x7x7", ".b-1.x7x7x7x7"):
        cache.joinpath(name).mkdir(parents=True)
        cache.joinpath(name, "model.safetensors").write_bytes(b"half")
    make_once("a-1", filled)
    assert sorted(path.name for path in cache.iterdir()) == [".b-1.x7x7x7x7", "a-1"]


@pytest.mark.parametrize("manifest", [None, "", "[]", '{"format": 99}'])
def test_a_folder_that_is_not_whole_or_of_another_format_is_made_anew(cache: Path, manifest: str | None) -> None:
    cache.joinpath("a-1").mkdir(parents=True)
    if manifest is not None:
        cache.joinpath("a-1", MANIFEST).write_text(manifest)
    assert find("a-1") is None
    assert entries() == []
    assert json.loads((make_once("a-1", filled).folder / MANIFEST).read_text())["format"] == 1


def test_removed_is_gone(cache: Path) -> None:
    remove(make_once("a-1", filled))
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "No space left on device. Make room, or let PYTEST_RAGAS_MODELS_DIR name a folder on another"),
        (errno.EACCES, "Permission denied. Let PYTEST_RAGAS_MODELS_DIR name a folder that you can write to"),
        (errno.EROFS, "Read-only file system. Let PYTEST_RAGAS_MODELS_DIR name a folder that you can write to"),
    ],
)
def test_what_the_system_says_comes_with_a_mend(number: int, mend: str) -> None:
    def make(folder: Path) -> Mapping[str, Any]:
        raise OSError(number, os.strerror(number), str(folder / "model.safetensors"))

    with pytest.raises(ConfigurationError) as caught:
        make_once("a-1", make)
    assert mend in str(caught.value)
    assert "model.safetensors" in str(caught.value)


def test_a_cache_below_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("file").write_text("")
    monkeypatch.setenv("PYTEST_RAGAS_MODELS_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(ConfigurationError, match=r"cannot be written: .*file.*: Not a directory\. Let PYTEST_RAGAS"):
        make_once("a-1", filled)
    assert entries() == []


def test_room_is_looked_for_beforehand(tmp_path: Path) -> None:
    check_room(tmp_path, 1, "A model")
    much = shutil.disk_usage(tmp_path).total * 2
    with pytest.raises(ConfigurationError, match=rf"A model needs .* GB in {tmp_path}, where .* are free\. Make room"):
        check_room(tmp_path, much, "A model")
