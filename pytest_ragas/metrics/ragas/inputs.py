"""The arguments of ragas' `ascore`, taken from a sample."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from pytest_ragas.errors import MetricError, MissingFieldError, NothingToJudgeError
from pytest_ragas.metrics.requirements import row_of
from pytest_ragas.values.sample import Sample

__all__ = ["MESSAGES", "TOOL_CALLS", "ascore_arguments", "refuse_images", "role_of", "tool_calls"]

MESSAGES = "messages"
"""The metadata that holds a conversation, for ragas' metrics of agents."""
TOOL_CALLS = "reference_tool_calls"
"""The metadata that holds the right tool calls."""

_FIELDS = frozenset(entry.name for entry in fields(Sample))
_IMAGE = re.compile(r"data:image/|https?://\S+\Z|\S+\.(?:bmp|gif|jpe?g|png|tiff?|webp)\Z", re.IGNORECASE)
_ROLES = {"user": "human", "human": "human", "assistant": "ai", "ai": "ai", "tool": "tool"}


def ascore_arguments(sample: Sample, parameters: Mapping[str, bool], *, name: str) -> dict[str, Any]:
    """What the class is given.

    Args:
        sample: The row.
        parameters: Name of each argument -> whether it must be there.
        name: The metric, for messages.

    Raises:
        MissingFieldError: The row lacks one that must be there.
        NothingToJudgeError: One that must be there holds nothing.
    """
    out: dict[str, Any] = {}
    for key, required in parameters.items():
        value: Any = getattr(sample, key) if key in _FIELDS else sample.metadata.get(key)
        if value is None:
            if required:
                raise MissingFieldError(f"{name} needs {key}, which {row_of(sample)} does not have.")
            continue
        if isinstance(value, tuple):
            value = list(value)
        if _blank(value) and key != TOOL_CALLS:  # an agent may rightly call nothing
            if required:
                # ragas would score some of these: 0.75 for an empty response that it calls correct
                raise NothingToJudgeError(f"{name}: the {key} of {row_of(sample)} {_is(key)} empty: nothing to judge.")
            continue
        out[key] = value
    return out


def refuse_images(contexts: Sequence[str], *, name: str) -> None:
    """Refuse contexts that ragas would read from disk or download, and send as images.

    Raises:
        MetricError: One is an image.
    """
    for number, context in enumerate(contexts, start=1):
        if _IMAGE.match(context.strip()):
            raise MetricError(
                f"Retrieved context {number} is an image or a link ({context.strip()[:60]}). {name} can judge texts "
                "here: pytest-ragas sends text to its critic LLM and fetches nothing."
            )


def role_of(message: Mapping[str, Any], *, sample: Sample) -> str:
    """Who speaks: "human", "ai" or "tool".

    Raises:
        MissingFieldError: The message says nobody, or somebody else.
    """
    role = str(message.get("role", message.get("type", "")))
    if role not in _ROLES:
        raise MissingFieldError(
            f"A message of {row_of(sample)} has the role {role!r}. "
            'Write messages = [{"role": "user" | "assistant" | "tool", "content": "…"}, …].'
        )
    return _ROLES[role]


def tool_calls(value: Any, *, sample: Sample) -> list[dict[str, Any]]:
    """Tool calls as {"name", "args"}, from that or from OpenAI's {"function": {"name", "arguments"}}.

    Raises:
        MissingFieldError: One has no name.
    """
    out = []
    for call in value or ():
        inner = call.get("function", call) if isinstance(call, Mapping) else {}
        args = inner.get("args", inner.get("arguments", {}))
        if isinstance(args, str):
            args = json.loads(args or "{}")
        if not inner.get("name") or not isinstance(args, Mapping):
            raise MissingFieldError(
                f'A tool call of {row_of(sample)} has no name or no args. Write {{"name": "…", "args": {{…}}}}.'
            )
        out.append({"name": str(inner["name"]), "args": dict(args)})
    return out


def _is(field: str) -> str:
    return "are" if field.endswith("s") else "is"


def _blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list):
        return all(isinstance(item, str) and not item.strip() for item in value)
    return isinstance(value, Mapping) and not value
