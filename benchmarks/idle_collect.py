"""What the plugin costs a suite that does not use it: CPU of `pytest --collect-only` with and without us.

    python benchmarks/idle_collect.py [--tests 200] [--rounds 30]

Both run alternately in fresh processes, so that a busy machine slows both alike; user and system time of the child
are compared, not the clock. Other plugins are not loaded: they would hide our share. Issue: at most 1.05.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1.05


def cpu_of(command: list[str], folder: Path) -> float:
    """CPU seconds of a child process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's daily run compiles everything anew
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=200, help="tests of the generated suite, 20 a file")
    parser.add_argument("--rounds", type=int, default=30, help="runs of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for number in range(0, options.tests, 20):
            tests = "".join(f"def test_{test}(tmp_path):\n    assert tmp_path\n\n\n" for test in range(20))
            (folder / f"test_{number}.py").write_text(tests)
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        kinds = {"without": command, "with": [*command, "-p", "pytest_ragas.plugin.entry"]}
        for arguments in kinds.values():
            cpu_of(arguments, folder)  # compiles
        seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
        for turn in range(options.rounds):
            for kind in list(kinds) if turn % 2 else list(kinds)[::-1]:
                seconds[kind].append(cpu_of(kinds[kind], folder))
    for kind, values in seconds.items():
        low, middle = min(values), statistics.median(values)
        print(f"{kind:8} {options.tests} tests: CPU min {low * 1000:.0f} ms, median {middle * 1000:.0f} ms")
    pairs = [after / before for before, after in zip(seconds["without"], seconds["with"], strict=True)]
    ratio = statistics.median(pairs)
    least = min(seconds["with"]) / min(seconds["without"])
    print(f"ratio: median of pairs {ratio:.3f}, of the minima {least:.3f} (limit {LIMIT})")
    return 0 if min(ratio, least) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
