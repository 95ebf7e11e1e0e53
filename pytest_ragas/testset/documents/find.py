"""What a user names as documents to the files that are meant: files, folders and globs."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from pytest_ragas.files.text import FileProblem, check_is_file


def find_files(
    paths: Sequence[str | Path], *, root: Path, suffixes: Collection[str]
) -> tuple[list[tuple[str, Path]], list[tuple[str, str]]]:
    """Every file that is meant, once, sorted by the path that it is shown with.

    A folder stands for all files below it that can be read, a glob (`*`, `**`, `?`, `[…]`) for those that match and
    can be read. Names that begin with a dot are left out of both, as a shell does. A file that is named itself must be
    readable.

    Args:
        paths: As the user wrote them; relative ones begin at `root`.
        root: An absolute folder.
        suffixes: Those that can be read, in lower case.

    Returns:
        (shown path, path) of each file, and (what was named, what is wrong with it) for what gives none.
    """
    files: dict[str, Path] = {}
    problems: list[tuple[str, str]] = []
    for named in paths:
        path = root / Path(named).expanduser()
        try:
            found = _meant(str(named), path, suffixes)
        except FileProblem as error:
            problems.append((str(named), str(error)))
            continue
        files.update({shown(file, root): file for file in found})
    return sorted(files.items()), problems


def shown(file: Path, root: Path) -> str:
    """A path as messages and testsets show it: from the root, with forward slashes."""
    try:
        return Path(os.path.relpath(file, root)).as_posix()
    except ValueError:  # another drive of Windows
        return file.as_posix()


def _meant(named: str, path: Path, suffixes: Collection[str]) -> list[Path]:
    known = ", ".join(sorted(suffixes))
    if path.is_dir():
        found = [
            Path(folder) / name
            for folder, folders, names in os.walk(path)
            if _prune(folders)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes
        ]
        if not found:
            raise FileProblem(f"no file in this folder can be read as a document. Known suffixes: {known}.")
        return found
    if glob.has_magic(named) and not path.exists():
        matches = [Path(match) for match in glob.glob(str(path), recursive=True)]
        found = [match for match in matches if match.is_file() and match.suffix.lower() in suffixes]
        if not found:
            other = [match.name for match in matches if match.is_file()]
            what = f"only {', '.join(sorted(other)[:5])} matches" if other else "nothing matches"
            raise FileProblem(f"{what}. Known suffixes: {known}.")
        return found
    check_is_file(path, suffixes)
    if path.suffix.lower() not in suffixes:
        raise FileProblem(f"the suffix {path.suffix!r} is not known. Known suffixes: {known}.")
    return [path]


def _prune(folders: list[str]) -> bool:
    """Keep `os.walk` out of hidden folders; always true."""
    folders[:] = sorted(name for name in folders if not name.startswith("."))
    return True
