"""The environment and the command line to a `Layer` each.

As in `file_layer`, the texts here may hold a key: problems are returned, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from pytest_ragas.errors import ConfigurationError, UnknownNameError, cut
from pytest_ragas.files.found import not_json
from pytest_ragas.settings.file_layer import mend_of
from pytest_ragas.settings.layers import Layer
from pytest_ragas.settings.option_text import split_gate
from pytest_ragas.settings.options import OPTIONS, Option
from pytest_ragas.settings.seal import is_secret, seal
from pytest_ragas.settings.secret import Secret

_PREFIX = "PYTEST_RAGAS_"

_NO_SETTINGS = frozenset({"PYTEST_RAGAS_MODELS_DIR"})
"""Variables of ours that say something about the machine and nothing about a run; read where they are needed."""

Read = tuple[Layer | None, list[ConfigurationError]]


def environment_layer(environ: Mapping[str, str]) -> Read:
    """What `PYTEST_RAGAS_…` variables say; an empty one says nothing."""
    known = {option.env: option for option in OPTIONS}
    given: dict[str, Any] = {}
    problems: list[ConfigurationError] = []
    for variable in environ:
        if variable.startswith(_PREFIX) and variable not in _NO_SETTINGS and environ[variable].strip():
            if variable in known:
                given[known[variable].name] = environ[variable]
            else:
                where = "the environment"
                problems.append(
                    UnknownNameError("variable", variable[len(_PREFIX) :], _names(known), where=where, prefix=_PREFIX)
                )
    layer, more = _read(given, "environment", environ, lambda option: f"{option.env} in the environment")
    return layer, problems + more


def command_line_layer(given: Mapping[str, Any], environ: Mapping[str, str]) -> Read:
    """What the command line says, under the names of the options; None is "not given"."""
    layer, problems = _read(given, "command line", environ, lambda option: f"{option.flag} on the command line")
    for path in _literal_keys(layer.table if layer else {}):
        problems.append(
            ConfigurationError(
                f"{path} on the command line: every program on this machine can read it there. "
                'Put the key into an environment variable and write "env:NAME".'
            )
        )
    return layer, problems


def _read(
    given: Mapping[str, Any],
    source: Literal["environment", "command line"],
    environ: Mapping[str, str],
    where: Callable[[Option], str],
) -> Read:
    table: dict[str, Any] = {}
    gates: list[tuple[str, str]] = []
    problems: list[ConfigurationError] = []
    for option in OPTIONS:
        value = given.get(option.name)
        if value is None or not option.key:
            continue
        try:
            values = [option.parse(part) if isinstance(part, str) else part for part in _parts(value, option)]
        except ValueError as error:
            problems.append(ConfigurationError(f"{where(option)}: {error}. Write for example {option.example}."))
            continue
        if option.name == "gates":
            for text in [text for part in values for text in (part if isinstance(part, list) else [part])]:
                aggregate, bound = split_gate(str(text))
                if aggregate:
                    gates.append((aggregate, bound))
                else:
                    problems.append(
                        ConfigurationError(
                            f"{where(option)}: found {cut(str(text), 60)!r}; a gate is AGGREGATE(METRIC) OP NUMBER. "
                            f"Write for example '{option.example}'."
                        )
                    )
            continue
        if values:
            table[option.key] = _joined(values)
    for option in OPTIONS:
        path, problem = not_json(table.get(option.key))
        if problem:
            del table[option.key]
            inside = f"{option.key}{path} in {where(option)}" if path else where(option)
            problems.append(ConfigurationError(f"{inside}: found {problem}. {mend_of(problem)}"))
    if not table and not gates:
        return None, problems
    sealed = {
        option.key: seal(table[option.key], environ=environ, place=where(option), name=option.key, path=option.key)
        for option in OPTIONS
        if option.key in table
    }
    return Layer(origin=source, style=source, table=sealed, gates=tuple(gates)), problems


def _parts(value: Any, option: Option) -> list[Any]:
    """What was given, once or several times."""
    return list(value) if option.repeatable and isinstance(value, (list, tuple)) else [value]


def _joined(values: list[Any]) -> Any:
    """Lists one after the other, tables over each other; a lone value as it is."""
    if all(isinstance(value, dict) for value in values) and len(values) > 1:
        return {key: inner for value in values for key, inner in value.items()}
    if any(isinstance(value, list) for value in values) or len(values) > 1:
        return [item for value in values for item in (value if isinstance(value, list) else [value])]
    return values[0]


def _literal_keys(value: Any, path: str = "") -> Iterable[str]:
    """Paths of keys that stand there in clear. Headers may, unless their name says that they are secret."""
    if isinstance(value, dict):
        for key, inner in value.items():
            below = f"{path}.{key}" if path else str(key)
            if not isinstance(inner, Secret):
                yield from _literal_keys(inner, below)
            elif inner and not inner.origin.startswith("env:") and (".headers." not in below or is_secret(str(key))):
                yield below


def _names(variables: Iterable[str]) -> list[str]:
    return [variable[len(_PREFIX) :] for variable in variables]
