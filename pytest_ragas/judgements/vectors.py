"""Vectors as JSON: packed floats in base64, without losing a bit."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any


def pack(vector: Sequence[float]) -> dict[str, str]:
    """A vector as `{"float32": "…"}`, little-endian, in base64.

    Models compute in 32 bits or less, so that most vectors lose nothing. One that would is `{"float64": "…"}`: what is
    replayed equals what was recorded.
    """
    numbers = list(vector)
    try:
        single = array("f", numbers)
        exact = single.tolist() == numbers  # false for NaN too
    except OverflowError:
        exact = False
    return {"float32": _text(single)} if exact else {"float64": _text(array("d", numbers))}


def text_of_packed(packed: dict[str, str]) -> str:
    """What `pack` gave, as JSON text: base64 has nothing to escape."""
    [(kind, text)] = packed.items()
    return f'{{"{kind}":"{text}"}}'


def unpack(packed: Any) -> list[float]:
    """The vector that `pack` wrote.

    Raises:
        ValueError: It did not write that.
    """
    try:
        kind, text = next(iter(packed.items()))
        numbers: array[float] = array({"float32": "f", "float64": "d"}[kind])
        numbers.frombytes(b64decode(text, validate=True))
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise ValueError(f"no packed vector: {error}") from None
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _text(numbers: array[float]) -> str:
    if sys.byteorder == "big":
        numbers.byteswap()
    return b64encode(numbers.tobytes()).decode("ascii")
