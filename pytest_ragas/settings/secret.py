"""`Secret`: a key that shows itself to nobody by accident."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """An API key. Its `repr`, `str` and `format` are stars, so that no log, header or traceback shows it."""

    _value: str = field(repr=False)
    origin: str = ""
    """Where it came from, for messages: "env:OPENAI_API_KEY"."""

    def reveal(self) -> str:
        """The key itself; call it only where it goes onto the wire."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled: it must not leave this process")
