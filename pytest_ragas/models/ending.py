"""How a process with torch in it ends."""

from __future__ import annotations

import atexit
import functools
import gc


@functools.cache
def end_quickly() -> None:
    """At exit, do not look for garbage among the million objects of torch and transformers: that takes a CPU second.

    The memory goes back to the system in any case. What is reachable is finalized as always; and pytest has collected
    the garbage of tests before, when it ended its session.
    """
    atexit.register(gc.freeze)
