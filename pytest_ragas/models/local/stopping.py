"""A pass through a large model takes many seconds: its thread can be told to stop between two layers.

A daemon thread that is inside torch when the interpreter ends makes C++ end the process with "terminate called", and
Ctrl-C would become a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pytest_ragas.errors import ModelError

_asked = threading.local()


class StoppedError(ModelError):
    """The thread was told to stop in the middle of a pass."""


def stop_when(asked: Callable[[], bool]) -> None:
    """From now on, a model that this thread computes stops before its next layer once `asked()` is true."""
    _asked.whether = asked


def let_stop(model: Any) -> None:
    """Make a model ask that, before each of its layers.

    Args:
        model: A torch module; its layers are the modules of its lists.
    """
    import torch

    for part in model.modules():
        if isinstance(part, torch.nn.ModuleList):
            for layer in part:
                layer.register_forward_pre_hook(_look)


def _look(layer: Any, arguments: Any) -> None:
    whether = getattr(_asked, "whether", None)
    if whether is not None and whether():
        raise StoppedError("The local model was closed before it answered.")
