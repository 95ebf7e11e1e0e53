"""What in a request changed since the nearest one that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ragas.errors import cut
from pytest_ragas.judgements.judgement import Judgement

_ROLES = {"critic": "critic LLM", "embeddings": "embeddings", "model": "model"}


def changes(request: Mapping[str, Any], stored: Sequence[Judgement]) -> list[str]:
    """The differences to the nearest of the stored ones, one sentence part each.

    Args:
        request: What is asked now, as `judgements.key` describes it.
        stored: What is stored of the same metric and row.

    Returns:
        "the response", "temperature of the critic LLM: 0 -> 0.7" …; empty if nothing is stored.
    """
    lists = [differences(judgement.request, request) for judgement in stored]
    return min((found for found in lists if found), key=len, default=[])


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two requests of one kind."""
    found: list[str] = []
    for name in ("backend", "version", "repeat"):
        if before.get(name) != now.get(name):
            what = "the metric's version" if name == "version" else name
            found.append(f"{what}: {before.get(name)} -> {now.get(name)}")
    found += _of_mapping(before.get("options"), now.get("options"), "the option {name}")
    for name, role in _ROLES.items():
        found += _of_model(before.get(name), now.get(name), role)
    found += [f"the {name}" for name in _changed(before.get("sample"), now.get("sample"))]
    if before.get("structure") != now.get("structure"):
        found.append("the structure that is asked for")
    if "messages" in now and before.get("messages") != now["messages"]:
        found.append(_of_messages(before.get("messages") or [], now["messages"]))
    if before.get("text") != now.get("text"):
        found.append("the text")
    return found


def _of_model(before: Any, now: Any, role: str) -> list[str]:
    if before == now:
        return []
    if not before or not now:
        return [f"the {role}: {_name(before)} -> {_name(now)}"]
    found = [
        f"{what} of the {role}: {cut(str(before.get(name)), 80)} -> {cut(str(now.get(name)), 80)}"
        for name, what in (("name", "name"), ("endpoint", "endpoint"), ("provider", "client"))
        if before.get(name) != now.get(name)
    ]
    return found + _of_mapping(before.get("parameters"), now.get("parameters"), f"{{name}} of the {role}")


def _of_mapping(before: Any, now: Any, what: str) -> list[str]:
    before, now = before or {}, now or {}
    return [
        f"{what.format(name=name)}: {cut(str(before.get(name, 'not given')), 60)} -> "
        f"{cut(str(now.get(name, 'not given')), 60)}"
        for name in _changed(before, now)
    ]


def _of_messages(before: Sequence[Any], now: Sequence[Any]) -> str:
    if len(before) != len(now):
        return f"the prompt: {len(before)} messages -> {len(now)}"
    changed = [
        f"{number} ({new[0]})" for number, (old, new) in enumerate(zip(before, now, strict=True), 1) if old != new
    ]
    return f"the prompt: message {', '.join(changed)}"


def _changed(before: Any, now: Any) -> list[str]:
    before, now = before or {}, now or {}
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def _name(model: Any) -> str:
    return str(model.get("name", "")) if model else "none"
