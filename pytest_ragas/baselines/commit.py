"""`commit_of`: where the code stood. With git if it is there, without it from the files of the checkout."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pytest_ragas.values.recorded import Commit

_PATIENCE = 5.0
"""Seconds that git may take: it looks at every tracked file."""

_BRANCHES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BITBUCKET_BRANCH", "BUILD_SOURCEBRANCHNAME")
"""Where CI services say the branch of a checkout that is on none."""


def commit_of(folder: Path, *, environ: Mapping[str, str] | None = None) -> Commit:
    """The commit of the checkout that a folder lies in; an empty one outside of any. Never raises, never waits long.

    Args:
        folder: The rootdir.
        environ: Where a CI service says its branch; by default the environment of this process.
    """
    environ = os.environ if environ is None else environ
    found = _asked(folder) or _read(folder)
    if found.id and not found.branch:
        branch = next((environ[name] for name in _BRANCHES if environ.get(name)), "")
        return Commit(id=found.id, branch=branch, dirty=found.dirty)
    return found


def _asked(folder: Path) -> Commit | None:
    """What git says; None where it is not installed, takes too long, or refuses the checkout (another owner)."""
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    # a file, not a pipe: whatever git starts may keep a pipe open
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                # no lock: somebody else may be committing
                env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        if done.returncode:
            return None
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").splitlines()
    said = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch.") and line.count(" ") > 1)
    id, branch = said.get("branch.oid", ""), said.get("branch.head", "")
    return Commit(
        id="" if id.startswith("(") else id,
        branch="" if branch.startswith("(") else branch,
        dirty=any(not line.startswith("#") for line in lines),
    )


def _read(folder: Path) -> Commit:
    """What the files of the checkout say: never that something is dirty."""
    try:
        place = next((one / ".git" for one in (folder, *folder.parents) if (one / ".git").exists()), None)
        if place is None:
            return Commit()
        if place.is_file():  # a worktree or submodule
            place = place.parent / place.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
        head = (place / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return Commit(id=head)
        name = head.partition(":")[2].strip()
        shared = place / "commondir"
        common = place / shared.read_text(encoding="utf-8").strip() if shared.exists() else place
        return Commit(id=_of_ref(name, (place, common)), branch=name.removeprefix("refs/heads/"))
    except (OSError, UnicodeDecodeError):
        return Commit()


def _of_ref(name: str, places: tuple[Path, Path]) -> str:
    for place in places:
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8").strip()
    packed = places[1] / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.exists() else []
    return next((line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}")), "")
