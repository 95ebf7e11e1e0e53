"""How a causal LM of transformers takes the keys and values of what it has read."""

from __future__ import annotations

import inspect
from typing import Any


def cache_argument(model: Any) -> str:
    """The name of that argument of its `forward`: "cache" from transformers 5.24 on, "past_key_values" before.

    Asked of the model, not of the version: models with code of their own keep the older name.
    """
    # of its class: hooks put a wrapper over the model's own, which takes everything
    forward = getattr(type(model), "forward", None) or getattr(model, "forward", None)
    if forward is None:
        return "past_key_values"
    parameters = inspect.signature(forward).parameters
    return "cache" if "cache" in parameters and "past_key_values" not in parameters else "past_key_values"
