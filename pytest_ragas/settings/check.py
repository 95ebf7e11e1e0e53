"""A layer held against the published schema; what is wrong with it, in the words of its own source."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.files.found import found
from pytest_ragas.settings.layers import Layer
from pytest_ragas.settings.model import model_problems
from pytest_ragas.settings.schema import config_check, config_schema
from pytest_ragas.settings.seal import shown
from pytest_ragas.settings.secret import Secret

_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list of texts",
    "object": "a table",
}

_MODELS = ("critic_llm", "generator_llm", "embeddings")


def layer_problems(layer: Layer) -> list[ConfigurationError]:
    """Everything in a layer that cannot be used; empty for a good one, for which jsonschema is not imported."""
    table = shown(layer.table)
    if not config_check()(table):
        return _schema_problems(layer, table)
    problems = [
        problem
        for key in _MODELS
        if isinstance(layer.table.get(key), dict)
        for problem in model_problems(layer.table[key], path=key, place=layer.where(key))
    ]
    problems += [
        f"{path} in {layer.where(path.split('.')[0])} looks like a secret, and what stands there may be shown. "
        "Put it into api_key, token or headers of a model."
        for path in _misplaced(layer.table)
    ]
    return [ConfigurationError(problem) for problem in problems]


def _misplaced(value: Any, path: tuple[str, ...] = ()) -> Iterable[str]:
    """Paths of secrets where no client looks for one: inside generation_config, options of metrics …"""
    if isinstance(value, Secret):
        if path == ("cache_url",):
            return
        if len(path) < 2 or not (path[1] == "headers" or path[1:] in (("api_key",), ("token",))):
            yield ".".join(path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _misplaced(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _misplaced(inner, path)


def _schema_problems(layer: Layer, table: Mapping[str, Any]) -> list[ConfigurationError]:
    from pytest_ragas.files.schema_explain import dotted, violations

    problems: list[ConfigurationError] = []
    for violation in violations(config_schema(), table):
        top = str(violation.path[0]) if violation.path else ""
        if violation.keyword == "additionalProperties":
            prefix = f"{dotted(violation.path)}." if violation.path else ""
            known = violation.schema["properties"]
            for name in violation.unknown_keys:
                problems.append(UnknownNameError("key", name, known, where=layer.where(top or name), prefix=prefix))
            continue
        text = _explained(layer, violation.path, violation.found)
        whole_option = len(violation.path) == 1 and layer.style in ("environment", "command line")
        place = layer.where(top) if whole_option else f"{dotted(violation.path)} in {layer.where(top)}"
        problems.append(ConfigurationError(f"{place}: {text}"))
    return problems


def _explained(layer: Layer, path: tuple[str | int, ...], value: Any) -> str:
    if isinstance(_at(layer.table, path), Secret) and path[-1] == "api_base":
        return (
            "the URL holds credentials or a query, which would be shown. Put a key into api_key or headers, and the "
            "version of an Azure API into api_version."
        )
    schema = _schema_at(path)
    choices = [choice for choice in schema.get("enum", ()) if isinstance(value, str)]
    close = difflib.get_close_matches(str(value).lower(), choices, n=1, cutoff=0.6)
    if close:
        mend = f"Did you mean {close[0]!r}?"
    else:
        mend = f"Write for example {layer.example(path, _example(path, value, schema))}."
    return f"found {found(value)}; it must be {_expected(schema)}. {mend}"


def _example(path: tuple[str | int, ...], value: Any, schema: Mapping[str, Any]) -> Any:
    if path[-1] == "api_base" and isinstance(value, str) and value and "://" not in value:
        local = value.startswith(("localhost", "127.", "10.", "192.168.", "0.0.0.0"))
        return f"{'http' if local else 'https'}://{value.lstrip('/')}"
    if isinstance(path[-1], int):  # an entry of a list: show the list
        schema = _schema_at(path[:-1])
    return schema.get("examples", ["…"])[0]


def _expected(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(repr(choice) for choice in schema["enum"])
    if "$comment" in schema:
        return str(schema["$comment"])
    types = schema.get("type", "string")
    kinds = " or ".join(_KINDS[name] for name in ([types] if isinstance(types, str) else types))
    if "minLength" in schema:
        kinds = kinds.replace("a text", "a text that is not empty")
    low, above, high = (schema.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    if high is not None:
        return f"{kinds} from {low} to {high}" if above is None else f"{kinds} above {above} and up to {high}"
    if above is not None:
        return f"{kinds} above {above}"
    return f"{kinds} of {low} or more" if low is not None else kinds


def _schema_at(path: tuple[str | int, ...]) -> dict[str, Any]:
    """The schema of the value at a path, with what it refers to merged in."""
    root = config_schema()
    schema: dict[str, Any] = root
    for step in path:
        if isinstance(step, int):
            schema = schema["items"]
        else:
            schema = schema.get("properties", {}).get(step) or schema["additionalProperties"]
        while "$ref" in schema:
            own = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**root["$defs"][schema["$ref"].removeprefix("#/$defs/")], **own}
    return schema


def _at(table: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        table = table[step]
    return table
