"""`Judgement`: one thing that was asked and answered, as it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FORMAT_VERSION = 1
# 1: first release

Kind = Literal["score", "answer", "vector"]

KINDS: tuple[Kind, ...] = ("score", "answer", "vector")
"""In the order of files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A score of a metric, an answer of an LLM, or the vector of a text. Never a failure."""

    kind: Kind
    key: str
    """32 hex digits of everything that decides it (`judgements.key`)."""
    metric: str
    """The metric that asked first, as users write it; empty where none did. For people, not part of the key."""
    sample: str
    """Id of the row that it was first asked for. For people, not part of the key."""
    request: Mapping[str, Any]
    """What the key was made of, long texts as digests: says what changed where nothing is found."""
    content: Any
    """JSON value: the score, the answer or the packed vector."""
    answers: tuple[str, ...] = ()
    """Of a score: keys of the answers and vectors that it was computed from."""
    text: str = field(default="", repr=False, compare=False)
    """`content` as `text_of` writes it, where that was done already; else empty."""
    request_text: str = field(default="", repr=False, compare=False)
    """`request` as `text_of` writes it, likewise."""

    def order(self) -> tuple[int, str, str, str]:
        """Place in a sorted file: scores first, those of one metric together, then by row."""
        return KINDS.index(self.kind), self.metric, self.sample, self.key


# made once: json.dumps() would make an encoder for each judgement
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def text_of(value: Any) -> str:
    """A JSON value as text that UTF-8 can hold, whatever a model wrote.

    Raises:
        ValueError: It is no JSON: NaN, an object.
    """
    try:
        text = _write(value)
        if not text.isascii():
            text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can say it
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except TypeError as error:
        raise ValueError(str(error)) from error
    return text


def label(text: str) -> str:
    """An id or a name as text that UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
