"""The scripted critic and embeddings: what they answer, what they complain about, what they remember."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

import pytest_ragas
from pytest_ragas.errors import (
    ConfigurationError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import LLM, Embeddings, JSONSchema
from pytest_ragas.values.model import Answer, Message, Usage

STATEMENTS: dict[str, Any] = {
    "title": "Statements",
    "type": "object",
    "properties": {"statements": {"type": "array", "items": {"type": "string"}}},
    "required": ["statements"],
}
VERDICT: dict[str, Any] = {
    "title": "Verdict",
    "type": "object",
    "properties": {"verdict": {"type": "integer", "enum": [0, 1]}},
    "required": ["verdict"],
}


def ask(critic: LLM, schema: JSONSchema = STATEMENTS, text: str = "Which statements?") -> Answer:
    return asyncio.run(critic.ask([Message(role="user", content=text)], schema))


def test_both_satisfy_the_protocols_and_are_public() -> None:
    assert isinstance(ScriptedCritic([]), LLM)
    assert isinstance(ScriptedEmbeddings({}), Embeddings)
    assert not isinstance(ScriptedCritic([]), Embeddings)
    assert pytest_ragas.ScriptedCritic is ScriptedCritic
    assert pytest_ragas.ScriptedEmbeddings is ScriptedEmbeddings


def test_answers_come_in_the_order_of_the_list() -> None:
    critic = ScriptedCritic([{"statements": ["one"]}, {"statements": ["two"]}])
    assert ask(critic).value == {"statements": ["one"]}
    second = ask(critic)
    assert second.value == {"statements": ["two"]}
    assert second.raw == '{"statements": ["two"]}'
    assert second.usage == Usage(calls=1)
    assert critic.identity.provider == "scripted"


def test_running_dry_says_what_was_asked_and_how_many_answers_there_were() -> None:
    critic = ScriptedCritic([{"statements": []}], name="judge")
    ask(critic)
    with pytest.raises(ModelError) as caught:
        ask(critic, VERDICT, "Is it\nso?")
    message = str(caught.value)
    assert "ScriptedCritic('judge', 2 requests) ran dry: request 2 wants 'Verdict'" in message
    assert "all 1 scripted answers were given" in message
    assert "'Is it so?'" in message
    assert not isinstance(caught.value, (TransientModelError, StructureError)), "asking again would not help"


def test_what_is_left_is_said() -> None:
    critic = ScriptedCritic([{"statements": ["a"]}, {"statements": ["b"]}])
    ask(critic)
    assert critic.unused() == ({"statements": ["b"]},)
    ask(critic)
    assert critic.unused() == ()


def test_a_function_sees_messages_and_schema() -> None:
    def answer(messages: Sequence[Message], schema: JSONSchema) -> dict[str, Any]:
        return {"statements": [f"{schema['title']}: {messages[-1].content}"]}

    critic = ScriptedCritic(answer)
    assert ask(critic, text="hello").value == {"statements": ["Statements: hello"]}
    assert critic.unused() == ()


def test_a_function_may_be_async_and_may_give_an_exception() -> None:
    async def answer(messages: Sequence[Message], schema: JSONSchema) -> Any:
        await asyncio.sleep(0)
        return {"verdict": 1} if schema["title"] == "Verdict" else RejectedRequestError("no", status=401)

    critic = ScriptedCritic(answer)
    assert ask(critic, VERDICT).value == {"verdict": 1}
    with pytest.raises(RejectedRequestError, match="no"):
        ask(critic)


def test_a_mapping_answers_by_the_title_of_the_schema() -> None:
    busy = TransientModelError("busy", status=429, retry_after=2.0)
    critic = ScriptedCritic(
        {
            "Statements": {"statements": ["always"]},
            "Verdict": [{"verdict": 1}, busy],
            "Never": lambda messages, schema: {},
        }
    )
    assert critic.unused() == ("Statements", {"verdict": 1}, busy, "Never")
    assert [ask(critic).value for _ in range(2)] == [{"statements": ["always"]}] * 2
    assert ask(critic, VERDICT).value == {"verdict": 1}
    with pytest.raises(TransientModelError) as caught:
        ask(critic, VERDICT)
    assert (caught.value.status, caught.value.retry_after) == (429, 2.0)
    assert critic.unused() == ("Never",)
    with pytest.raises(ModelError, match="ran dry"):
        ask(critic, VERDICT)


def test_a_title_that_the_mapping_lacks_names_those_it_has() -> None:
    with pytest.raises(ModelError, match=r"no answer for the schema 'Verdict'; the script knows 'Statements'\. Add"):
        ask(ScriptedCritic({"Statements": {"statements": []}}), VERDICT)


def test_answers_are_validated_against_the_schema() -> None:
    with pytest.raises(
        StructureError, match=r"scripted answer for 'Verdict' does not fit: .*verdict.* is 7, not one of"
    ):
        ask(ScriptedCritic([{"verdict": 7}]), VERDICT)


def test_a_text_is_read_like_that_of_a_real_critic() -> None:
    critic = ScriptedCritic(['Sure!\n```json\n{"verdict": 1}\n```', "I cannot say."])
    assert ask(critic, VERDICT).value == {"verdict": 1}
    with pytest.raises(StructureError) as caught:
        ask(critic, VERDICT)
    assert caught.value.raw == "I cannot say."


def test_an_answer_sets_its_usage() -> None:
    usage = Usage(calls=1, prompt_tokens=11, completion_tokens=3)
    assert ask(ScriptedCritic([Answer(value={"verdict": 0}, usage=usage)]), VERDICT).usage == usage


def test_what_is_no_json_is_a_structure_error() -> None:
    with pytest.raises(StructureError, match="is no JSON"):
        ask(ScriptedCritic([{"verdict": float("nan")}]), VERDICT)


@pytest.mark.parametrize("wrong", ["an answer", 7, None, RejectedRequestError("no"), ValueError])
def test_a_script_that_is_none_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"expected a list of answers, a function .*Write for example"):
        ScriptedCritic(wrong)


def test_requests_are_remembered() -> None:
    critic = ScriptedCritic({"Verdict": {"verdict": 1}})
    asyncio.run(critic.ask([Message(role="system", content="Judge."), Message(role="user", content="So?")], VERDICT))
    (request,) = critic.requests
    assert request.title == "Verdict"
    assert request.text == "Judge.\nSo?"
    assert request.messages[0].role == "system"
    assert request.schema is VERDICT


def test_concurrent_requests_each_get_an_answer_of_their_own() -> None:
    critic = ScriptedCritic([{"statements": [str(number)]} for number in range(200)], latency=0.01)

    async def all_at_once() -> list[str]:
        messages = [Message(role="user", content="?")]
        answers = await asyncio.gather(*(critic.ask(messages, STATEMENTS) for _ in range(200)))
        return [answer.value["statements"][0] for answer in answers]

    assert sorted(asyncio.run(all_at_once()), key=int) == [str(number) for number in range(200)]
    assert critic.peak == 200
    assert critic.unused() == ()


def test_embeddings_of_a_mapping() -> None:
    embeddings = ScriptedEmbeddings({"Paris": [1, 0], "London": (0.0, 1.0)})
    assert asyncio.run(embeddings.embed(["London", "Paris", "London"])) == [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    assert embeddings.requests == [("London", "Paris", "London")]
    assert embeddings.unused() == ()
    with pytest.raises(ModelError, match=r"no vector for 'Rome'; it knows 'Paris', 'London'"):
        asyncio.run(embeddings.embed(["Rome"]))


def test_embeddings_of_a_function() -> None:
    embeddings = ScriptedEmbeddings(lambda text: [float(len(text)), 1.0] if text else TransientModelError("busy"))
    assert asyncio.run(embeddings.embed(["abc"])) == [[3.0, 1.0]]
    with pytest.raises(TransientModelError):
        asyncio.run(embeddings.embed([""]))
    assert embeddings.unused() == ()


def test_embeddings_say_what_nobody_asked_for() -> None:
    embeddings = ScriptedEmbeddings({"a": [1.0], "b": [1.0]})
    asyncio.run(embeddings.embed(["a"]))
    assert embeddings.unused() == ("b",)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({"a": [1.0], "b": [1.0, 2.0]}, r"differ in length: 1, 2"),
        ({"a": [float("nan")], "b": [1.0]}, r"needs finite numbers"),
        ({"a": [], "b": []}, r"needs finite numbers"),
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(vectors: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        asyncio.run(ScriptedEmbeddings(vectors).embed(["a", "b"]))


@pytest.mark.parametrize("wrong", [[1.0, 2.0], None, dict])
def test_vectors_from_nowhere_are_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected a mapping from texts to vectors, or a function"):
        ScriptedEmbeddings(wrong)
