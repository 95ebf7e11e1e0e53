"""`InLanguage`: a critic LLM that is told in which language to give its reasons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_ragas.protocols import LLM, JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity


class InLanguage:
    """Satisfies `LLM`. Only reasons change their language: what is judged is quoted as it stands.

    The language is part of its identity, as it is of what it is asked: whoever compares runs learns that the critic was
    told something else.
    """

    def __init__(self, llm: LLM, language: str) -> None:
        """
        Args:
            llm: Who judges.
            language: In English words: "German".
        """
        self._llm = llm
        self._told = (
            f"Write every reason, explanation and justification in {language}. Statements, claims, questions and "
            "whatever else is taken from the data stay in the language of the data; names and values of the JSON "
            "structure stay as they are."
        )
        identity = llm.identity
        parameters = sorted({**dict(identity.parameters), "reason_language": json.dumps(language)}.items())
        self._identity = replace(identity, parameters=tuple(parameters))

    @property
    def identity(self) -> ModelIdentity:
        """The model's own, and the language."""
        return self._identity

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Ask once, with the language behind the instructions. Errors as those of the LLM."""
        first, *others = messages
        if first.role == "system":
            asked = [replace(first, content=f"{first.content}\n\n{self._told}"), *others]
        else:
            asked = [Message(role="system", content=self._told), first, *others]
        return await self._llm.ask(asked, schema)

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._llm.aclose()

    def __getattr__(self, name: str) -> Any:
        # notes, `stored`: what else is known of the model
        return getattr(self._llm, name)
