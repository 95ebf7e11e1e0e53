"""`StoredLLM`: an LLM that is asked only what it has not answered before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_ragas.errors import MissingJudgementError, ModelError
from pytest_ragas.judgements import key as keys
from pytest_ragas.judgements.asking import asking
from pytest_ragas.judgements.judgement import Judgement, text_of
from pytest_ragas.judgements.judgements import Judgements
from pytest_ragas.protocols import LLM, JSONSchema
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage


class StoredLLM:
    """Satisfies `LLM`. A stored answer costs no call, no slot of a limiter and no token."""

    def __init__(
        self, llm: LLM, judgements: Judgements, *, repeat: Callable[[], int], role: str = "critic LLM"
    ) -> None:
        """
        Args:
            llm: Who is asked for what is not stored, retries and all.
            judgements: Where answers are found and kept.
            repeat: Which repetition of the same judgement this is: each is asked once.
            role: "critic LLM" or "generator LLM", for messages.
        """
        self._llm = llm
        self._judgements = judgements
        self._repeat = repeat
        self._role = role
        self.consulted = False
        """Whether something that it once said was used."""

    @property
    def identity(self) -> ModelIdentity:
        """The model's own."""
        return self._llm.identity

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """The stored answer, at no usage; else the LLM's, which is stored.

        Raises:
            MissingJudgementError: In `replay`: nothing is stored.
            ModelError: Whatever the LLM raised; that is never stored.
        """
        model, repeat, asker = self.identity, self._repeat(), asking()
        key = keys.answer_key(model, messages, schema, repeat)
        content = await self._judgements.afind("answer", key)
        if content is not None:
            self.consulted = True
            asker.answers[key] = None
            try:
                return answer_of(content)
            except MissingJudgementError as error:
                error.role = self._role
                raise
        if self._judgements.replays:
            what = f"this request for {schema.get('title') or 'an object'} to {model}"
            request = keys.answer_request(model, messages, schema, repeat)
            raise self._judgements.missing("answer", what, request=request, role=self._role)
        try:
            answer = await self._llm.ask(messages, schema)
        except ModelError:
            asker.unanswered.append(key)
            raise
        asker.answers[key] = None
        content, text = written(answer)
        request = keys.answer_request(model, messages, schema, repeat)
        self._judgements.keep(
            Judgement(
                kind="answer",
                key=key,
                metric=asker.metric,
                sample=asker.sample,
                request=request,
                request_text=text_of(request),
                content=content,
                text=text,
            )
        )
        return answer

    async def aclose(self) -> None:
        """Let go of the model's connections."""
        await self._llm.aclose()


def written(answer: Answer) -> tuple[dict[str, Any], str]:
    """An answer as JSON, and as its text. The model's text is left out where it says what the value says.

    Returns:
        What to store. The text is empty where the value is no JSON, which is not kept.
    """
    usage = [answer.usage.calls, answer.usage.prompt_tokens, answer.usage.completion_tokens]
    content = {"value": answer.value, "usage": usage}
    try:
        value = text_of(answer.value)  # once: it is most of what there is to write
    except ValueError:
        return content, ""
    raw = ""
    if answer.raw != value:
        content["raw"] = answer.raw
        raw = f',"raw":{text_of(answer.raw)}'
    return content, f'{{"value":{value},"usage":{text_of(usage)}{raw}}}'


def answer_of(content: Any) -> Answer:
    """The answer that `written` described; it cost nothing this time.

    Raises:
        MissingJudgementError: It describes none: somebody has edited it.
    """
    try:
        value = content["value"]
        raw = content["raw"] if "raw" in content else text_of(value)
    except (KeyError, TypeError) as error:
        raise MissingJudgementError(f"What is stored is no answer of an LLM ({error}).") from None
    return Answer(value=value, raw=raw, usage=Usage())
