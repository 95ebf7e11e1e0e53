"""Bytes of files that users wrote: encodings, missing files, directories."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_ragas.files.text import FileProblem, check_is_file, iter_lines, read_text


def test_utf8_with_and_without_a_mark_read_alike(tmp_path: Path) -> None:
    marked, plain = tmp_path / "marked", tmp_path / "plain"
    marked.write_bytes(b"\xef\xbb\xbf" + "Grüße\nja\n".encode())
    plain.write_bytes("Grüße\nja\n".encode())
    assert read_text(marked) == read_text(plain) == "Grüße\nja\n"
    assert [line.text() for line in iter_lines(marked)] == [line.text() for line in iter_lines(plain)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_wide_encodings_are_named_with_an_offset(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.json"
    path.write_text('[{"question": "q"}]', encoding=encoding)
    name = encoding[:6].upper()
    for read in (read_text, lambda path: list(iter_lines(path))):
        with pytest.raises(FileProblem, match=rf"offset \d.*{name}.*UTF-8"):
            read(path)


def test_an_invalid_byte_is_named_with_offset_and_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(b"one\ntwo caf\xe9\n")
    expected = r"byte 0xe9 at offset 11 \(line 2\) is not UTF-8"
    with pytest.raises(FileProblem, match=expected):
        read_text(path)
    first, second = iter_lines(path)
    assert first.text() == "one\n"
    with pytest.raises(FileProblem, match=expected):
        second.text()


def test_the_offset_counts_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "marked"
    path.write_bytes(b"\xef\xbb\xbfa\xff")
    with pytest.raises(FileProblem, match="offset 4"):
        read_text(path)


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "testset.json").touch()
    (tmp_path / "answers.yaml").touch()
    with pytest.raises(FileProblem, match=r"no such file.*Did you mean 'testset.json'\?"):
        check_is_file(tmp_path / "testsets.json", [".json"])
    with pytest.raises(FileProblem, match=r"Did you mean 'answers.yaml'\?"):
        check_is_file(tmp_path / "answers.csv", [".json"])
    with pytest.raises(FileProblem, match=r"no directory '.*nowhere' either"):
        check_is_file(tmp_path / "nowhere" / "testset.json", [".json"])


def test_a_directory_names_the_files_in_it(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"is a directory\. No file in it"):
        check_is_file(tmp_path, [".json"])
    for name in ("a.json", "b.JSON", "c.txt"):
        (tmp_path / name).touch()
    with pytest.raises(FileProblem, match=r"is a directory\. Name one of its files: 'a\.json', 'b\.JSON'\."):
        check_is_file(tmp_path, [".json"])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(FileProblem, match="not a regular file"):
        check_is_file(tmp_path / "pipe.json", [".json"])


@pytest.mark.parametrize("name", ["a\0b.json", "a" * 300 + ".json"])
def test_impossible_names_are_told_and_no_crash(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileProblem):
        check_is_file(tmp_path / name, [".json"])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX words")
def test_what_the_system_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    for read in (read_text, lambda path: list(iter_lines(path))):
        with pytest.raises(FileProblem, match=r"cannot be read \(Is a directory\)"):
            read(tmp_path)
