"""`Secret`: a key that shows itself to nobody by accident."""

from __future__ import annotations

from typing import Any, NoReturn

from pytest_ragas.errors import ConfigurationError


class Secret:
    """An API key. Its `repr`, `str` and `format` are stars, so that no log, header or traceback shows it.

    Not a dataclass, because pytest's `assert a == b` prints the fields of those that differ.
    """

    __slots__ = ("_missing", "_value", "origin")

    _value: str
    _missing: str
    origin: str
    """Where it came from, for messages: "env:OPENAI_API_KEY", "pyproject.toml"."""

    def __init__(self, value: str, origin: str = "", *, missing: str = "") -> None:
        """
        Args:
            value: The key itself.
            origin: Where it came from.
            missing: Why there is none, and the mend: a suite that never asks for the key runs without it.
        """
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "_missing", missing)
        object.__setattr__(self, "origin", origin)

    def reveal(self) -> str:
        """The key itself; call it only where it goes onto the wire.

        Raises:
            ConfigurationError: The environment variable that should hold it is not set.
        """
        if self._missing:
            raise ConfigurationError(self._missing)
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __bool__(self) -> bool:
        """Whether a key was asked for; true also for one that is missing, so that `reveal` gets to say so."""
        return bool(self._value or self._missing)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self._value, self._missing, self.origin) == (other._value, other._missing, other.origin)

    def __hash__(self) -> int:
        return hash((self._value, self._missing, self.origin))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled: it must not leave this process")
