"""Secrets are sealed before anything looks at the settings, so that no message or traceback can show one.

What was read from a file, the environment or the command line is walked once. Whatever may be a key becomes a
`Secret`: under its right name, under a misspelt one, in a header, inside a URL. Only then is it validated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_ragas.settings.secret import Secret

_SECRET_NAME = re.compile(
    r"(?i)api[-_.]?key|secret|passw(or)?d|authorization|credential|(access|auth|bearer|hf|api)[-_.]?token"
)
"""Names that hold secrets, rightly or by a slip. `max_tokens` and `pad_token` are none."""

_NOT_ONLY_A_URL = re.compile(r"[@#]|\?(?!api-version=[\w.-]+$)")
"""Credentials or a query. The version of an Azure API is no secret."""

_MORE_THAN_AN_ADDRESS = re.compile(r"^\s*(?:env:|\$)|@|\?")
"""The name of a variable, credentials or a query."""

_ENV = re.compile(r"(?P<before>.*\s)?env:\s*(?P<name>\S+)")
_DOLLAR = re.compile(r"\$\{?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}?")


class Unseen(Mapping[str, Any]):
    """A mapping that does not show its values: a traceback with locals prints the frames that hold it."""

    __slots__ = ("_data", "_name")

    def __init__(self, data: Mapping[str, Any], name: str) -> None:
        self._data = data
        self._name = name

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"<{self._name}>"


def seal(value: Any, *, environ: Mapping[str, str], place: str, name: str = "", path: str = "") -> Any:
    """A copy of JSON values in which every text that may be a secret is a `Secret`.

    Args:
        value: What was read.
        environ: Where `env:NAME` is looked up.
        place: The file, variable or option, for messages.
        name: The key that `value` stands under.
        path: Its dotted path, for messages.
    """
    if isinstance(value, dict):
        out = {}
        for key, inner in value.items():
            below = f"{path}.{key}" if path else str(key)
            hidden = key == "headers" or is_secret(str(key)) or (key == "token" and isinstance(inner, str))
            out[key] = (
                _sealed(inner, environ=environ, place=place, path=below)
                if hidden
                else seal(inner, environ=environ, place=place, name=str(key), path=below)
            )
        return out
    if isinstance(value, list):
        return [seal(inner, environ=environ, place=place, name=name, path=path) for inner in value]
    if name == "api_base" and isinstance(value, str) and _NOT_ONLY_A_URL.search(value):
        return Secret(value, place)
    if path == "cache_url" and isinstance(value, str) and _MORE_THAN_AN_ADDRESS.search(value):
        return _sealed(value, environ=environ, place=place, path=path)
    return value


def is_secret(name: str) -> bool:
    """Whether what stands under this name may be a secret."""
    return _SECRET_NAME.search(name) is not None


def shown(value: Any) -> Any:
    """A copy that may be shown and validated: each `Secret` is three stars."""
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    return "***" if isinstance(value, Secret) else value


def _sealed(value: Any, *, environ: Mapping[str, str], place: str, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _sealed(inner, environ=environ, place=place, path=f"{path}.{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [_sealed(inner, environ=environ, place=place, path=path) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip()
    if found := _ENV.fullmatch(text):
        return _from_environment(found["name"], found["before"] or "", environ=environ, place=place, path=path)
    if found := _DOLLAR.fullmatch(text):
        missing = f'{path} in {place} is written like a shell variable. Write "env:{found["name"]}" instead.'
        return Secret("", place, missing=missing)
    return Secret(text, place)


def _from_environment(name: str, before: str, *, environ: Mapping[str, str], place: str, path: str) -> Secret:
    value = environ.get(name, "").strip()
    if value:
        return Secret(before + value, f"env:{name}")
    state = "is empty" if name in environ else "is not set"
    missing = (
        f"{path} in {place} is read from the environment variable {name}, which {state}. "
        f"Set it, for example with: export {name}=…"
    )
    return Secret("", f"env:{name}", missing=missing)
