"""In a large suite, Python looks for garbage in fewer, larger steps while the tests run.

What is being scored lives just long enough to be taken for long-lived, so that Python would look through the whole
heap every few hundred tests: through all that pytest keeps of ten thousand, a quarter of the run's time.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

LARGE = 1_000
"""Tests from which on a suite is large."""

_THRESHOLD = 10_000
"""Objects more than at the last look; Python's own are 700, and 2,000 from 3.13 on."""


@contextlib.contextmanager
def larger_steps(tests: int) -> Iterator[None]:
    """While this lasts; unless somebody has chosen larger ones, or none. `gc.collect()` does what it always does.

    Args:
        tests: That the suite has.
    """
    before = gc.get_threshold()
    if tests < LARGE or not gc.isenabled() or not 0 < before[0] < _THRESHOLD:
        yield
        return
    ours = (_THRESHOLD, *before[1:])
    gc.set_threshold(*ours)
    try:
        yield
    finally:
        if gc.get_threshold() == ours:
            gc.set_threshold(*before)
