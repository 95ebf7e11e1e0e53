"""`Conversation`: what one scoring asks of our models, remembered, and what it may not make of the answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.errors import MetricError, ModelError, NothingToJudgeError, StructureError, cut
from pytest_ragas.libraries.ragas_structure import prompt_data, structure_of
from pytest_ragas.protocols import LLM, Embeddings
from pytest_ragas.values.model import Message

__all__ = ["Conversation", "Exchange", "TextWanted", "side_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request to the critic LLM and its answer."""

    title: str
    """The structure that was asked for: the name of ragas' pydantic class."""
    data: Mapping[str, Any]
    """What the request was about; empty where the prompt does not say it in JSON."""
    value: Any
    """The answer's JSON value."""


class TextWanted(BaseException):
    """Ragas embeds a text synchronously, inside the event loop, and the vector is not there yet.

    Not an `Exception`: some classes of ragas catch those and go on.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Conversation:
    """What one scoring of one sample asks.

    After an error of ours nothing is asked any more: ragas' own retry loops get the same error at once,
    and what they make of it (NaN, the other judge's rating) is not trusted.
    """

    def __init__(self, *, llm: LLM | None, embeddings: Embeddings | None, inputs: Mapping[str, Any]) -> None:
        """
        Args:
            llm: The critic LLM, where the metric asks one.
            embeddings: The embeddings, where the metric compares meanings.
            inputs: The arguments of ragas' `ascore`.
        """
        self.exchanges: list[Exchange] = []
        self.vectors: dict[str, list[float]] = {}
        self.error: Exception | None = None
        self._llm = llm
        self._embeddings = embeddings
        self._inputs = inputs
        self._answers: dict[tuple[str, type], list[Any]] = {}
        self._asked: Counter[tuple[str, type]] = Counter()

    async def ask(self, prompt: str, model: Any) -> Any:
        """Answer ragas' prompt with an instance of its pydantic class.

        Raises:
            PytestRagasError: There is no answer, or none that ragas' formula could count with.
        """
        if self.error is not None:
            raise self.error
        key = (prompt, model)
        answers = self._answers.setdefault(key, [])
        turn = self._asked[key]
        self._asked[key] += 1
        if turn < len(answers):
            return answers[turn]
        try:
            answer = await self._ask(prompt, model)
        except Exception as error:
            self.error = error
            raise
        answers.append(answer)
        return answer

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of the texts, in order.

        Raises:
            PytestRagasError: There are none, or none that a cosine could be taken of.
        """
        if self.error is not None:
            raise self.error
        try:
            return await self._embed(texts)
        except Exception as error:
            self.error = error
            raise

    def vector(self, text: str) -> list[float]:
        """The vector of a text that was embedded before.

        Raises:
            TextWanted: It was not: the caller gets it and scores anew.
        """
        if self.error is not None:
            raise self.error
        if text not in self.vectors:
            raise TextWanted(text)
        return self.vectors[text]

    async def start_over(self, wanted: TextWanted) -> None:
        """Get the wanted vector, and those of the sample's other texts with it, for a new run of `ascore`.

        What the critic LLM said so far is said again, in the same order, without a call.
        """
        texts = [wanted.text, *(value for value in self._inputs.values() if isinstance(value, str) and value.strip())]
        await self.embed([text for text in dict.fromkeys(texts) if text not in self.vectors])
        self._asked.clear()

    async def _ask(self, prompt: str, model: Any) -> Any:
        if self._llm is None:
            raise MetricError("This metric of ragas asks a critic LLM, though its class does not take one.")
        data = prompt_data(prompt)
        answer = await self._llm.ask([Message(role="user", content=prompt)], structure_of(model, data))
        try:
            value = model.model_validate(answer.value)
        except ValueError as error:  # pydantic's ValidationError is one
            raise StructureError(
                f"The critic LLM's answer is no {model.__name__}: {cut(str(error))}", raw=answer.raw
            ) from error
        exchange = Exchange(title=model.__name__, data=data, value=value.model_dump(mode="json"))
        _refuse_accidents(exchange, self._inputs, answer.raw)
        self.exchanges.append(exchange)
        return value

    async def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self._embeddings is None:
            raise MetricError("This metric of ragas compares embeddings, though its class does not take any.")
        model = self._embeddings.identity
        vectors = [list(map(float, vector)) for vector in await self._embeddings.embed(texts)]
        if len(vectors) != len(texts):
            raise _embeddings_error(f"The embeddings {model} gave {len(vectors)} vectors for {len(texts)} texts.")
        for text, vector in zip(texts, vectors, strict=True):
            length = math.sqrt(math.fsum(number * number for number in vector))
            if not math.isfinite(length) or length == 0:
                # ragas would divide by it
                raise _embeddings_error(
                    f"The embeddings {model} gave {cut(text, 80)!r} a vector without a direction (length {length})."
                )
            self.vectors[text] = vector
        return vectors


_MUST_FIND = {
    "StatementGeneratorOutput": ("statements", "statement"),
    "ClaimDecompositionOutput": ("claims", "claim"),
    "ContextRecallOutput": ("classifications", "statement"),
    "ExtractedKeyphrases": ("keyphrases", "keyphrase"),
    "QuestionsGenerated": ("questions", "question"),
}
"""Structures whose empty list ragas scores as 1.0, 0.0 or NaN: the list, and what is in it."""


def _refuse_accidents(exchange: Exchange, inputs: Mapping[str, Any], raw: str) -> None:
    """Refuse an answer of which ragas would make a number that means nothing."""
    if exchange.title in _MUST_FIND:
        key, what = _MUST_FIND[exchange.title]
        if not exchange.value.get(key):
            raise NothingToJudgeError(f"The critic LLM found no {what} in the {side_of(exchange, inputs) or 'text'}.")
    elif exchange.title == "EntitiesList":
        # none in the contexts is a recall of 0; none in the reference is nothing to recall
        if not exchange.value.get("entities") and side_of(exchange, inputs) == "reference":
            raise NothingToJudgeError("The critic LLM found no entity in the reference.")
    elif exchange.title == "ClassificationWithReason":
        if not any(exchange.value.get(key) for key in ("TP", "FP", "FN")):
            raise StructureError("The critic LLM classified none of the statements.", raw=raw)
    elif exchange.title == "AnswerRelevanceOutput" and not exchange.value.get("question", "").strip():
        raise StructureError("The critic LLM wrote no question for the response.", raw=raw)


def _embeddings_error(message: str) -> ModelError:
    error = ModelError(message)
    error.role = "embeddings"
    return error


def side_of(exchange: Exchange, inputs: Mapping[str, Any]) -> str:
    """Which text of the sample a request takes apart: "response", "reference", or "" where it is neither."""
    texts = [exchange.data.get(key) for key in ("answer", "text", "response")]
    return next((side for side in ("response", "reference") if inputs.get(side) and inputs[side] in texts), "")
