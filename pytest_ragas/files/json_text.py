"""JSON text to values, with nothing lost on the way that a caller must hear of."""

from __future__ import annotations

import json
from typing import Any

from pytest_ragas.files.text import FileProblem


class Doubled(dict[str, Any]):
    """An object in which a key stands twice, which Python's reader would hide. `found.not_json` refuses it."""

    twice: str
    """The key."""


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    NaN, Infinity and a key that stands twice come back as such (`nan`, `inf`, `Doubled`), so that the caller can
    say in which row and field they are: `found.not_json` finds them.

    Raises:
        FileProblem: No JSON (line and column), or nested too deeply.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise FileProblem(f"no valid JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise FileProblem("its JSON is nested too deeply.") from None
    except ValueError as error:  # an integer of more digits than Python reads
        raise FileProblem(f"no valid JSON: {error}.") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) == len(pairs):
        return out
    names = [name for name, _ in pairs]
    doubled = Doubled(out)
    doubled.twice = next(name for name in names if names.count(name) > 1)
    return doubled


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)
