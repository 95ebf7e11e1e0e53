"""Numbers that `[tool.pytest-ragas.metric_options.<metric>]` may give to a native metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas.errors import ConfigurationError


def positive(options: Mapping[str, Any], key: str, *, metric: str, default: float) -> float:
    """A number above 0.

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    if not _number(value) or value <= 0:
        raise ConfigurationError(f"Option {key!r} of metric {metric!r} is {value!r}; it must be a number above 0.")
    return float(value)


def whole_number(options: Mapping[str, Any], key: str, *, metric: str, default: int) -> int:
    """A whole number of at least 1.

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"Option {key!r} of metric {metric!r} is {value!r}; it must be a whole number of at least 1."
        )
    return value


def two_weights(
    options: Mapping[str, Any], key: str, *, metric: str, default: tuple[float, float]
) -> tuple[float, float]:
    """Two weights of at least 0, not both 0; they need not add up to 1.

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    good = isinstance(value, Sequence) and len(value) == 2 and all(_number(weight) and weight >= 0 for weight in value)
    if not good or sum(value) == 0:
        raise ConfigurationError(
            f"Option {key!r} of metric {metric!r} is {value!r}; it must be two numbers of at least 0, not both 0: "
            f"for example {list(default)}."
        )
    return float(value[0]), float(value[1])


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
