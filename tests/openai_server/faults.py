"""What can go wrong between a critic and us, to be injected into the test server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Fault:
    """One kind of fault, and which requests it befalls."""

    kind: str
    """"status", "drop" (the connection breaks), "hang", "body" (raw bytes instead of JSON), "embedded_error"
    (status 200 and an error in the body), or a name of `SPOILED`: the answer itself is spoiled."""
    status: int = 500
    message: str = "the server had an error"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = "application/json"
    every: int = 1
    """1: every request, 3: each third one, beginning with the third."""
    times: int | None = None
    """How often at most."""
    route: str = "chat"
    """"chat", "embeddings" or "any"."""
    when: Callable[[dict[str, Any]], bool] = lambda body: True
    """Looks at the request's body."""
    seen: int = 0
    struck: int = 0

    def strikes(self, route: str, body: dict[str, Any]) -> bool:
        """Whether it befalls this request; counts it."""
        if self.route not in (route, "any") or not self.when(body):
            return False
        self.seen += 1
        if self.seen % self.every or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _emptied(part) for name, part in value.items()}
    return [] if isinstance(value, list) else value


def _out_of_range(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: 7 if name in ("verdict", "rating", "noncommittal") else _out_of_range(part)
            for name, part in value.items()
        }
    return [_out_of_range(part) for part in value] if isinstance(value, list) else value


def _numbered_twice(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: 1 if name == "number" else _numbered_twice(part) for name, part in value.items()}
    return [_numbered_twice(part) for part in value] if isinstance(value, list) else value


def _one_short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _one_short(part) for name, part in value.items()}
    return value[:-1] if isinstance(value, list) else value


def _edit(change: Callable[[Any], Any]) -> Callable[[str], str]:
    return lambda text: json.dumps(change(json.loads(text)))


SPOILED: dict[str, Callable[[str], str | None]] = {
    "fenced": lambda text: f"```json\n{text}\n```",
    "prose": lambda text: f"Of course! Here is my answer:\n\n{text}\n\nI hope this helps.",
    "trailing_comma": lambda text: f"{text[:-1]},}}",
    "single_quotes": lambda text: text.replace("'", "’").replace('"', "'"),
    "thinking": lambda text: f'<think>The schema wants {{"a": 1}}.</think>{text}',
    "truncated": lambda text: text[: len(text) * 2 // 3],
    "length": lambda text: text[: len(text) * 2 // 3],
    "not_json": lambda text: "I would say that most of it is supported.",
    "other_language": lambda text: "Die meisten Aussagen sind belegt.",
    "empty": lambda text: "",
    "null": lambda text: None,
    "null_json": lambda text: "null",
    "wrong_schema": lambda text: '{"result": "fine"}',
    "empty_lists": _edit(_emptied),
    "out_of_range": _edit(_out_of_range),
    "one_short": _edit(_one_short),
    "numbered_twice": _edit(_numbered_twice),
    "refusal": lambda text: None,
    "content_filter": lambda text: None,
}
"""Spoils the text of a good answer; "length", "refusal" and "content_filter" also say so in their own fields."""
