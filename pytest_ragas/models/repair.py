"""Repairs of a model's JSON whose meaning is certain; everything else is an error, and asked again.

Two kinds. Of the text: punctuation that was forgotten or doubled (json-repair does it), as long as not a
word, number or order changes. Of the value: a spelling that the schema leaves only one reading for
("1" where an integer is asked for, `null` for a property that may be left out).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST_REPAIR = 16_384
"""Characters. json-repair takes 2 s for the worst text of this length (a stray quote in every word), and four
times that for twice the length; the engine's loop waits meanwhile."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
# runs of dots count as words: "[…, ...]" says that something was left out
_WORD = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[^\W\d]+|\.{2,}|…")
_QUOTE = "\ue000"
"""Stands for an escaped quote while a text is repaired: a character that no text holds."""
_IN_NO_KEY = re.compile(r"[{}\[\]:,\"“”]")
_IN_NO_TEXT = re.compile(r"[{}]|[\"“”']\s*[:,\[\]]|[:,\[]\s*[\"“”]")
_LITERALS = {"True": "true", "False": "false", "None": "null"}
_NUMBER = re.compile(r"\s*(-?\d{1,15}(\.\d{1,15})?)\s*")


def repair_text(broken: str) -> Any:
    """The value of JSON text whose punctuation is broken, if repairing it changes nothing else.

    Args:
        broken: Text from an opening bracket to its closing one, so that nothing is missing at the end.

    Raises:
        ValueError: It cannot be repaired, or only by a guess.
    """
    import json_repair

    if len(broken) > LONGEST_REPAIR:
        raise ValueError("it is too long to repair")
    # escaped quotes are no delimiters; out of the way, so that the quotes that are left can be judged
    marked = _ESCAPE.sub(lambda match: _QUOTE if match[2] == '"' else match[0], broken)
    try:
        value = json_repair.loads(marked, skip_json_loads=True, strict=True)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _QUOTE in broken or _swallows(value) or _words_of_text(marked) != _words_of_value(value):
        raise ValueError("repairing it would be a guess")
    return _with_quotes(value)


def _swallows(value: Any) -> bool:
    """Whether a text of the value has taken in what was punctuation: a quote was missing somewhere."""
    if isinstance(value, dict):
        return any(_IN_NO_KEY.search(name) or _swallows(part) for name, part in value.items())
    if isinstance(value, list):
        return any(map(_swallows, value))
    return isinstance(value, str) and bool(_IN_NO_TEXT.search(value))


def _with_quotes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.replace(_QUOTE, '"'): _with_quotes(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_quotes(part) for part in value]
    return value.replace(_QUOTE, '"') if isinstance(value, str) else value


def _words_of_text(text: str) -> list[str]:
    return _words(_ESCAPE.sub(_unescape, text))


def _unescape(match: re.Match[str]) -> str:
    code, char = match.groups()
    return chr(int(code, 16)) if code else _NAMED.get(char, char)


def _words_of_value(value: Any) -> list[str]:
    words: list[str] = []

    def gather(part: Any) -> None:
        if isinstance(part, dict):
            for name, entry in part.items():
                gather(name)
                gather(entry)
        elif isinstance(part, list):
            for entry in part:
                gather(entry)
        else:
            words.extend(_words("null" if part is None else str(part)))

    gather(value)
    return words


def _words(text: str) -> list[str]:
    return [_LITERALS.get(word, word) for word in _WORD.findall(text)]


def settle(value: Any, schema: Any, *, alone: bool = True) -> Any:
    """Spell a value as its schema wants it, where there is only one way to mean it.

    - text that is a number, where a number is asked for; `true` and `false` for 1 and 0 and the reverse
    - another capitalisation of one of the texts that are allowed
    - `null` for a property that may be left out, which leaves it out
    - the bare list, where an object with one list is asked for; the object in a wrapper named as the schema

    Args:
        value: Any JSON value; not changed.
        schema: The schema that it should satisfy.
        alone: Whether nothing else could be the answer; a bare list is only then taken for it.

    Returns:
        A value that may satisfy the schema; validate it.
    """
    if alone or not isinstance(value, list):
        value = _unwrap(value, schema)
    return _settle(value, schema, schema, 0)


def _unwrap(value: Any, schema: Any) -> Any:
    properties = schema.get("properties", {})
    if isinstance(value, list) and value:  # an empty pair of brackets may be anything
        required = schema.get("required", list(properties))
        lists = [name for name in required if properties.get(name, {}).get("type") == "array"]
        if len(required) == len(lists) == 1:
            return {lists[0]: value}
    elif isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name == schema.get("title") and name not in properties and isinstance(inner, dict):
            return inner
    return value


def _settle(value: Any, schema: Any, root: Any, depth: int) -> Any:
    schema = _resolved(schema, root)
    if depth > 32 or not isinstance(schema, Mapping):
        return value
    if isinstance(value, dict):
        return _settle_object(value, schema, root, depth)
    if isinstance(value, list):
        return [_settle(item, schema.get("items"), root, depth + 1) for item in value]
    return _settle_scalar(value, schema)


def _resolved(schema: Any, root: Any) -> Any:
    """The schema behind a local reference, and behind "this or null"."""
    for _ in range(8):
        if not isinstance(schema, Mapping):
            return schema
        ref = schema.get("$ref")
        options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        if isinstance(ref, str) and ref.startswith("#/$defs/"):
            schema = root.get("$defs", {}).get(ref[len("#/$defs/") :])
        elif len(options) == 1:
            schema = options[0]
        else:
            break
    return schema


def _settle_object(value: dict[str, Any], schema: Mapping[str, Any], root: Any, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    out = {}
    for name, part in value.items():
        known = properties.get(name)
        if part is None and known is not None and name not in required and not _takes_null(known, root):
            continue
        out[name] = part if known is None else _settle(part, known, root, depth + 1)
    return out


def _takes_null(schema: Any, root: Any) -> bool:
    if not isinstance(schema, Mapping) or {"type": "null"} in schema.get("anyOf", ()):
        return True
    inner = _resolved(schema, root)
    if not isinstance(inner, Mapping):
        return True
    kind = inner.get("type", "null")
    return None in inner["enum"] if "enum" in inner else kind == "null" or "null" in kind


def _settle_scalar(value: Any, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if isinstance(value, str):
        if kind == "string" and "enum" in schema:
            same = [choice for choice in schema["enum"] if str(choice).casefold() == value.strip().casefold()]
            return same[0] if len(same) == 1 else value
        if kind in ("integer", "number") and (match := _NUMBER.fullmatch(value)):
            return float(match[1]) if match[2] else int(match[1])
        lower = value.strip().lower()
        if lower not in ("true", "false"):
            return value
        value = lower == "true" if kind == "boolean" or _is_bit(schema) else value
    if isinstance(value, bool) and _is_bit(schema):
        return int(value)
    if kind == "boolean" and type(value) is int and value in (0, 1):
        return bool(value)
    return value


def _is_bit(schema: Mapping[str, Any]) -> bool:
    """Whether only 0 and 1 are allowed."""
    if schema.get("type") not in ("integer", None):
        return False
    if "enum" in schema:
        return all(type(choice) is int and choice in (0, 1) for choice in schema["enum"])
    return schema.get("type") == "integer" and schema.get("minimum") == 0 and schema.get("maximum") == 1
