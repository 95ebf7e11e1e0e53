"""The OpenAI chat protocol: what a request says, and what an answer holds."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from pytest_ragas.errors import ConfigurationError, RejectedRequestError, StructureError, cut
from pytest_ragas.models.openai_memory import Quirk
from pytest_ragas.models.strict_schema import strict_schema
from pytest_ragas.models.structured import RAW_LIMIT, Structure
from pytest_ragas.values.model import Message, Usage

Form = Literal["json_schema", "json_schema bare", "json_object", "tools", "text"]

FORMS: tuple[Form, ...] = ("json_schema", "json_schema bare", "json_object", "tools", "text")
"""How a schema can be put to a server, the surest first. "json_schema bare" leaves out bounds on counts and
numbers; "json_object" and "text" say the schema in words."""

ASK_FOR_JSON = "Answer with one JSON object and nothing else. It must satisfy this JSON Schema:\n"
"""What precedes the schema where it is said in words."""

_OURS = frozenset(
    {"messages", "model", "response_format", "tools", "tool_choice", "functions", "function_call", "stream", "input"}
)
_SAME = {"max_new_tokens": "max_tokens"}
"""Names of transformers that mean the same on the wire."""


def wire_parameters(generation_config: Mapping[str, Any]) -> dict[str, Any]:
    """`generation_config` as it goes into the body: its own names, `extra_body` merged, nothing added.

    Raises:
        ConfigurationError: A name that would change what is asked, not how; or a value that JSON cannot say.
    """
    given = {**generation_config}
    extra = given.pop("extra_body", None) or {}
    if not isinstance(extra, Mapping):
        raise ConfigurationError(f"extra_body in generation_config is {extra!r}; it must be a table.")
    out: dict[str, Any] = {}
    name: str
    for name, value in [*given.items(), *extra.items()]:
        wire: str = _SAME.get(name, name)
        if name in _OURS or (name == "n" and value != 1):
            raise ConfigurationError(
                f"generation_config cannot set {name!r}: the request is made of it. "
                + ('Choose structure = "json_object" or another one instead.' if "format" in name else "Remove it.")
            )
        if wire in out and out[wire] != value:
            raise ConfigurationError(f"generation_config sets {wire!r} twice, to {out[wire]!r} and {value!r}.")
        out[wire] = value
    try:
        json.dumps(out, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"generation_config cannot be sent: {error}.") from error
    return out


def forms_for(setting: str, *, strict_subset: bool) -> tuple[Form, ...]:
    """The forms to try, in order, for a `structure` setting."""
    schemas: tuple[Form, ...] = FORMS[1:2] if strict_subset else FORMS[:2]
    by_setting: dict[str, tuple[Form, ...]] = {
        "auto": (*schemas, *FORMS[2:]),
        "json_schema": schemas,
        "json_object": ("json_object",),
        "tools": ("tools",),
        "text": ("text",),
    }
    return by_setting[setting]


def chat_body(
    model: str,
    messages: Sequence[Message],
    parameters: Mapping[str, Any],
    structure: Structure,
    form: Form,
    quirks: Collection[Quirk],
) -> bytes:
    """The JSON body of one chat request."""
    turns = [{"role": message.role, "content": message.content} for message in messages]
    if form in ("json_object", "text"):
        _append_to_instructions(turns, ASK_FOR_JSON + structure.text)
    if "no system" in quirks:
        turns = _without_system(turns)
    body: dict[str, Any] = {"model": model, "messages": turns, **parameters}
    if "max_completion_tokens" in quirks and "max_tokens" in body:
        body["max_completion_tokens"] = body.pop("max_tokens")
    body.update(_structure_fields(structure, form))
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@lru_cache(maxsize=512)
def _structure_fields(structure: Structure, form: Form) -> dict[str, Any]:
    name = re.sub(r"[^a-zA-Z0-9_-]+", "_", str(structure.schema.get("title") or "answer"))[:64]
    if form in ("json_schema", "json_schema bare"):
        strict = strict_schema(structure.schema, bounds=form == "json_schema")
        schema: dict[str, Any] = {"name": name, "schema": strict or structure.schema}
        if strict:
            schema["strict"] = True
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    if form == "json_object":
        return {"response_format": {"type": "json_object"}}
    if form == "tools":
        parameters = strict_schema(structure.schema, bounds=False) or structure.schema
        function = {"name": name, "description": "Give the answer.", "parameters": parameters}
        return {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    return {}


def bounds_free(structure: Structure) -> bool:
    """Whether "json_schema" and "json_schema bare" would send the same."""
    return _structure_fields(structure, "json_schema") == _structure_fields(structure, "json_schema bare")


def _append_to_instructions(turns: list[dict[str, str]], text: str) -> None:
    """Add to the system message; where there is none, to the last user message."""
    # to the system message first: a user message of a metric is data, and nothing but data
    places = [turn for turn in turns if turn["role"] == "system"][:1]
    places = places or [turn for turn in turns if turn["role"] == "user"][-1:] or turns[-1:]
    for turn in places:
        turn["content"] = f"{turn['content']}\n\n{text}"


def _without_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    said = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    rest = [dict(turn) for turn in turns if turn["role"] != "system"]
    if said and rest:
        rest[0]["content"] = f"{said}\n\n{rest[0]['content']}"
    return rest


def tokens_of(data: Any) -> Usage:
    """The tokens that one answer says it cost; calls are counted by who sends them."""
    usage = data.get("usage") if isinstance(data, Mapping) else None
    usage = usage if isinstance(usage, Mapping) else {}
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _count(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 <= value < 1e12 else 0


def cut_off(data: Any) -> bool:
    """Whether the model had to stop before it was done."""
    return _choice(data).get("finish_reason") == "length"


def read_answer(data: Any, structure: Structure, *, room: int | None = None) -> tuple[Any, str]:
    """The validated value of a chat completion, and the text that it was read from.

    Args:
        data: The completion.
        structure: What was asked for.
        room: Tokens that the answer might have, where that was the budget's limit and not the configuration's.

    Raises:
        StructureError: There is no such value.
        RejectedRequestError: The model or a content filter refused.
    """
    choice = _choice(data)
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    if message.get("refusal"):
        raise RejectedRequestError(f"The model refused to answer: {cut(str(message['refusal']))}")
    text = _tool_arguments(message) or _content_text(message.get("content"))
    if choice.get("finish_reason") == "content_filter":
        raise RejectedRequestError(
            "The server's content filter stopped the answer. The texts of this sample set it off; "
            "let the filter through for this deployment, or leave the sample out."
        )
    if not choice:
        raise StructureError("The server's answer holds no choice.", raw=cut(json.dumps(data), RAW_LIMIT))
    thoughts = message.get("reasoning_content") or message.get("reasoning") or ""
    if not text.strip() and thoughts and not cut_off(data):
        raise StructureError("The answer is empty: the model reasoned, and then said nothing.", raw=cut(str(thoughts)))
    try:
        return structure.read(text), text
    except StructureError as error:
        if not cut_off(data):
            raise
        raw = error.raw
    tokens = tokens_of(data).completion_tokens
    after = f" after {tokens} tokens" if tokens else ""
    where = ", while it was still reasoning" if thoughts and not text.strip() else ""
    mend = "Raise max_tokens in generation_config."
    if room is not None:
        mend = (
            f"In a run with a budget it had room for {room:,}. "
            "Set max_tokens in generation_config to what the model needs."
        )
    raise StructureError(
        f"The answer is truncated: the model was stopped{after}{where}. {mend}", raw=raw, truncated=True
    )


def _choice(data: Any) -> Mapping[str, Any]:
    choices = data.get("choices") if isinstance(data, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}


def _content_text(content: Any) -> str:
    """Content is a text, or a list of parts of which some are text (others are thoughts)."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):  # a server that decodes the JSON itself
        return json.dumps(content, ensure_ascii=False)
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") in ("text", None)]
    return "".join(part for part in parts if isinstance(part, str))


def _tool_arguments(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls") or (
        [{"function": message["function_call"]}] if message.get("function_call") else []
    )
    found: list[str] = []
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, Mapping) else None
        arguments = function.get("arguments") if isinstance(function, Mapping) else None
        if isinstance(arguments, (Mapping, list)):
            arguments = json.dumps(arguments, ensure_ascii=False)
        if isinstance(arguments, str) and arguments not in found:
            found.append(arguments)
    # two different calls are two answers; `Structure.read` refuses them
    return "\n".join(found)
