"""TOML text to values: the one door to `tomllib` and, on Python 3.10, `tomli`."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from pytest_ragas.files.text import FileProblem


def parse_toml(text: str) -> dict[str, Any]:
    """The table of a TOML text.

    Raises:
        FileProblem: No TOML; the message has line and column.
    """
    tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        table: dict[str, Any] = tomllib.loads(text)
        return table
    except tomllib.TOMLDecodeError as error:
        raise FileProblem(f"no valid TOML: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise FileProblem("its TOML is nested too deeply.") from None
    except ValueError as error:  # an integer of more digits than Python reads
        raise FileProblem(f"no valid TOML: {error}.") from None
