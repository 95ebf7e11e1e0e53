"""Keep "Loading weights" and downloads from drawing into pytest's output."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def no_progress_bars() -> Iterator[None]:
    """Neither transformers nor the hub's client draws, where they are installed."""
    turned_off = []
    for library, is_on, off, on in (
        ("huggingface_hub.utils", "are_progress_bars_disabled", "disable_progress_bars", "enable_progress_bars"),
        ("transformers.utils.logging", "is_progress_bar_enabled", "disable_progress_bar", "enable_progress_bar"),
    ):
        try:
            module: Any = importlib.import_module(library)
        except ModuleNotFoundError:
            continue
        if getattr(module, is_on)() != (is_on == "are_progress_bars_disabled"):
            turned_off.append(getattr(module, on))
        getattr(module, off)()
    try:
        yield
    finally:
        for turn_on in turned_off:
            turn_on()
