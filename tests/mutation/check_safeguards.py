"""Does a test notice if a safeguard of deferred verdicts is gone? One after the other is switched off, in a copy.

    python tests/mutation/check_safeguards.py                 all of them, some minutes
    python tests/mutation/check_safeguards.py --quick         a few
    python tests/mutation/check_safeguards.py --only barrier  those whose name or file has this word
    python tests/mutation/check_safeguards.py --list

First the named tests run on the copy as it is, and must pass. Ends with 1 if one does not, or if any safeguard is
missed by no test. Nothing is changed outside of a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from safeguards import SAFEGUARDS, Safeguard

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("pytest_ragas", "tests", "conftest.py", "pyproject.toml", "README.md")
TIMEOUT = 300.0
"""Seconds that the tests of one safeguard may take: without it, a run may hang."""


def copy_project(folder: Path) -> None:
    """What the tests need, without byte code."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)


@contextmanager
def switched_off(safeguard: Safeguard, folder: Path) -> Iterator[None]:
    """The copy without this safeguard.

    Raises:
        SystemExit: What is to be cut is not there, or more than once.
    """
    before: dict[Path, str] = {}
    try:
        for name, there, instead in safeguard.cuts:
            file = folder / "pytest_ragas" / name
            text = file.read_text(encoding="utf-8")
            before.setdefault(file, text)
            if text.count(there) != 1:
                raise SystemExit(f"{safeguard.name}: {name} has {text.count(there)} times, not once:\n{there}")
            file.write_text(text.replace(there, instead), encoding="utf-8")
        yield
    finally:
        for file, text in before.items():
            file.write_text(text, encoding="utf-8")


def failing(folder: Path, tests: Sequence[str]) -> tuple[bool, str]:
    """Whether any of these tests fails in the copy, and pytest's last words."""
    # byte code goes by the time of a file in seconds: a safeguard that is back would seem to be gone still
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return True, f"hangs for {TIMEOUT:g} s"
    if process.returncode not in (0, 1):
        raise SystemExit(f"pytest ended with {process.returncode}:\n{output[-3000:]}")
    failed = next((line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))), "")
    return process.returncode == 1, failed.partition(" - ")[0] or output.strip().splitlines()[-1]


def main() -> int:
    """Check, print, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--quick", action="store_true", help="only a few, of each kind")
    parser.add_argument("--list", action="store_true", help="print the safeguards, and stop")
    options = parser.parse_args()
    chosen = [
        one for one in SAFEGUARDS if options.only in f"{one.name} {one.cuts[0][0]}" and (one.quick or not options.quick)
    ]
    if options.list:
        for one in chosen:
            print(f"{one.name}  ({one.cuts[0][0]})")
        return 0
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        copy_project(folder)
        fails, last = failing(folder, list(dict.fromkeys(test for one in chosen for test in one.tests)))
        print(f"as it is: {last}", flush=True)
        if fails:
            return 1
        for one in chosen:
            began = time.perf_counter()
            with switched_off(one, folder):
                fails, last = failing(folder, one.tests)
            word = "noticed" if fails else "MISSED "
            print(f"{word} {time.perf_counter() - began:4.0f} s  {one.name}\n                {last}", flush=True)
            if not fails:
                missed.append(one.name)
    print(f"\n{len(chosen) - len(missed)} of {len(chosen)} safeguards are noticed when they are gone")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
