"""What `[tool.pytest-ragas.metric_options.<metric>]` may say to a metric, read with errors that name the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pytest_ragas.errors import ConfigurationError

__all__ = ["choice", "positive_int", "share"]


def choice(options: Mapping[str, Any], key: str, allowed: Sequence[str], *, metric: str, default: str) -> str:
    """One of a few words.

    Raises:
        ConfigurationError: Another word.
    """
    value = options.get(key, default)
    if value not in allowed:
        _refuse(metric, key, value, "one of " + ", ".join(f'"{word}"' for word in allowed))
    return str(value)


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


def _refuse(metric: str, key: str, value: object, expected: str) -> NoReturn:
    raise ConfigurationError(f"Option {key!r} of metric {metric!r} is {value!r}; it must be {expected}.")
