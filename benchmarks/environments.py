"""Virtual environments of their own for what is compared: built once in a folder, used again from there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class InstallFailed(Exception):
    """pip could not install something; holds the end of what it said."""


def environment(folder: Path, name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of a virtual environment with these requirements.

    Args:
        folder: Where environments are kept.
        name: Of the environment; one that is complete already is used as it is.
        requirements: For `pip install`.

    Raises:
        InstallFailed: pip failed.
    """
    home = folder / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = home / "complete"
    if not complete.exists():
        print(f"building the environment {name}: pip install {' '.join(requirements)}", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", *requirements])
        complete.touch()
    return python


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise InstallFailed(result.stderr.strip()[-500:])
