"""A testset to a file: read back equal, written whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testset_rows import samples

from pytest_ragas.errors import TestsetError
from pytest_ragas.testset.formats.table import FORMATS
from pytest_ragas.testset.load import load_testset
from pytest_ragas.testset.save import save_testset
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset

ONE = Testset(samples=(Sample(user_input="Grüße, wer?", retrieved_contexts=["a", "b"], tags=["x"]),))


def same(testset: Testset) -> list[dict[str, object]]:
    """Everything of the samples but where they came from."""
    return [{**sample.to_json(), "source": ""} for sample in testset]


testsets = st.lists(samples(), min_size=1, max_size=3, unique_by=lambda sample: sample.id).map(
    lambda several: Testset(samples=tuple(several))
)


@pytest.mark.parametrize("suffix", FORMATS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(testset=testsets)
def test_what_is_saved_is_loaded_equal(tmp_path: Path, suffix: str, testset: Testset) -> None:
    path = tmp_path / f"t{suffix}"
    save_testset(testset, path)
    loaded = load_testset(path)
    assert same(loaded) == same(testset)
    assert loaded.fingerprint == testset.fingerprint
    first = path.read_bytes()
    save_testset(loaded, path)
    assert path.read_bytes() == first


def test_json_is_readable_and_in_the_order_of_the_columns(tmp_path: Path) -> None:
    save_testset(ONE, tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text(encoding="utf-8")
    assert '  {\n    "id": "' in text
    assert "Grüße" in text
    assert list(json.loads(text)[0]) == ["id", "user_input", "retrieved_contexts", "tags"]
    assert text.endswith("]\n")


def test_csv_has_the_columns_that_are_used(tmp_path: Path) -> None:
    save_testset(ONE, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_bytes().decode()
    assert text.startswith("id,user_input,retrieved_contexts,tags\r\n")


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "t.jsonl"
    save_testset(ONE, path)
    save_testset(ONE, path)
    assert [entry.name for entry in path.parent.iterdir()] == ["t.jsonl"]


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.json"
    save_testset(ONE, path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_testset(Testset(samples=(Sample(user_input="other"),)), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_links_and_permissions_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "target.json"
    save_testset(ONE, target)
    target.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(target)
    save_testset(Testset(samples=(Sample(user_input="other"),)), link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert load_testset(target).samples[0].user_input == "other"


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    save_testset(ONE, tmp_path / "t.json")
    (tmp_path / "other").touch()
    assert (tmp_path / "t.json").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(
    ("testset", "name", "message"),
    [
        (ONE, "t.xlsx", r"the suffix '.xlsx' is not known"),
        (Testset(samples=()), "t.json", r"without rows"),
        (Testset(samples=(Sample(id="a"), Sample(id="a"))), "t.json", r"two rows have the id 'a'"),
        (
            Testset(samples=(Sample(id="a", metadata={"x": [float("nan")]}),)),
            "t.json",
            r"row 'a' .*metadata\.x\[0\]: it has the number nan",
        ),
        (Testset(samples=(Sample(id="a", metadata={"x": {1}}),)), "t.json", r"metadata\.x: it has a Python set"),
        (Testset(samples=(Sample(id="a", response="\ud83d"),)), "t.json", r"field response: it has half of a char"),
    ],
)
def test_what_could_not_be_loaded_again_is_not_saved(tmp_path: Path, testset: Testset, name: str, message: str) -> None:
    with pytest.raises(TestsetError, match=message):
        save_testset(testset, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
