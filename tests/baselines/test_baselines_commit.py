"""Where the code stood: with git, without it, and with one that hangs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_ragas.baselines import commit as commit_module
from pytest_ragas.baselines.commit import commit_of

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "feature/x")
    (folder / "rag.py").write_text("one = 1\n")
    git(folder, "add", "rag.py")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def git(folder: Path, *arguments: str) -> str:
    who = {
        f"GIT_{role}_{what}": f"{role}@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_git_says_commit_branch_and_changes(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    (checkout / "untracked.txt").write_text("x")
    found = commit_of(checkout, environ={})
    assert (found.id, found.branch, found.dirty) == (head, "feature/x", False)
    (checkout / "rag.py").write_text("one = 2\n")
    assert commit_of(checkout, environ={}).dirty


def test_from_a_folder_inside_the_checkout(checkout: Path) -> None:
    (checkout / "sub").mkdir()
    assert commit_of(checkout / "sub", environ={}).id == git(checkout, "rev-parse", "HEAD")


@pytest.mark.parametrize("packed", [False, True])
def test_without_git_the_files_say_it(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    if packed:
        git(checkout, "pack-refs", "--all")
    without_git(monkeypatch, tmp_path)
    found = commit_of(checkout, environ={})
    assert (found.id, found.branch, found.dirty) == (head, "feature/x", False)


def test_without_git_in_a_worktree(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "beside"))
    head = git(checkout, "rev-parse", "HEAD")
    without_git(monkeypatch, tmp_path)
    found = commit_of(tmp_path / "beside", environ={})
    assert (found.id, found.branch) == (head, "other")


def test_ci_says_the_branch_of_a_detached_checkout(checkout: Path) -> None:
    git(checkout, "checkout", "-q", "--detach")
    assert commit_of(checkout, environ={}).branch == ""
    assert commit_of(checkout, environ={"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"}).branch == "main"


def test_outside_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = commit_of(tmp_path, environ={"GITHUB_REF_NAME": "main"})
    assert (found.id, found.branch, found.dirty) == ("", "", False)


def test_a_damaged_checkout_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff\xfe")
    assert commit_of(tmp_path, environ={}).id == ""


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for git is a shell script")
def test_a_git_that_hangs_is_not_waited_for(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    # it leaves a process behind that keeps its output open
    slow.write_text("#!/bin/sh\nsleep 3 &\nsleep 3\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(commit_module, "_PATIENCE", 0.2)
    began = time.monotonic()
    assert commit_of(checkout, environ={}).id == head
    assert time.monotonic() - began < 30
