"""Where pytest, run from here, would have its rootdir."""

from __future__ import annotations

from pathlib import Path

_ROOTS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py")


def rootdir() -> Path:
    """The nearest folder with a configuration; the current one where there is none."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if any((folder / name).is_file() for name in _ROOTS)), here)
