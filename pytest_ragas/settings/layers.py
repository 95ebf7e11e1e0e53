"""`Layer`: what one source of settings says, and how messages speak of that source."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_ragas.settings.options import OPTIONS

_TYPED_TABLES = ("thresholds", "compare_fail")
"""Tables that are typed as a whole: METRIC=BOUND, METRIC:DROP."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One source of settings. Its secrets are sealed."""

    origin: str
    """"pyproject.toml", another file, "environment" or "command line"."""
    style: Literal["toml", "yaml", "json", "environment", "command line"]
    """How an example is written that its author can copy."""
    table: Mapping[str, Any]
    """Keys and values as a config file holds them."""
    place: str = ""
    """Where a file has the keys: "[tool.pytest-ragas] of pyproject.toml"."""
    notes: tuple[str, ...] = ()
    """What it says that is left aside."""
    gates: tuple[tuple[str, str], ...] = field(default=())
    """(aggregate, bound) pairs of the options, beside those of `table`: here one aggregate may have two bounds."""

    def where(self, key: str) -> str:
        """The place of a top-level key, for messages."""
        option = _BY_KEY.get(key)
        if self.style == "environment":
            return f"{option.env} in the environment" if option else "the environment"
        if self.style == "command line":
            return f"{option.flag} on the command line" if option else "the command line"
        return self.place

    def example(self, path: tuple[str | int, ...], value: Any) -> str:
        """A setting as it would be written in this source."""
        keys = [step for step in path if isinstance(step, str)]
        option = _BY_KEY.get(keys[0]) if keys else None
        if option and self.style in ("environment", "command line") and (len(keys) == 1 or option.key in _TYPED_TABLES):
            if self.style == "environment":
                return f"{option.env}={_quoted(option.example)}"
            return f"{option.flag}={_quoted(option.example)}"
        key = keys[-1] if keys else ""
        if self.style == "toml":
            return f"{key if _BARE_KEY.fullmatch(key) else json.dumps(key)} = {_toml(value)}"
        text = json.dumps(value, ensure_ascii=False)
        return f"{key}: {text}" if self.style == "yaml" else f"{json.dumps(key)}: {text}"


_BY_KEY = {option.key: option for option in OPTIONS if option.key}


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.,=:/-]+", text) else f"'{text}'"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = ", ".join(
            f"{key if _BARE_KEY.fullmatch(key) else json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()
        )
        return f"{{ {pairs} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
