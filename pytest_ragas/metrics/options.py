"""What `[tool.pytest-ragas.metric_options.<metric>]` may say to a metric, read with errors that name the place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, overload

from pytest_ragas.errors import ConfigurationError

__all__ = ["choice", "positive", "positive_int", "share", "two_weights"]


def choice(options: Mapping[str, Any], key: str, allowed: Sequence[str], *, metric: str, default: str) -> str:
    """One of a few words.

    Raises:
        ConfigurationError: Another word.
    """
    value = options.get(key, default)
    if value not in allowed:
        _refuse(metric, key, value, "one of " + ", ".join(f'"{word}"' for word in allowed))
    return str(value)


@overload
def positive_int(options: Mapping[str, Any], key: str, *, metric: str, default: int) -> int: ...


@overload
def positive_int(options: Mapping[str, Any], key: str, *, metric: str, default: None = None) -> int | None: ...


def positive_int(options: Mapping[str, Any], key: str, *, metric: str, default: int | None = None) -> int | None:
    """A whole number of at least 1, or the default.

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        _refuse(metric, key, value, "a whole number of at least 1")
    return value


def share(options: Mapping[str, Any], key: str, *, metric: str, default: float) -> float:
    """A number in [0, 1].

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        _refuse(metric, key, value, "a number between 0 and 1")
    return float(value)


def positive(options: Mapping[str, Any], key: str, *, metric: str, default: float) -> float:
    """A number above 0.

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    if not _is_number(value) or value <= 0:
        _refuse(metric, key, value, "a number above 0")
    return float(value)


def two_weights(
    options: Mapping[str, Any], key: str, *, metric: str, default: tuple[float, float]
) -> tuple[float, float]:
    """Two weights of at least 0, not both 0; they need not add up to 1.

    Raises:
        ConfigurationError: Anything else.
    """
    value = options.get(key, default)
    pair = isinstance(value, Sequence) and len(value) == 2
    if not pair or not all(_is_number(weight) and weight >= 0 for weight in value) or sum(value) == 0:
        _refuse(metric, key, value, f"two numbers of at least 0, not both 0: for example {list(default)}")
    return float(value[0]), float(value[1])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _refuse(metric: str, key: str, value: object, expected: str) -> NoReturn:
    raise ConfigurationError(f"Option {key!r} of metric {metric!r} is {value!r}; it must be {expected}.")
