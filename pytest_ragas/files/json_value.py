"""Values to JSON text, whatever a test or a RAG has put into them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON can hold it; what it cannot, as Python writes it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return repr(value)


def json_line(value: Any) -> str:
    """A JSON value on one line, as UTF-8 can hold it.

    Raises:
        ValueError: NaN or infinity.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a character, as a RAG that cuts its texts gives it
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text
