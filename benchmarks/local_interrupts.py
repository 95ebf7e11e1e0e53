"""Ctrl-C while a local LLM is loaded, reads prompts, or writes answers: how long until pytest has ended.

    python benchmarks/local_interrupts.py

A suite of four rows is judged by the real SmolLM2-135M in the process of the tests. Each run is sent SIGINT at another
moment. CPU seconds from the signal to the end of the process are the honest measure on a machine that others use too.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from local_models.test_local_models_interrupts import TROUBLE, start, times, write_project  # noqa: E402

MOMENTS = (("loading", 1, 0.0), ("loading", 1, 1.5), ("reading", 1, 0.0), ("reading", 3, 0.2), ("writing", 1, 0.0))
MOMENTS += (("writing", 10, 0.05), ("writing", 40, 0.1))
"""What the model does, how often it has begun to, and how many seconds after that."""


def main() -> None:
    if not Path("/proc/self/stat").exists():
        raise SystemExit("This reads the CPU time of a process from /proc, which only Linux has.")
    print("moment                 seconds  CPU seconds  trouble")
    for what, often, delay in MOMENTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_project(folder)
            process = start(folder)
            while times(folder, what) < often and process.poll() is None:
                time.sleep(0.005)
            time.sleep(delay)
            before, children = cpu_of(process), cpu_of_children()
            began = time.perf_counter()
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=120)
            seconds = time.perf_counter() - began
            cpu = cpu_of_children() - children - before
            trouble = [word for word in TROUBLE if word in output] or ["none"]
            print(
                f"{what:<8} {often:>3} + {delay:4.2f} s {seconds:>9.2f} {cpu:>12.2f}  {', '.join(trouble)}", flush=True
            )


def cpu_of(process: subprocess.Popen[str]) -> float:
    """CPU seconds of a process that runs."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_children() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
