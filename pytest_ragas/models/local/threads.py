"""How many CPU threads a local model computes with."""

from __future__ import annotations

import os


def cpu_threads(given: int | None = None) -> int | None:
    """Threads for torch, so that xdist workers do not each take every core: that costs a factor of three.

    Args:
        given: What the settings say.

    Returns:
        What torch should be told; None to leave its own choice, or that of `OMP_NUM_THREADS`.
    """
    if given is not None:
        return given
    workers = xdist_workers()
    if workers == 1 or "OMP_NUM_THREADS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def xdist_workers() -> int:
    """Processes that run tests; 1 without pytest-xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT") or 1)
