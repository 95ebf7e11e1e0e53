"""`QuestionTypes`: every question type that a testset may hold a share of."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.protocols import QuestionType


class QuestionTypes:
    """Types by name, in order of registration."""

    def __init__(self) -> None:
        self._types: dict[str, QuestionType] = {}

    def register(self, kind: QuestionType) -> None:
        """Add a type.

        Raises:
            ConfigurationError: Its name is no snake_case name, is taken, or it is written from no chunk.
        """
        if not kind.name.isidentifier() or kind.name != kind.name.lower():
            raise ConfigurationError(
                f"A question type cannot be named {kind.name!r}. Names are snake_case: 'yes_or_no'."
            )
        if kind.name in self._types:
            raise ConfigurationError(f"The question type {kind.name!r} is registered twice. Give one another name.")
        if kind.chunks < 1:
            raise ConfigurationError(f"The question type {kind.name!r} is written from {kind.chunks} chunks: give 1.")
        self._types[kind.name] = kind

    def names(self) -> tuple[str, ...]:
        """Every registered name, in order of registration."""
        return tuple(self._types)

    def get(self, name: str) -> QuestionType:
        """The type of that name.

        Raises:
            UnknownNameError: There is none.
        """
        if name not in self._types:
            raise UnknownNameError("question type", name, self._types, where="the distribution")
        return self._types[name]

    def check(self, names: Iterable[str]) -> None:
        """Find out before any call whether all of them exist.

        Raises:
            UnknownNameError: One does not.
        """
        for name in names:
            self.get(name)
