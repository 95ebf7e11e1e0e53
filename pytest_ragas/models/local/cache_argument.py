"""How a causal LM of transformers takes the keys and values of what it has read."""

from __future__ import annotations

import inspect
from typing import Any


def cache_argument(model: Any) -> str:
    """The name of that argument of its `forward`: "cache" from transformers 5.24 on, "past_key_values" before.

    Asked of the model, not of the version: models with code of their own keep the older name.
    """
    try:
        parameters = inspect.signature(model.forward).parameters
    except (AttributeError, TypeError, ValueError):
        return "past_key_values"
    return "cache" if "cache" in parameters and "past_key_values" not in parameters else "past_key_values"
