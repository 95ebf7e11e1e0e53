"""The OpenAI embeddings protocol: texts in batches, vectors back in order."""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas.errors import ConfigurationError, RejectedRequestError, UnknownNameError
from pytest_ragas.models.openai_errors import ServerError

Batch = list[str]

BATCH_SIZE = 64
"""Texts in one request."""

BATCH_CHARACTERS = 200_000
"""Characters in one request: OpenAI takes 300,000 tokens, and a token is seldom less than a character."""

PACKING = {"encoding_format": "base64"}
"""Asks for vectors as packed floats, as OpenAI's own client always does: a quarter of the bytes, and reading a
vector's numbers as text costs more than everything else that is done with it."""

OPTIONS = ("batch_size", "dimensions")
"""What `[tool.pytest-ragas.embeddings]` may hold beside the keys of every API model."""

_TOO_MANY = re.compile(r"batch|input array|inputs|too (?:large|many)|at most \d+", re.IGNORECASE)
_OF_THE_TEXT = re.compile(r"tokens|too long|context[ _-]?length", re.IGNORECASE)
_LIMIT = re.compile(r"(?:maximum|max|larger than|at most|limit|up to|exceed)\D{0,40}?(\d+)", re.IGNORECASE)


def embedding_options(options: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The batch size, and what goes into the body of every request.

    Raises:
        ConfigurationError: An option that does not exist, or is no positive integer.
    """
    for name, value in options.items():
        if name not in OPTIONS:
            raise UnknownNameError("key", name, OPTIONS, where="the settings of API embeddings")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigurationError(f"{name} of the embeddings is {value!r}; it must be a positive integer.")
    body = {name: options[name] for name in ("dimensions",) if name in options}
    return int(options.get("batch_size", BATCH_SIZE)), body


def batches(texts: Sequence[str], size: int, characters: int = BATCH_CHARACTERS) -> list[Batch]:
    """The texts in order, as few batches as hold at most `size` texts and `characters` characters each.

    A text that is longer than that has a batch of its own.
    """
    out: list[Batch] = []
    room = 0
    for text in texts:
        if not out or len(out[-1]) >= size or len(text) > room:
            out.append([])
            room = characters
        out[-1].append(text)
        room -= len(text)
    return out


def smaller_batch(error: ServerError, size: int) -> int | None:
    """How many texts to send where the server found `size` too many; None if that was not the problem."""
    if size == 1 or error.status not in (400, 413, 422) or not (error.status == 413 or _TOO_MANY.search(error.text)):
        return None
    limit = _LIMIT.search(error.message)
    said = int(limit[1]) if limit else 0
    return said if 0 < said < size else size // 2


def refuses_packing(error: ServerError, size: int) -> bool:
    """Whether it may be our `encoding_format` that the server did not take, so that plain numbers are worth a try."""
    maybe = error.status in (400, 404, 415, 422, 500, 501) and not _OF_THE_TEXT.search(error.text)
    return maybe and smaller_batch(error, size) is None


def read_vectors(data: Mapping[str, Any], count: int, model: str) -> list[list[float]]:
    """The vectors of an answer, in the order of the texts.

    Args:
        data: The server's answer.
        count: Texts that were sent.
        model: Who answered, for messages.

    Raises:
        RejectedRequestError: Not one finite vector for each text.
    """
    entries = data.get("data")
    if not isinstance(entries, list) or len(entries) != count:
        found = len(entries) if isinstance(entries, list) else "no"
        raise RejectedRequestError(f"{model} gave {found} vectors for {count} texts.")
    vectors: list[list[float] | None] = [None] * count
    for position, entry in enumerate(entries):
        index = entry.get("index", position) if isinstance(entry, Mapping) else None
        if not isinstance(index, int) or not 0 <= index < count or vectors[index] is not None:
            raise RejectedRequestError(f"{model} gave vectors out of order: index {index!r} among {count} texts.")
        vectors[index] = _vector(entry.get("embedding"), model)
    return [vector for vector in vectors if vector is not None]


def _vector(value: Any, model: str) -> list[float]:
    if isinstance(value, str):  # base64 of little-endian floats, as asked; some servers answer so in any case
        try:
            packed = base64.b64decode(value, validate=True)
            value = list(struct.unpack(f"<{len(packed) // 4}f", packed))
        except (binascii.Error, struct.error):
            value = None
    try:
        vector = list(map(float, value))
    except (TypeError, ValueError):
        vector = []
    if not vector:
        raise RejectedRequestError(f"{model} gave something that is no vector. Is it an embedding model?")
    if not all(map(math.isfinite, vector)):
        raise RejectedRequestError(f"{model} gave a vector with numbers that are not finite.")
    return vector
